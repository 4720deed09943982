"""Policies that remember: kept over crashes, forgotten at gaps, and as in training."""

from itertools import count

import gymnasium as gym
import msgspec
import numpy as np
import pytest
import torch

from envs.market import EnvConfig, MarketVectorEnv
from envs.spec import PolicySpec
from envs.tape import DecisionTape
from features.dataset import build
from features.labels import LabelConfig
from market.errors import DataError, StateError
from policies.evaluate import evaluate
from policies.export import export
from policies.exported import OnnxPolicy
from policies.rllib.module import PolicyModule
from risk.lease import LeaseBook
from tests import floor_data, toys
from tests import test_stretch as stretches
from tests.test_crashes import Crash, Fuse, fused
from tests.test_env_equals_trader import forecast
from trading import recovery
from trading.foretold import Foretold
from trading.journal import MemoryJournal, SqlJournal


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return exported policies with a memory, not trained: what they saw decides."""
    found = {}
    for seed, kind in enumerate(("gru", "lstm"), start=3):
        folder = tmp_path_factory.mktemp(kind)
        torch.manual_seed(seed)
        spec = PolicySpec()
        module = PolicyModule(
            observation_space=gym.spaces.Box(-9, 9, (spec.size,), np.float32),
            action_space=gym.spaces.Discrete(len(spec.table)),
            model_config={"design": {"hidden": (8, 4), "spec": spec, "network": kind}},
        )
        torch.nn.init.normal_(module.network.actor[-1].weight)
        module.save_to_path(str(folder / "module"))
        export(folder / "module", folder / "policy.onnx", kind)
        found[kind] = folder / "policy.onnx"
    return found


class Forgetful(OnnxPolicy):
    """The same, but that nothing stays with it."""

    def snapshot(self):
        return bytes(4 * self.memory)


def actions(policy, tape, every=1):
    trader = toys.leased(policy=policy, every=every)
    return [(one.time, one.action) for one in toys.run(trader, tape.events())]


def test_what_is_remembered_decides(files):
    tape = toys.tape(200)
    for file in files.values():
        with_it = actions(OnnxPolicy.load(file), tape)
        without = actions(Forgetful.load(file), tape)
        assert len(with_it) > 120
        assert sum(a != b for a, b in zip(with_it, without, strict=True)) > 10


def test_a_crash_at_any_point_changes_no_decision(files, tmp_path):
    tape = toys.tape(36)

    def life(path, fuse):
        journal = SqlJournal.open(f"sqlite:///{path}")
        journal._connection.connection.cursor().execute("PRAGMA synchronous=OFF")
        try:
            fused(journal, fuse, "commit")
            trader = toys.trader(journal, policy=OnnxPolicy.load(files["gru"]))
            made = recovery.start(trader)
            toys.trade(trader, tape.events(), LeaseBook(toys.RISK, [toys.SYMBOL]), made.after)
            return toys.log(journal), msgspec.msgpack.decode(trader.snapshot())["memory"]
        finally:
            journal.close()

    expected = life(tmp_path / "whole.db", Fuse(-1))
    assert sum(entry.kind == "order" for entry in expected[0]) >= 2
    assert len(expected[1]) == 16
    for at in count(1):
        path, crashed = tmp_path / f"{at}.db", False
        try:
            outcome = life(path, Fuse(at))
        except Crash:
            crashed, outcome = True, life(path, Fuse(-1))
        assert outcome == expected, f"crash point {at}"
        if not crashed:
            break
    assert at > 40


def test_a_restart_at_every_event_goes_on_from_the_state(files):
    """The state alone, without the journal's help: whole, it is the same afterwards."""
    events, policy = list(toys.tape(60).events()), OnnxPolicy.load(files["lstm"])
    whole, kept = toys.leased(policy=policy), []
    for event in events:
        kept.append((whole.snapshot(), whole.broker))
        whole.on_event(event, event.time)
    expected = whole.snapshot()
    for at in range(len(events)):
        part = toys.leased(policy=OnnxPolicy.load(files["lstm"]))
        part.restore(kept[at][0])
        toys.run(part, events[at:])
        assert part.snapshot() == expected, at


@pytest.mark.parametrize("kind", ["gru", "lstm"])
@pytest.mark.parametrize("every", [1, 3])
def test_the_simulator_and_the_trader_answer_alike(files, kind, every):
    tape = toys.tape(700, seed=5)
    dataset = build(tape, toys.FEATURES, LabelConfig(), every)
    decisions = DecisionTape.of(dataset, *forecast(dataset), toys.INSTRUMENT, tape=tape)
    assert decisions.fresh.sum() == 2, "the first one, and the one behind the hole"
    config = EnvConfig(capital=toys.CAPITAL, ruin=1e-6)
    trader = toys.trader(MemoryJournal(), every=every, policy=OnnxPolicy.load(files[kind]))
    trader.take(toys.lease(1e12))
    made = [one for one in toys.run(trader, tape.events()) if one.time <= decisions.times[-1]]
    assert [one.time for one in made] == decisions.times.tolist()

    played = evaluate(OnnxPolicy.load(files[kind]), decisions, config)
    assert played.actions.tolist() == [one.action for one in made[:-1]]
    assert played.equity.tolist() == [one.equity for one in made]
    assert len(set(played.actions.tolist())) > 2

    # In training too: lanes are told of the hole, wherever their episodes begin.
    env = MarketVectorEnv([decisions], 1, config)
    env.reset(options={"start": 5})
    torn = [env.torn[0]]
    for _ in range(len(decisions) - 6):
        env.step(np.zeros(1, np.int64))
        torn.append(env.torn[0])
    assert torn == decisions.fresh[5:].tolist()


def test_a_hole_is_forgotten_by_both(files):
    """So that the test before could fail: with no hole told, the simulator answers otherwise."""
    tape = toys.tape(700, seed=5)
    dataset = build(tape, toys.FEATURES, LabelConfig(), 1)
    decisions = DecisionTape.of(dataset, *forecast(dataset), toys.INSTRUMENT, tape=tape)
    whole = DecisionTape(
        toys.INSTRUMENT, decisions.times, decisions.rows,
        events=decisions.events, at=decisions.at,
    )  # fmt: skip
    config = EnvConfig(capital=toys.CAPITAL, ruin=1e-6)
    apart = [evaluate(OnnxPolicy.load(files["lstm"]), one, config) for one in (decisions, whole)]
    hole = int(np.flatnonzero(decisions.fresh)[1])
    assert (apart[0].actions[:hole] == apart[1].actions[:hole]).all()
    assert (apart[0].actions[hole:] != apart[1].actions[hole:]).any()


def test_parts_of_a_tape_know_their_holes():
    tape = toys.tape(300)
    dataset = build(tape, toys.FEATURES, LabelConfig(), 1)
    decisions = DecisionTape.of(dataset, *forecast(dataset), toys.INSTRUMENT, tape=tape)
    hole = int(np.flatnonzero(decisions.fresh)[1])
    assert np.flatnonzero(decisions.slice(10, len(decisions)).fresh).tolist() == [hole - 10]
    rows = np.arange(0, len(decisions), 7)
    taken = decisions.take(rows).fresh
    assert np.flatnonzero(taken).tolist() == [0, -(-hole // 7)]
    with pytest.raises(DataError, match="fresh must be one flag a decision"):
        DecisionTape(toys.INSTRUMENT, decisions.times, decisions.rows, fresh=taken)


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("costs", ["plain", "future"])
def test_whole_stretches_leave_the_very_same_state(files, every, costs):
    tape = toys.tape(400, seed=8)
    leases = {int(tape.times[0]): toys.lease()}
    one, two = (
        stretches.trader(costs, OnnxPolicy.load(files["gru"]), every) for _ in range(2)
    )  # fmt: skip
    made = stretches.by_events(one, tape, leases)
    parts = stretches.by_stretches(two, tape, leases, [57, 58, 311])
    assert stretches.state(one) == stretches.state(two)
    found = np.concatenate([part.action for part in parts])
    assert found.tolist() == [decision.action for decision in made]
    assert one.status().counters.orders > 10


def test_traders_may_share_a_policy(files):
    shared, tapes = OnnxPolicy.load(files["gru"]), [toys.tape(80, seed) for seed in (1, 2)]
    alone = [actions(OnnxPolicy.load(files["gru"]), tape) for tape in tapes]
    traders = [toys.leased(policy=shared) for _ in tapes]
    made = [[], []]
    for events in zip(*(tape.events() for tape in tapes), strict=True):
        for trader, event, found in zip(traders, events, made, strict=True):
            decision = trader.on_event(event, event.time)
            if decision is not None:
                found.append((decision.time, decision.action))
    assert made == alone


def memory_of(trader):
    return msgspec.msgpack.decode(trader.snapshot())["memory"]


def test_what_cannot_be_remembered_is_forgotten_or_refused(files):
    whole = toys.leased(policy=OnnxPolicy.load(files["gru"]))
    toys.run(whole, toys.tape(30, gap=False).events())
    blob = whole.snapshot()
    assert len(memory_of(whole)) == 16

    other = toys.leased(policy=OnnxPolicy.load(files["lstm"]))
    other.restore(blob)
    assert memory_of(other) == b"", "another policy's memory means nothing to it"
    plain = toys.leased()
    plain.restore(blob)
    assert memory_of(plain) == b""
    whole.restore_account(blob)
    assert memory_of(whole) == b"", "started cold"

    fresh = toys.leased(policy=OnnxPolicy.load(files["gru"]))
    before, damaged = fresh.snapshot(), msgspec.msgpack.decode(blob)
    damaged["memory"] = damaged["memory"][:-3]
    with pytest.raises(StateError, match="a memory of 16 bytes was expected, there are 13"):
        fresh.restore(msgspec.msgpack.encode(damaged))
    assert fresh.snapshot() == before


def test_a_state_written_before_policies_could_remember_is_read(files):
    plain = toys.leased()
    toys.run(plain, toys.tape(30, gap=False).events())
    state = msgspec.msgpack.decode(plain.snapshot())
    del state["memory"]
    again = toys.leased()
    again.restore(msgspec.msgpack.encode(state))
    assert again.snapshot() == plain.snapshot()


def test_a_desk_takes_a_policy_with_a_memory(files, tmp_path):
    tape = toys.tape(40)
    desk = floor_data.desk(
        toys.SYMBOL, tmp_path, tmp_path, "sqlite://", toys.RISK,
        policy="ppo", trained_policy=files["lstm"], features=toys.FEATURES,
    )  # fmt: skip
    signal = np.sign(np.random.default_rng(3).normal(size=40))
    trader = desk.trader(MemoryJournal(), Foretold.of_signal(tape.times, signal))
    assert toys.run(trader, tape.slice(0, 19).events())
    assert len(memory_of(trader)) == 32
