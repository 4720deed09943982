"""Attribution and slippage: parts add up, and planted causes are found where they are."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.execution import Costs, Funding, Impact, Latency
from market.tape import Tape
from tests.robustness_cases import CAPITAL, ticks, traded, walk
from tests.toys import as_bars
from trading.record import Record
from trading.robustness.attribution import PARTS, attribution
from trading.robustness.costparts import CostParts
from trading.robustness.slippage import capacity, slippage

FREE = Costs()
DEAR = Costs(
    commission=1e-4,
    half_spread=2e-4,
    slippage=1e-4,
    per_unit=1e-3,
    maker=5e-5,
    impact=Impact(volatility=0.02, volume=1e4),
    latency=Latency(seconds=70.0),
    funding=Funding(rate=1e-3, interval_seconds=3600.0),
)


def total(parts):
    return math.fsum(value for _, value in parts.rows())


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 1 << 32),
    st.sampled_from([FREE, DEAR]),
    st.booleans(),
    st.sampled_from([(0.0, 0.0), (2e-3, 3e-3)]),
    st.booleans(),
)
def test_the_parts_add_up_to_the_profit(seed, costs, bars, bracket, told):
    rng = np.random.default_rng(seed)
    tape, signal = walk(60, seed)
    aims = np.where(rng.random(60) < 0.3, rng.choice([-2.0, -0.5, 0.0, 1.0], 60), np.nan)
    up = 1.0 / (1.0 + np.exp(-signal)) if told else None
    sleeve = traded(
        as_bars(tape) if bars else tape, aims, costs, loss=bracket[0], profit=bracket[1], up=up
    )
    record = Record("run", {"A": sleeve})
    found = attribution(record)
    earned = sleeve.equity[-1] - CAPITAL
    assert found.total.pnl == pytest.approx(earned, abs=1e-9)
    assert total(found.total) == pytest.approx(earned, abs=1e-9)
    paid = CostParts.of(sleeve)
    assert -paid.total == pytest.approx(
        sum(dict(found.total.rows())[name] for name in PARTS[4:]), abs=1e-9
    )
    trips = record.trips
    assert paid.commission == pytest.approx(trips.fees.sum())
    assert paid.spread + paid.slippage + paid.impact == pytest.approx(trips.slippage.sum())
    for shares in found.by.values():
        assert sum(one.trades for one in shares) == len(trips)
        assert sum(one.pnl for one in shares) == pytest.approx(trips.pnl.sum())
    json.dumps(found.as_dict(), allow_nan=False)


def test_costs_are_told_apart_by_their_terms():
    tape, _ = walk(200, 1)
    aims = np.repeat(np.tile([1.0, -1.0], 25), 4)
    paid = CostParts.of(traded(tape, aims, DEAR))
    assert paid.spread == pytest.approx(2.0 * paid.slippage)
    law = DEAR.impact.scale * math.sqrt(2.0 * CAPITAL / 100.0)
    assert paid.impact / paid.slippage == pytest.approx(law / DEAR.slippage, rel=0.2)
    assert CostParts.of(traded(tape, aims, FREE)).total == 0.0


def test_who_always_holds_what_was_forecast_earns_by_the_signal_alone():
    rng = np.random.default_rng(2)
    signal = np.repeat(rng.choice([-1.0, 1.0], 40), 10)  # knows the drift of ten ticks
    returns = np.r_[0.0, 1e-3 * signal[:-1]] + rng.normal(0.0, 1e-4, 400)
    tape = ticks("A", 100.0 * np.exp(np.cumsum(returns)))
    up = np.where(signal > 0.0, 0.7, 0.3)
    parts = attribution(Record("run", {"A": traded(tape, signal, FREE, up=up)})).total
    assert parts.signal == pytest.approx(0.4 * CAPITAL, rel=0.2), "4,000 basis points"
    assert abs(parts.sizing) < 0.1 * parts.signal
    assert -0.15 * parts.signal < parts.timing < 0.0, "a tick of ten where it turned"
    assert parts.exit == parts.commission == parts.spread == parts.funding == 0.0


def test_staying_out_when_the_signal_is_wrong_is_sizing():
    prices = 100.0 * np.exp(np.cumsum(np.r_[np.full(50, 1e-3), np.full(50, -1e-3)]))
    aims = np.r_[np.full(48, 1.0), np.zeros(52)]
    up = np.full(100, 0.9)  # it always says up
    sleeve = traded(ticks("A", prices), aims, FREE, up=up)
    parts = attribution(Record("run", {"A": sleeve})).total
    size = float(sleeve.units.max())
    assert parts.signal == pytest.approx(size * (prices[-1] - prices[0]))
    assert parts.sizing + parts.timing == pytest.approx(parts.pnl - parts.signal)
    assert abs(parts.timing) < 0.1, "a tick's move"
    assert parts.sizing > 0.0
    assert parts.exit == 0.0


def test_what_a_stop_saved_and_a_target_missed_is_the_exits():
    falling = ticks("A", np.r_[np.full(10, 100.0), np.linspace(100.0, 80.0, 41)[1:]])
    aims = np.full(50, np.nan)
    aims[0] = 1.0
    up = np.full(50, 0.9)
    stopped = traded(falling, aims, FREE, loss=0.05, up=up)
    parts = attribution(Record("run", {"A": stopped})).total
    assert parts.exit == pytest.approx(parts.pnl - CAPITAL * -0.2)
    assert parts.pnl == pytest.approx(-0.05 * CAPITAL, rel=1e-6)
    assert parts.signal == pytest.approx(-0.2 * CAPITAL)
    rising = ticks("A", 200.0 - falling.close)
    taken = traded(rising, aims, FREE, profit=0.05, up=up)
    parts = attribution(Record("run", {"A": taken})).total
    assert parts.exit == pytest.approx(-0.15 * CAPITAL)
    # once the forecast has turned, the position would have been given up anyway
    turned = np.where(np.arange(50) < 30, 0.9, 0.1)
    held_on = attribution(
        Record("run", {"A": traded(rising, aims, FREE, profit=0.05, up=turned)})
    ).total
    assert -0.06 * CAPITAL < held_on.exit < 0.0


def test_a_stop_within_a_bar_saves_what_the_bar_went_on_to_lose():
    close = np.r_[np.full(10, 100.0), 90.0, np.full(9, 90.0)]
    values = np.full((20, 7), np.nan)
    values[:, :4] = close[:, None]
    values[10, :4] = 100.0, 100.0, 90.0, 90.0  # through the stop at 95, down to 90
    flat = ticks("A", close)
    bars = Tape("A", True, flat.times, values, flat.fresh)
    aims = np.full(20, np.nan)
    aims[0] = 1.0
    stopped = traded(bars, aims, FREE, loss=0.05, up=np.full(20, 0.9))
    parts = attribution(Record("run", {"A": stopped})).total
    assert parts.pnl == pytest.approx(-0.05 * CAPITAL)
    assert parts.signal == pytest.approx(-0.10 * CAPITAL)
    assert parts.exit == pytest.approx(0.05 * CAPITAL)
    assert parts.timing == pytest.approx(0.0, abs=1e-9)


def test_trades_by_symbol_side_hour_and_regime():
    one, signal = walk(300, 3)
    other = walk(300, 4, "B")[0]
    regime = np.where(np.arange(300) < 150, 0, 1)
    record = Record(
        "run",
        {
            "A": traded(one, np.sign(signal), regime=regime),
            "B": traded(other, np.sign(signal)),
        },
    )
    found = attribution(record)
    by = {name: {one.label: one for one in shares} for name, shares in found.by.items()}
    for symbol, sleeve in record.sleeves.items():
        assert by["symbol"][symbol].pnl == pytest.approx(sleeve.trips.pnl.sum())
        assert by["symbol"][symbol].trades == len(sleeve.trips)
    assert set(by["side"]) == {"long", "short"}
    assert set(by["hour"]) == {"00", "01", "02", "03", "04"}
    assert set(by["weekday"]) == {"Mon"}
    assert set(by["regime"]) == {"0", "1", "unknown"}
    assert by["regime"]["unknown"].trades == len(record.sleeves["B"].trips)
    assert set(by["reason"]) == {"signal", "end"}
    assert [one.symbol for one in found.symbols] == ["A", "B"]
    assert [one.symbol for one in found.seasons] == ["A", "B"]
    assert found.total.signal == pytest.approx(sum(one.signal for one in found.symbols))
    assert found.seasons[0].found.decisions == 299


def test_a_run_without_a_trade():
    tape, _ = walk(50)
    record = Record("idle", {"A": traded(tape, np.zeros(50))})
    found = attribution(record)
    assert total(found.total) == found.total.pnl == 0.0
    assert found.by["symbol"] == ()
    slip = slippage(record)
    assert slip.whole.trades == 0
    assert math.isnan(slip.whole.basis_points)
    assert slip.capacity.best == 0.0


def sized(costs, n=400, seed=1):
    """Trades of all sizes, flat in between."""
    tape, _ = walk(n, seed)
    sizes = np.random.default_rng(seed).uniform(0.1, 4.0, n // 2)
    return Record("run", {"A": traded(tape, np.column_stack((sizes, 0.0 * sizes)).ravel(), costs)})


def test_what_size_costs_is_found_beside_what_every_trade_pays():
    law = Impact(volatility=0.02, volume=1e4)
    record = sized(Costs(half_spread=2e-4, impact=law))
    found = slippage(record)
    planted = law.scale * math.sqrt(record.trips.units.mean()) * 1e4
    assert found.fixed.value == pytest.approx(2.0, abs=0.02)
    assert found.by_size.value == pytest.approx(planted, rel=0.02)
    assert 0.0 < found.by_size.low <= found.by_size.high
    small, *_, large = found.sizes
    assert small.basis_points < large.basis_points
    assert sum(one.paid for one in found.sizes) == pytest.approx(found.whole.paid)
    assert sum(one.paid for one in found.hours) == pytest.approx(found.whole.paid)
    flat = slippage(sized(Costs(half_spread=2e-4)))
    assert flat.by_size.value == pytest.approx(0.0, abs=1e-4)
    assert flat.fixed.value == pytest.approx(2.0, abs=1e-3)


def test_how_much_money_it_bears():
    found = capacity(90.0, 30.0)
    at = np.array(found.multiples)
    assert np.array(found.pnl) == pytest.approx(90.0 * at - 30.0 * at**1.5)
    assert at[np.argmax(found.pnl)] == pytest.approx(found.best, abs=0.2)
    assert np.interp(found.dead, found.multiples, found.pnl) == pytest.approx(0.0, abs=0.5)
    assert capacity(-1.0, 3.0).dead == 0.0
    assert capacity(1.0, 0.0).dead == math.inf
    tape, signal = walk(600, 5, ic=0.4)
    law = Impact(volatility=1e-2, volume=1e4)
    free = Record("free", {"A": traded(tape, np.sign(signal), FREE)})
    asked = slippage(free, impact=law)
    grown = [
        traded(tape, size * np.sign(signal), Costs(impact=law)).trips.pnl.sum()
        for size in (0.5 * asked.capacity.dead, asked.capacity.dead, 2.0 * asked.capacity.dead)
    ]
    assert slippage(free).capacity.dead == math.inf
    assert 0.0 < asked.capacity.best < asked.capacity.dead
    assert grown[0] > 0.0 > grown[2]


def test_a_law_is_of_one_market():
    signal = walk(100)[1]
    two = {name: traded(walk(100, 1, name)[0], np.sign(signal)) for name in ("A", "B")}
    with pytest.raises(ValueError, match="impact is one market's, the run is of 2"):
        slippage(Record("two", two), impact=Impact(volatility=1e-2, volume=1e4))
