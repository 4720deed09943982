"""The live trader under stress: the same Trader, other markets, other terms."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from actors.stressing import varied
from market.beside import Beside
from market.errors import DataError
from market.events import Tick
from market.execution import Costs
from market.instruments import Instrument
from policies.baselines import Follow
from pregao import app
from risk.lease import LeaseBook
from tests.robustness_cases import following, rerunner
from tests.toys import FEATURES, INSTRUMENT, RISK, SYMBOL, tape, trader
from trading.backtest import run
from trading.desk import DeskSpec
from trading.journal import MemoryJournal
from trading.paper import PaperBroker
from trading.record import Record
from trading.robustness.attribution import attribution
from trading.robustness.eventpath import EventPath, WidenedBroker
from trading.robustness.limits import Limits
from trading.robustness.scenarios import SCENARIOS
from trading.robustness.stress import stress
from trading.robustness.tables import tables
from trading.robustness.variation import Variation
from trading.robustness.whole import Plan, examine
from venues.doors import recorded

TAPE = tape(500, seed=3, gap=False)
FAIR = RISK.model_copy(
    update={
        name: RISK.portfolio.model_copy(update={"daily_loss": 0.9, "drawdown": 0.9})
        for name in ("portfolio", "symbol")
    }
)


def made(symbol, variation):
    instrument = INSTRUMENT.model_copy(update={"costs": variation.costs(INSTRUMENT.costs)})
    return trader(
        MemoryJournal(keep=False),
        PaperBroker(instrument, seed=variation.seed),
        policy=Follow(enter=variation.parameters.get("enter", 0.15)),
    )


@pytest.fixture(scope="module")
def path():
    return EventPath("live", {SYMBOL: TAPE}, made, FAIR)


@pytest.fixture(scope="module")
def own(path):
    return path(Variation())


def test_it_says_the_same_twice_and_adds_up(path, own):
    again = path(Variation())
    assert np.array_equal(own.equity, again.equity)
    book = LeaseBook(FAIR, [SYMBOL], first=True)
    plain = Record.of(run([TAPE], lambda symbol: made(symbol, Variation()), book), "live")
    assert np.array_equal(own.equity, plain.equity), "over stretches, and event by event"
    assert len(own.trips) > 20
    parts = attribution(own).total
    assert sum(value for _, value in parts.rows()) == pytest.approx(parts.pnl)
    assert parts.pnl == pytest.approx(own.equity[-1] - own.equity[0])
    assert parts.commission < 0.0 > parts.spread


def test_terms_and_parameters_reach_the_trader(path, own):
    dear = path(Variation(costs_factor=5.0))
    assert dear.equity[-1] < own.equity[-1]
    assert dear.trips.fees.sum() > 3.0 * own.trips.fees.sum()
    picky = path(Variation(parameters={"enter": 0.45}))
    assert len(picky.trips) < len(own.trips)
    ordinary = path(Variation(tapes={SYMBOL: TAPE}, widen={SYMBOL: np.ones(500)}))
    assert np.array_equal(ordinary.equity, own.equity)


def test_spreads_and_halts_reach_the_broker(path, own):
    widen = np.ones(500)
    widen[200:260] = np.inf
    halted = path(Variation(widen={SYMBOL: widen}))
    filled = halted.sleeves[SYMBOL].fills.times
    assert not ((filled >= TAPE.times[200]) & (filled <= TAPE.times[259])).any()
    before = own.sleeves[SYMBOL].fills.times < TAPE.times[200]
    assert np.array_equal(own.sleeves[SYMBOL].fills.times[before], filled[: before.sum()])
    wide = path(Variation(widen={SYMBOL: np.full(500, 5.0)}))
    assert wide.equity[-1] < own.equity[-1]
    paid, usual = (
        (one.trips.slippage / one.trips.units / one.trips.entry).mean() for one in (wide, own)
    )
    assert paid == pytest.approx(5.0 * usual, rel=0.05)


def test_a_widened_broker_is_a_paper_broker_otherwise():
    costs = Costs(half_spread=1e-3)
    instrument = INSTRUMENT.model_copy(update={"costs": costs})
    one = WidenedBroker(instrument, 0.0, 0, TAPE.times, np.full(500, 2.0))
    events = list(TAPE.events())
    for event in events[:3]:
        one.fills(event)
        assert one.widen == 2.0
    one.fills(Tick(SYMBOL, events[3].time + 1, 100.0))
    assert one.widen == 1.0, "an event nobody told of is ordinary"


def test_what_was_beside_a_market_that_was_not_is_not_known(path):
    beside = EventPath("live", path.tapes, made, FAIR, {SYMBOL: Beside(peer=TAPE)})
    with pytest.raises(DataError, match="which nobody knows of a market that was not"):
        beside(Variation(tapes={SYMBOL: TAPE}))


def test_all_of_it_fits_a_terminal(path, own):
    plan = Plan(
        samples=100, markets=2, costs=(1.0, 2.0), slippage=(1.0, 2.0), moments=1,
        parameters={"enter": (0.1, 0.2, 0.4)},
    )  # fmt: skip
    found = examine(
        own,
        np.random.default_rng(1),
        rerun=path,
        tapes=path.tapes,
        plan=plan,
        limits=Limits.of(FAIR),
    )
    assert found.missing == ()
    console = Console(width=80, record=True, file=None, quiet=False)
    with console.capture() as said:
        for table in tables(found):
            console.print(table)
    text = said.get()
    for word in ("drawn again", "worse terms", "flash crash", "overfitting", "timing", "slippage"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 80


def pregao(*arguments):
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(re.sub(r"\x1b\[[\d;]*m", "", result.output).split())


def test_the_command_says_what_is_wrong(tmp_path):
    config = tmp_path / "floor.yaml"
    config.write_text(f"folder: {tmp_path}\nsymbols: [{{symbol: R_75, interval: 2.0}}]\n")
    data = tmp_path / "data"
    data.mkdir()
    (data / "R_75.csv").write_text("time,price\n1700000000,100.0\n1700000002,100.1\n")
    code, said = pregao("stress", config, "--data", data, "--parameter", "follow")
    assert code == 2
    assert "'follow': write a name and values, follow=0.05,0.1,0.2" in said.replace("│ ", "")
    code, said = pregao("stress", config, "--data", data, "--parameter", "colour=1,2")
    assert code == 1
    assert "colour: no parameter 'colour'; those of a desk are follow, leverage" in said
    code, said = pregao("stress", config, "--data", data)
    assert code == 1
    assert "nothing learnt yet; run `pregao replay` first" in said


def test_a_desk_on_other_terms(tmp_path):
    spec = DeskSpec(
        instrument=INSTRUMENT, policy="follow", every=1, capital=1000.0, features=FEATURES,
        risk=RISK, model=tmp_path, trained_policy=tmp_path, journal="", source=tmp_path, seed=1,
    )  # fmt: skip
    assert varied(spec, Variation()) == spec
    other = varied(spec, Variation(costs_factor=2.0, parameters={"follow": 0.3, "leverage": 5.0}))
    assert other.instrument.costs.commission == 2.0 * INSTRUMENT.costs.commission
    assert (other.follow, other.instrument.leverage) == (0.3, 5.0)


def test_scenarios_befall_recorded_markets(data_folder):
    """Half a year of five-minute bars; each scenario leaves a tape that can be traded."""
    bars = recorded(
        data_folder / "binance_klines_5m" / "BTCUSDT_5m.parquet",
        Instrument(symbol="BTCUSDT", interval=300.0),
    ).tape.slice(20_000, 20_400)
    rerun = rerunner({"BTCUSDT": bars}, following)
    found = stress(rerun, {"BTCUSDT": bars}, np.random.default_rng(0), moments=1)
    assert len(found.ordeals) == len(SCENARIOS)
    assert len({one.pnl for one in found.ordeals}) > 5
    assert all(np.isfinite(one.pnl) for one in found.ordeals)
