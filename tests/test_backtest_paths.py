"""Event path and kernel path are one: fill for fill, on ticks and bars, whatever it costs."""

import numpy as np
import pytest

from envs.spec import BracketActions, PolicySpec
from market.execution import Costs, Funding, Impact, Latency, Margin
from risk.config import BreakerConfig, RiskConfig
from risk.lease import LeaseBook
from tests import reference_scalper as scalper
from tests import toys
from trading.backtest.events import run
from trading.backtest.replay import replay
from trading.backtest.script import Script, play
from trading.foretold import Foretold
from trading.journal import MemoryJournal
from trading.paper import PaperBroker
from trading.record import Record
from trading.trader import Trader

LOOSE = BreakerConfig(daily_loss=0.99, drawdown=0.99)
COSTS = {
    "plain": Costs(commission=1e-4, half_spread=2e-5, per_unit=1e-3),
    "slow": Costs(half_spread=1e-4, latency=Latency(seconds=5.0, sigma=0.7)),
    "parts": Costs(
        commission=1e-4, participation=0.2, impact=Impact(volatility=0.02, volume=1e5)
    ),
    "future": Costs(
        commission=2e-4, maker=5e-5,
        funding=Funding(rate=1e-4, interval_seconds=30.0), margin=Margin(stop_out=0.005),
    ),
}  # fmt: skip
SPECS = {
    "exposure": PolicySpec(max_hold=15),
    "bracket": PolicySpec(
        action=BracketActions(sizes=(1.0,), losses=(3.0,), profits=(4.0,)),
        max_hold=12, trades_per_hour=90,
    ),
    "price": PolicySpec(
        action=BracketActions(sizes=(0.7,), losses=(6e-4,), profits=(0.0,), unit="price")
    ),
}  # fmt: skip


class Sure:
    """Does what the forecast says, whatever is held."""

    name, version = "sure", "1"

    def __init__(self, spec):
        self.spec = spec
        exposure = spec.table[:, 1]
        self._answers = int(np.argmin(exposure)), 0, int(np.argmax(exposure))

    def act(self, seen):
        return self._answers[int(np.sign(seen[0])) + 1]


def event_path(tape, costs, spec, foretold, room, fast):
    instrument = toys.INSTRUMENT.model_copy(update={"costs": costs})
    engine = toys.FeatureEngine(toys.FEATURES)
    trader = Trader(
        instrument, engine, foretold, Sure(spec), PaperBroker(instrument, toys.CAPITAL),
        MemoryJournal(keep=False), 1, toys.CAPITAL,
    )  # fmt: skip
    risk = RiskConfig(max_notional=room, lease_seconds=20.0, symbol=LOOSE, portfolio=LOOSE)
    book = LeaseBook(risk, [toys.SYMBOL], first=True)
    if fast:
        return instrument, replay([tape], lambda _: trader, book, "fast")[0]
    return instrument, Record.of(run([tape], lambda _: trader, book), "event by event")


def fills(one):
    log = one.fills
    columns = log.times, log.units, log.price, log.fee, log.held, log.mid, log.reason
    return [column.tolist() for column in columns]


@pytest.mark.parametrize("costs", sorted(COSTS))
@pytest.mark.parametrize("spec", sorted(SPECS))
@pytest.mark.parametrize("bars", [False, True], ids=["ticks", "bars"])
def test_the_paths_agree_to_the_last_bit(costs, spec, bars):
    tape = toys.tape(700, seed=5)
    tape = toys.as_bars(tape) if bars else tape
    rng = np.random.default_rng(8)
    signal = np.where(rng.random(700) < 0.3, np.sign(rng.normal(size=700)), 0).astype(int)
    foretold = Foretold.of_signal(tape.times, signal)
    room = 1500.0 if costs == "plain" else 1e9
    told = COSTS[costs], SPECS[spec], foretold, room
    instrument, slow = event_path(tape, *told, fast=False)
    _, fast = event_path(tape, *told, fast=True)
    one, two = slow.sleeves[toys.SYMBOL], fast.sleeves[toys.SYMBOL]
    rows = np.searchsorted(tape.times, one.times[:-1])
    whole = Script.of_signal(tape, signal, SPECS[spec])
    script = Script(SPECS[spec], rows, whole.actions[rows], one.volatility)
    three = play(tape, instrument, script, toys.CAPITAL, room)
    assert len(one.trips) > 5
    assert fills(one) == fills(two) == fills(three)
    for name in ("times", "price", "equity", "units", "exposure"):
        columns = [getattr(each, name).tolist() for each in (one, two, three)]
        assert columns[0] == columns[1] == columns[2], name
    for name, column in one.trips.table().items():
        assert column.tolist() == two.trips.table()[name].tolist(), name
        if name != "regime":
            assert column.tolist() == three.trips.table()[name].tolist(), name


def test_the_live_trader_trades_the_reference_task_trade_for_trade():
    tape, signal = scalper.with_lead(*scalper.market(300_000))
    book = LeaseBook(scalper.RISK, [scalper.SYMBOL], first=True)
    record, result = replay([tape], lambda _: scalper.live(tape, signal), book, "scalper")
    trips = record.sleeves[scalper.SYMBOL].trips
    trades = scalper.trade(tape.close, signal)
    entry, exit_, side, made = (np.array(column) for column in zip(*trades, strict=True))
    done = slice(0, len(trades))
    assert len(trades) == 1230
    assert len(trips) - len(trades) in (0, 1), "the last may be open"
    assert np.array_equal(trips.opened[done], tape.times[entry])
    assert np.array_equal(trips.closed[done], tape.times[exit_])
    assert np.array_equal(trips.side[done], side)
    assert np.abs((trips.pnl / (trips.units * trips.entry))[done] - made).max() < 1e-12
    script = Script.of_signal(tape, scalper.signal_ahead(signal), scalper.SPEC)
    kernel = play(tape, scalper.INSTRUMENT, script, 1000.0)
    assert fills(kernel) == fills(record.sleeves[scalper.SYMBOL])
    assert result.sleeves[scalper.SYMBOL].trader.status().counters.events == len(tape)


def test_several_symbols_share_the_book_in_both_event_paths():
    names = ("R_100", "R_75")
    tapes = [toys.tape(200, seed, name) for seed, name in enumerate(names)]

    def traders(name):
        return toys.trader(MemoryJournal(keep=False), symbol=name)

    risk = RiskConfig(max_notional=1500.0, symbol_share=0.8, lease_seconds=20.0)
    slow = Record.of(run(tapes, traders, LeaseBook(risk, names, first=True)), "slow")
    seen = []
    fast, _ = replay(tapes, traders, LeaseBook(risk, names, first=True), "fast", told=seen.append)
    assert seen[-1] == 400
    for name in names:
        one, two = slow.sleeves[name], fast.sleeves[name]
        assert fills(one) == fills(two)
        assert one.probabilities.tolist() == two.probabilities.tolist()
        assert one.equity.tolist() == two.equity.tolist()
        assert len(one.trips) > 10
