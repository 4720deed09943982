"""The kernel path trades the reference task trade for trade."""

import numpy as np
import pytest

from envs.spec import PolicySpec
from market.errors import DataError
from market.execution import Costs
from tests import reference_scalper as scalper
from trading.backtest.script import Reel, Script, play, sweep
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


def test_many_parameter_sets_are_traded_over_one_reel(task):
    tape, signal = task[0].slice(0, 5000), scalper.signal_ahead(task[1][:5000])
    reel, one = Reel(tape), scalper.INSTRUMENT
    scripts = []
    for loss in (3e-4, 6e-4):
        action = scalper.SPEC.action.model_copy(update={"losses": (loss,)})
        spec = PolicySpec(action=action, max_hold=scalper.SPEC.max_hold)
        scripts.append(Script.of_signal(tape, signal, spec))
    runs = list(sweep(reel, [(one, script) for script in scripts], 1000.0))
    for run, script in zip(runs, scripts, strict=True):
        alone = play(tape, one, script, 1000.0)
        assert run.equity.tolist() == alone.equity.tolist()
    stops = [int(np.sum(run.trips.reason == REASONS.index("stop"))) for run in runs]
    assert stops[0] > stops[1] > 0


def test_wide_spreads_cost_and_a_halt_fills_nothing(task):
    tape, signal = task[0].slice(0, 3000), scalper.signal_ahead(task[1][:3000])
    instrument = scalper.INSTRUMENT.model_copy(update={"costs": Costs(half_spread=1e-5)})
    script = Script.of_signal(tape, signal, scalper.SPEC)
    plain = play(tape, instrument, script, 1000.0)
    wide = play(Reel(tape, np.full(3000, 5.0)), instrument, script, 1000.0)
    assert wide.trips.slippage[0] == pytest.approx(5.0 * plain.trips.slippage[0], rel=1e-3)
    halted = play(Reel(tape, np.full(3000, np.inf)), instrument, script, 1000.0)
    assert len(plain.trips) > 5
    assert len(halted.trips) == 0
    assert halted.equity.tolist() == [1000.0] * len(halted.equity)


def test_a_script_of_another_tape_is_refused(task):
    tape = task[0].slice(0, 100)
    script = Script.of_signal(tape, np.zeros(100, int), scalper.SPEC)
    with pytest.raises(DataError, match="the script's last decision is on event 99"):
        play(tape.slice(0, 50), scalper.INSTRUMENT, script, 1000.0)
    with pytest.raises(ValueError, match="capital must be positive"):
        play(tape, scalper.INSTRUMENT, script, 0.0)
    with pytest.raises(DataError, match="actions must be 0 to 3"):
        Script(scalper.SPEC, np.array([1]), np.array([4]), np.array([1.0]))
    with pytest.raises(DataError, match="rows must increase"):
        Script(scalper.SPEC, np.array([1, 1]), np.array([0, 0]), np.ones(2))
    with pytest.raises(DataError, match="one number an event"):
        Reel(tape, np.ones(3))
