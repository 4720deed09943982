"""Stress: scenarios change what they say and nothing before it; what they cost is known."""

from __future__ import annotations

import numpy as np
import pytest

from market.errors import DataError
from market.execution import Costs
from market.tape import HIGH, LOW, OPEN, VOLUME
from risk.config import RiskConfig
from tests.robustness_cases import CAPITAL, rerunner, ticks, traded, walk
from tests.toys import as_bars
from trading.record import Record
from trading.robustness.limits import Limits
from trading.robustness.scenarios import (
    SCENARIOS,
    FatFinger,
    FeedOutage,
    FlashCrash,
    Gap,
    Halt,
    SpreadBlowOut,
    VolatilityJump,
)
from trading.robustness.shocks import break_even, shocks
from trading.robustness.stress import stress
from trading.robustness.variation import Variation

N, AT = 400, 199
FREE = Costs()


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
@pytest.mark.parametrize("bars", [False, True], ids=["ticks", "bars"])
@pytest.mark.parametrize("way", [-1, 1])
def test_a_scenario_leaves_the_past_alone(scenario, bars, way):
    tapes = {"A": walk(N, 1)[0], "B": walk(N // 2, 2, "B")[0]}
    if bars:
        tapes = {symbol: as_bars(tape) for symbol, tape in tapes.items()}
    when = int(tapes["A"].times[AT])
    stressed = scenario.apply(tapes, when, way, rng())
    again = scenario.apply(tapes, when, way, rng())
    changed = False
    for symbol, tape in tapes.items():
        made, widen = stressed.tapes[symbol], stressed.widen[symbol]
        known = int(np.searchsorted(tape.times, when, side="right"))
        assert np.array_equal(made.values[:known], tape.values[:known], equal_nan=True)
        assert np.array_equal(made.times[:known], tape.times[:known])
        assert (widen[:known] == 1.0).all()
        assert len(widen) == len(made)
        prices = made.values[:, :VOLUME]
        assert (prices[:, HIGH] >= prices.max(axis=1) - 1e-12).all()
        assert (prices[:, LOW] <= prices.min(axis=1) + 1e-12).all()
        assert np.array_equal(made.values, again.tapes[symbol].values, equal_nan=True)
        if symbol == "A":
            changed = len(made) < N or (widen > 1.0).any() or (made.close != tape.close).any()
            changed = changed or bool((prices != tape.values[:, :VOLUME]).any())
    assert changed
    assert scenario.told


def test_what_each_scenario_does():
    tape = walk(N, 1)[0]
    when, next_ = int(tape.times[AT]), AT + 1

    def over(scenario, way=-1):
        made = scenario.apply({"A": tape}, when, way, rng())
        return made.tapes["A"], made.widen["A"]

    fallen, widen = over(FlashCrash(depth=0.2, fall=5, rebound=10, recovered=0.75, widen=4.0))
    share = fallen.close / tape.close
    assert share.min() == pytest.approx(0.8)
    assert share[AT + 5] == pytest.approx(0.8), "the fifth event after it"
    assert share[-1] == pytest.approx(0.8**0.25)
    assert (widen != 1.0).sum() == 15
    risen, _ = over(FlashCrash(depth=0.2), way=1)
    assert (risen.close / tape.close).max() == pytest.approx(1.2)

    apart, _ = over(Gap(size=0.03, hours=48.0))
    assert apart.times[next_] - tape.times[next_] == 48 * 3_600_000_000_000
    assert apart.close[next_:] == pytest.approx(0.97 * tape.close[next_:])

    less, _ = over(FeedOutage(events=30))
    assert len(less) == N - 30
    assert less.fresh[next_]
    assert less.fresh.sum() == 1
    assert less.times[next_] == tape.times[next_ + 30]

    still, widen = over(Halt(events=20, size=0.1))
    assert (still.close[next_ : next_ + 20] == tape.close[AT]).all()
    assert np.isinf(widen).sum() == 20
    assert still.close[next_ + 20] == pytest.approx(0.9 * tape.close[next_ + 20])

    wild, _ = over(VolatilityJump(factor=3.0))
    moves, before = (np.diff(np.log(one.close))[AT:] for one in (wild, tape))
    assert moves.std() == pytest.approx(3.0 * before.std())
    assert moves.mean() == pytest.approx(before.mean())

    spike, _ = over(FatFinger(size=0.05))
    assert (spike.close != tape.close).sum() == 1
    bars = as_bars(tape)
    wick = FatFinger(size=0.05).apply({"A": bars}, when, -1, rng()).tapes["A"]
    assert np.array_equal(wick.close, bars.close)
    assert np.array_equal(wick.values[:, OPEN], bars.values[:, OPEN])
    assert wick.values[next_, LOW] == pytest.approx(0.95 * bars.values[next_, LOW])


def holding(tape):
    """Buy at once for all there is, and hold."""
    aims = np.full(len(tape), np.nan)
    aims[0] = 1.0
    return aims


def test_what_a_scenario_costs_who_holds_is_known():
    tape = ticks("A", np.full(N, 100.0))
    rerun = rerunner({"A": tape}, holding, FREE)
    found = stress(
        rerun,
        {"A": tape},
        rng(),
        scenarios=(
            FlashCrash(depth=0.2, recovered=0.5), Gap(size=0.03), SpreadBlowOut(), FatFinger()
        ),
        moments=2,
        limits=Limits(drawdown=0.1),
    )  # fmt: skip
    crash, gap, spread, finger = found.ordeals
    assert found.base.pnl == 0.0
    assert found.base.kept
    assert crash.pnl == pytest.approx(CAPITAL * (np.sqrt(0.8) - 1.0))
    assert crash.drawdown == pytest.approx(0.2)
    assert crash.breaches == ("drawdown 20.0%, beyond 10.0%",)
    assert not crash.kept
    assert gap.change == pytest.approx(-0.03 * CAPITAL)
    assert gap.worst == pytest.approx(0.03 * CAPITAL)
    assert gap.kept
    assert spread.pnl == pytest.approx(0.0)
    assert finger.pnl == pytest.approx(0.0)
    assert finger.drawdown == pytest.approx(0.05)
    assert all(tape.times[N // 10] <= one.when <= tape.times[N * 9 // 10] for one in found.ordeals)


def test_moves_go_against_what_is_held():
    tape = ticks("A", np.full(N, 100.0))
    rerun = rerunner({"A": tape}, lambda tape: -holding(tape), FREE)
    [gap] = stress(rerun, {"A": tape}, rng(), scenarios=(Gap(size=0.03),), moments=1).ordeals
    assert gap.pnl == pytest.approx(-0.03 * CAPITAL)


def test_in_a_halt_nothing_fills_and_a_wide_spread_is_paid():
    tape, _ = walk(N, 1)
    aims = np.tile([1.0, -1.0], N // 2)
    still = np.ones(N)
    still[100:150] = np.inf
    halted = traded(tape, aims, widen=still)
    inside = (halted.fills.times > tape.times[99]) & (halted.fills.times < tape.times[150])
    assert not inside.any()
    assert len(halted.fills) > 300
    costs = Costs(half_spread=1e-4)
    once, thrice = (
        traded(tape, aims, costs, widen=np.full(N, factor)).trips.slippage.sum()
        for factor in (1.0, 3.0)
    )
    assert thrice == pytest.approx(3.0 * once, rel=0.1), "of less equity"


def test_limits():
    tape = walk(N, 1)[0]
    held = Record("held", {"A": traded(tape, np.full(N, 2.0), FREE)})
    assert Limits().breaches(held) == ()
    assert Limits(leverage=2.0, notional=2.2 * CAPITAL).breaches(held) == ()
    lever, notional = Limits(leverage=1.5, notional=1.5 * CAPITAL).breaches(held)
    assert lever.startswith("A: 2")
    assert lever.endswith("times its equity, beyond 1.5")
    assert notional.startswith("notional 2,")
    falling = ticks("A", np.linspace(100.0, 60.0, N))
    aims = np.where(np.arange(N) < 300, 1.0, 1.5)
    found = Limits(drawdown=0.2).breaches(Record("fall", {"A": traded(falling, aims, FREE)}))
    assert found[1] == "positions grew after the drawdown limit"
    turned = np.where(np.arange(N) < 300, 1.0, -0.5)  # less, but the other way
    found = Limits(drawdown=0.2).breaches(Record("turn", {"A": traded(falling, turned, FREE)}))
    assert found[1] == "positions grew after the drawdown limit"
    less = np.where(np.arange(N) < 300, 1.0, 0.5)
    assert (
        len(Limits(drawdown=0.2).breaches(Record("less", {"A": traded(falling, less, FREE)}))) == 1
    )
    risk = RiskConfig(max_notional=5.0)
    assert Limits.of(risk).notional == 5.0
    assert Limits.of(risk).drawdown == risk.portfolio.drawdown


def test_shocks_bite_in_order_and_the_edge_dies_where_costs_have_eaten_it():
    tape, signal = walk(1000, 3, ic=0.3)
    rerun = rerunner({"A": tape}, lambda _: np.sign(signal))
    found = shocks(
        rerun, rng(), costs=(0.0, 1.0, 8.0), slippage=(0.0, 1.0, 8.0), latency=(0.0, 61.0),
        samples=50,
    )  # fmt: skip
    pnl = {(one.costs, one.slippage, one.latency): one.pnl.value for one in found.cells}
    assert len(pnl) == 18
    assert pnl[0, 0, 0] > pnl[1, 0, 0] > pnl[1, 1, 0] > pnl[8, 1, 0] > pnl[8, 8, 0]
    assert pnl[0, 0, 61.0] < 0.4 * pnl[0, 0, 0], "a signal that is late by its horizon"
    assert 1.0 < found.break_even < 8.0
    assert found.break_even == pytest.approx(found.break_even_same_trades, rel=0.1)
    factor = found.break_even_same_trades
    left = rerun(Variation(factor, factor)).figures()["pnl"]
    assert abs(left) < 0.1 * pnl[1, 1, 0]
    assert all(one.pnl.low <= one.pnl.high for one in found.cells)
    dear = shocks(rerun, rng(), costs=(8.0, 9.0), slippage=(8.0, 9.0), samples=5)
    assert np.isnan(dear.break_even), "somewhere below what was tried"
    assert dear.break_even_same_trades == pytest.approx(factor)
    idle = rerun(Variation())
    free = Record("free", {"A": traded(tape, np.sign(signal), FREE)})
    assert break_even(free) == np.inf
    assert break_even(idle) == pytest.approx(factor)


def test_what_makes_no_sense_is_refused():
    tape = walk(8)[0]
    rerun = rerunner({"A": tape}, holding)
    with pytest.raises(DataError, match="8 decisions are too few for 9 moments in the middle"):
        stress(rerun, {"A": tape}, rng(), moments=9)
    with pytest.raises(ValueError, match="moments must be at least 1, was 0"):
        stress(rerun, {"A": tape}, rng(), moments=0)
    with pytest.raises(ValueError, match="costs must hold rising values"):
        shocks(rerun, rng(), costs=(2.0, 1.0))
    with pytest.raises(ValueError, match="costs_factor must be finite and 0 or more, was -1"):
        Variation(costs_factor=-1.0)
    with pytest.raises(ValueError, match="widen of A must have a value for each of the 8 events"):
        Variation(tapes={"A": tape}, widen={"A": np.ones(3)})
    with pytest.raises(ValueError, match="widen of A must be 0 or more at every event, was -1"):
        Variation(widen={"A": np.full(8, -1.0)})
