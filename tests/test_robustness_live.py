"""The live trader under stress: the same Trader, other markets, other terms."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console

from market.beside import Beside
from market.errors import DataError
from market.events import Tick
from market.execution import Costs
from policies.baselines import Follow
from tests.toys import INSTRUMENT, RISK, SYMBOL, tape, trader
from trading.journal import MemoryJournal
from trading.paper import PaperBroker
from trading.robustness.attribution import attribution
from trading.robustness.eventpath import EventPath, WidenedBroker
from trading.robustness.limits import Limits
from trading.robustness.tables import tables
from trading.robustness.variation import Variation
from trading.robustness.whole import Plan, examine

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
