"""One path: a tape through everything that can take it gives the same features, bit for bit, and
the same decisions, byte for byte. Never skipped."""

import csv
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from rich.console import Console

from actors import desks
from actors.config import FloorConfig, SymbolConfig
from actors.floor import opened
from actors.replay import backtest
from actors.supervisor import NAME as SUPERVISOR
from envs.planted import planted
from features.batch import compute
from features.engine import FeatureEngine
from market.clock import decision_rows
from market.events import SECOND, FeedGap
from market.store import TickStore
from models.drift import ColumnDriftConfig
from models.online import OnlineConfig, RecalibrationConfig
from policies.export import export
from policies.training import Training
from policies.world import MarketWorld
from risk.config import RiskConfig
from risk.lease import LeaseBook
from serve.config import ServeConfig
from serve.ensembles import Ensembles
from tests.floor_data import CAPITAL, COSTS, EVERY, FEATURES, START, desk, fit, ticks
from tests.floor_runs import decisions, entries, same, written
from tests.serve_floor import HeldSource, Server
from tests.toys import trade
from trading.backtest import run
from trading.digest import digest
from trading.journal import MemoryJournal, SqlJournal
from trading.recovery import Start
from venues.files import FileFeed

# Shares that add up to more than the limit: what one symbol is granted depends on what the others
# hold at that moment, so that symbols out of step decide otherwise.
RISK = RiskConfig(max_notional=2_500.0, symbol_share=0.7, lease_seconds=20.0)
POLICIES = {"R_75": "follow", "CRASH500": "probe", "R_100": "ppo"}
LEARNS = "R_75"
"""Whose model learns while it trades, and tells of drift."""
EVENTS = 1_800


@pytest.fixture(scope="module")
def tapes():
    """Three recordings that overlap only in parts; one has a hole, one ticks twice as fast."""
    return {
        "R_75": ticks("R_75", EVENTS, seed=1, hole=600),
        "CRASH500": ticks("CRASH500", EVENTS, START + 1_500, interval=1, seed=2),
        "R_100": ticks("R_100", EVENTS, START + 2_001, seed=3),
    }


@pytest.fixture(scope="module")
def files(tapes, tmp_path_factory):
    """Two of them in a tick store, one in the venue's CSV."""
    folder = tmp_path_factory.mktemp("recordings")
    for symbol in ("R_75", "R_100"):
        TickStore(folder / "ticks").append(tapes[symbol])
    path = folder / "CRASH500.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "unix_time", "instrument", "price"])
        for moment, price in zip(tapes["CRASH500"].times, tapes["CRASH500"].close, strict=True):
            rows.writerow(["", int(moment) // SECOND, "CRASH500", repr(float(price))])
    return {"R_75": folder / "ticks", "CRASH500": path, "R_100": folder / "ticks"}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return fit(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def models(model, tmp_path_factory):
    """The same model for everyone, but that one of them learns on."""
    # Slowly: who learns that nothing can be foretold stands still, and holds what others wait for.
    slow = RecalibrationConfig(temperature=0.1, bias=0.02)
    settings = {
        "online": OnlineConfig(recalibration=slow),
        "column_drift": ColumnDriftConfig(window=80, every=20),
    }
    return dict.fromkeys(POLICIES, model) | {
        LEARNS: fit(tmp_path_factory.mktemp("learner"), **settings)
    }


@pytest.fixture(scope="module")
def policy(ray_cluster, tmp_path_factory):
    """A network that PPO has begun to train."""
    from policies.rllib import train

    folder = tmp_path_factory.mktemp("policy")
    settings = Training(steps=20_480, envs=64, fragment=64, minibatch=1_024, hidden=(16,))
    tape = planted(2_000, 0.6, 0.9, 0.2, np.random.default_rng(0))
    result = train(MarketWorld((tape,)), settings, 1, folder, lambda told: None)
    export(result.module, folder / "policy.onnx", "ppo")
    return folder / "policy.onnx"


@pytest.fixture(scope="module")
def floor_for(files, models, policy, tmp_path_factory):
    """Write learnt desks down; return the settings, and the desks as they are read again."""

    def made(name):
        config = FloorConfig(
            symbols=tuple(
                SymbolConfig(
                    symbol=symbol,
                    interval=1.0 if symbol == "CRASH500" else 2.0,
                    leverage=2.0,
                    costs=COSTS,
                    policy=policy_name,
                    every=EVERY,
                    follow=0.01,
                )
                for symbol, policy_name in POLICIES.items()
            ),
            folder=tmp_path_factory.mktemp(name),
            capital=CAPITAL,
            features=FEATURES,
            risk=RISK,
            journal_flush=40,
        )
        written_down = [
            desk(symbol, models[symbol], files[symbol], "", RISK, trained_policy=policy)
            for symbol in POLICIES
        ]
        desks.save(config, files, written_down)
        return config, desks.load(config, files)

    return made


@pytest.fixture(scope="module")
def reference(floor_for, files):
    """The backtest: its fingerprint, and what it decided, ordered and filled."""
    config, specs = floor_for("backtest")
    result, mark = backtest(config, files, Console(quiet=True))
    journals = {one.symbol: MemoryJournal() for one in specs}
    made = {one.symbol: one.trader(journals[one.symbol]) for one in specs}
    again = run(
        [FileFeed(files[symbol], symbol).tape for symbol in POLICIES],
        made.__getitem__,
        LeaseBook(RISK, POLICIES, first=True),
    )
    assert digest(journals.items()) == mark
    for symbol in POLICIES:
        assert again.sleeves[symbol].decisions == result.sleeves[symbol].decisions
        # Something happens: a run that never trades is equal to anything.
        assert result.summary()[symbol]["orders"] > 10, symbol
    # And it happens together: alone, a symbol would have been granted more.
    alone = run(
        [FileFeed(files["R_75"], "R_75").tape],
        lambda _: specs[0].trader(MemoryJournal(keep=False)),
        LeaseBook(RISK, POLICIES, first=True),
    )
    assert alone.sleeves["R_75"].decisions != again.sleeves["R_75"].decisions
    # What is learnt counts, and there is drift to tell of.
    learnt = made[LEARNS].status().learnt
    assert learnt.settled > 600
    assert journals[LEARNS].count(LEARNS, "drift") == learnt.alarms > 0
    return mark, {symbol: entries(journals[symbol], symbol) for symbol in POLICIES}


def play(config, specs, interfere=lambda floor: None):
    """Run the actors over the recordings; return their last state."""
    with opened(config, specs, "replay") as floor:
        interfere(floor)
        deadline = time.monotonic() + 200.0
        while not floor.finished():
            assert time.monotonic() < deadline, floor.state()
            time.sleep(0.05)
        return floor.state()


def fingerprint(specs):
    journals = [(one.symbol, SqlJournal.open(one.journal)) for one in specs]
    try:
        return digest(journals)
    finally:
        for _, journal in journals:
            journal.close()


@pytest.fixture(scope="module")
def replayed(floor_for):
    """The actors' replay: desks, and the floor's last state."""
    config, specs = floor_for("replay")
    return specs, play(config, specs)


@pytest.mark.parametrize("symbol", POLICIES)
def test_features_are_the_same_in_batch_streaming_and_after_restarts(tapes, files, symbol):
    tape, rows = tapes[symbol], 0
    batch = compute(FEATURES, tape)
    half = EVENTS // 2
    restarts = {*range(5, EVENTS, 97), half - 1, half}
    engine = FeatureEngine(FEATURES)
    for event in FileFeed(files[symbol], symbol).tape.events():
        engine.update(event)
        if isinstance(event, FeedGap):
            continue
        assert event.time == tape.times[rows]
        assert engine.values.tobytes() == batch[rows].tobytes(), f"row {rows}"
        if rows in restarts:
            memory, engine = engine.snapshot(), FeatureEngine(FEATURES)
            engine.restore(memory)
        rows += 1
    assert rows == EVENTS


class Crash(Exception):
    """The process is gone: what is not in the journal is lost."""


@pytest.mark.parametrize("symbol", POLICIES)
@pytest.mark.parametrize("flush_every", [1, 40])
def test_decisions_are_the_same_after_restarts(floor_for, symbol, flush_every):
    _, specs = floor_for("restarts")
    spec = replace(next(one for one in specs if one.symbol == symbol), flush_every=flush_every)
    tape = spec.feed().tape
    journal = MemoryJournal()
    run([tape], lambda _: spec.trader(journal), LeaseBook(RISK, POLICIES, first=True))

    Path(spec.journal.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    book = LeaseBook(RISK, POLICIES, first=True)  # the supervisor's: it lives on
    half = EVENTS // 2
    ends = {int(tape.times[row]) for row in (3, 200, half - 1, half, half + 1, half + 8, 1_500)}

    def crash(event):
        if event.time in ends and not isinstance(event, FeedGap):
            ends.remove(event.time)
            raise Crash

    restarts = -1
    while True:
        opened_again = spec.open()
        restarts += 1
        assert opened_again.restarts == restarts
        try:
            trade(opened_again.trader, tape.events(), book, opened_again.after, crash)
            break
        except Crash:
            pass
        finally:
            opened_again.trader.journal.close()
    assert restarts == 7
    found, state = written(spec)
    same(found, entries(journal, symbol), f"{symbol} restarted {restarts} times")
    assert state.counters.events == EVENTS


def test_actors_decide_what_the_backtest_decides(reference, replayed):
    mark, expected = reference
    specs, state = replayed
    for spec in specs:
        found, _ = written(spec)
        same(found, expected[spec.symbol], f"actor of {spec.symbol}")
    assert fingerprint(specs) == mark
    assert [one.restarts for one in state.symbols] == [0, 0, 0]
    assert [one.events for one in state.symbols] == [EVENTS] * 3


def test_actors_see_the_features_of_the_batch(tapes, replayed):
    specs, state = replayed
    for spec, shown in zip(specs, state.symbols, strict=True):
        tape = tapes[spec.symbol]
        batch = compute(FEATURES, tape)
        _, left = written(spec)
        engine = FeatureEngine(FEATURES)
        engine.restore(left.features)
        assert engine.values.tobytes() == batch[-1].tobytes()
        last = decision_rows(tape.fresh, EVERY)[-len(shown.window) :]
        assert np.array_equal(np.array(shown.window, np.float32), batch[last].astype(np.float32))


@pytest.mark.timeout(300)
def test_killed_actors_decide_what_the_backtest_decides(reference, floor_for):
    mark, expected = reference
    config, specs = floor_for("killed")

    def kill_each(floor):
        for number, symbol in enumerate(POLICIES):
            while True:
                shown = {one.symbol: one for one in floor.state().symbols}[symbol]
                if shown.events > 200 * (number + 1):
                    break
                time.sleep(0.002)
            os.kill(shown.pid, signal.SIGKILL)

    state = play(config, specs, kill_each)
    for spec, shown in zip(specs, state.symbols, strict=True):
        journal = SqlJournal.open(spec.journal)
        starts = [
            msgspec.json.decode(one.payload, type=Start)
            for one in journal.entries(spec.symbol)
            if one.kind == "start"
        ]
        journal.close()
        tape = spec.feed().tape
        assert len(starts) == 2, "killed too late to be in the middle"
        assert tape.times[0] < starts[1].after < tape.times[-1]
        assert (shown.restarts, shown.events) == (1, EVENTS)
        found, _ = written(spec)
        same(found, expected[spec.symbol], f"killed actor of {spec.symbol}")
    assert fingerprint(specs) == mark


@pytest.mark.timeout(300)
def test_a_killed_supervisor_holds_nobody_up(ray_cluster, reference, floor_for):
    _, expected = reference
    config, specs = floor_for("supervisor")

    def kill_once_one_has_ended(floor):
        supervisor = ray_cluster.get_actor(SUPERVISOR)
        pid = ray_cluster.get(supervisor.pid.remote(), timeout=20)
        while True:
            seen = {one.symbol: one.events for one in floor.state().symbols}
            if seen["CRASH500"] == EVENTS:
                break
            time.sleep(0.002)
        os.kill(pid, signal.SIGKILL)
        assert min(seen.values()) < EVENTS

    # The new one takes everybody to be running who isn't, and to hold what may not be held: it
    # grants less than the old one would have, and so the run goes on, otherwise.
    state = play(config, specs, kill_once_one_has_ended)
    assert [(one.events, one.restarts) for one in state.symbols] == [(EVENTS, 0)] * 3
    found = dict(zip(POLICIES, (written(spec)[0] for spec in specs), strict=True))
    same(found["CRASH500"], expected["CRASH500"], "CRASH500, which had ended")
    assert len(found["R_100"]) > 100


def unlearnt(spec, model):
    """Return what would be decided if nothing were learnt."""
    plain = replace(spec, model=model).trader(MemoryJournal(keep=False))
    book = LeaseBook(RISK, POLICIES, first=True)
    return run([spec.feed().tape], lambda _: plain, book).sleeves[spec.symbol].decisions


def test_http_predicts_what_was_decided_on(tapes, files, model, models, reference, replayed):
    """Of rows it says what the fitted ensemble says; what was learnt since is in the live one."""
    _, expected = reference
    specs, state = replayed
    fitted_says = {one.symbol: unlearnt(one, model) for one in specs if one.symbol == LEARNS}
    schema = FeatureEngine(FEATURES).schema
    ensembles = Ensembles.load(models, dict.fromkeys(POLICIES, schema))
    with Server(HeldSource(state), ensembles, ServeConfig(poll_seconds=0.02)) as server:
        for symbol in POLICIES:
            tape = tapes[symbol]
            batch = compute(FEATURES, tape)
            made = decisions(expected[symbol])
            rows = decision_rows(tape.fresh, EVERY)
            index = {int(moment): i for i, moment in enumerate(tape.times[rows])}
            length = len(state.symbols[0].window)
            asked = fitted_says.get(symbol, made)
            assert [one.time for one in asked] == [one.time for one in made]
            same_words = [
                a.probabilities == b.probabilities for a, b in zip(asked, made, strict=True)
            ]
            assert all(same_words) if symbol != LEARNS else not any(same_words[100:])
            for decision in (*asked[::40], asked[-1]):
                last = index[decision.time]
                window = batch[rows[last - length + 1 : last + 1]].astype(np.float32)
                body = {"symbol": symbol, "features": window.tolist()}
                status, _, said = server.call("POST", "/v1/predict", body)
                assert status == 200, said
                assert tuple(said["probabilities"].values()) == decision.probabilities
                assert said["disagreement"] == decision.disagreement
            _, _, live = server.call("POST", "/v1/predict", {"symbol": symbol})
            assert (live["source"], live["time"]) == ("live", made[-1].time)
            assert tuple(live["probabilities"].values()) == made[-1].probabilities
