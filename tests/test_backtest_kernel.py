"""The kernel path trades the reference task trade for trade."""

import numpy as np
import pytest

from tests import reference_scalper as scalper
from trading.backtest.script import Script, play
from trading.record import REASONS, Record


@pytest.fixture(scope="module")
def task():
    tape, signal = scalper.market()
    return tape, signal, scalper.trade(tape.close, signal)


@pytest.fixture(scope="module")
def played(task):
    tape, signal, _ = task
    script = Script.of_signal(tape, scalper.signal_ahead(signal), scalper.SPEC)
    return play(tape, scalper.INSTRUMENT, script, 1000.0)


def test_the_reference_loop_gives_the_published_figures(task):
    trades = task[2]
    assert len(trades) == scalper.TRADES
    assert sum(one[3] for one in trades) == pytest.approx(scalper.PNL, abs=5e-6)
    assert sum(one[1] < 300_000 for one in trades) == 1230


def test_the_kernel_path_equals_it_trade_for_trade(task, played):
    tape, _, trades = task
    entry, exit_, side, made = (np.array(column) for column in zip(*trades, strict=True))
    trips = played.trips
    assert len(trips) == scalper.TRADES
    assert np.array_equal(trips.opened, tape.times[entry])
    assert np.array_equal(trips.closed, tape.times[exit_])
    assert np.array_equal(trips.side, side)
    assert np.array_equal(trips.entry, tape.close[entry])
    assert np.array_equal(trips.exit, tape.close[exit_])
    found = trips.pnl / (trips.units * trips.entry)
    assert np.abs(found - made).max() < 1e-12
    assert found.sum() == pytest.approx(scalper.PNL, abs=5e-6)
    reasons = {name: int(np.sum(trips.reason == i)) for i, name in enumerate(REASONS)}
    assert reasons["target"] + reasons["stop"] + reasons["hold"] == scalper.TRADES
    assert min(reasons["target"], reasons["stop"], reasons["hold"]) > 900


def test_its_record_adds_up(played):
    trips = played.trips
    assert trips.pnl.sum() == pytest.approx(played.equity[-1] - 1000.0, abs=1e-8)
    assert trips.fees.sum() == pytest.approx(-trips.pnl.sum() + trips.gross.sum(), abs=1e-8)
    assert played.equity[0] * np.prod(1.0 + played.returns) == pytest.approx(played.equity[-1])
    assert len(played) == scalper.TICKS
    assert Record("scalper", {played.symbol: played}).figures()["trades"] == scalper.TRADES
