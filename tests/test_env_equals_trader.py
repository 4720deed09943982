"""One path: the simulator and the trader see, pay and earn the same, to the last bit."""

import numpy as np
import pytest

from envs.action import ACTIONS
from envs.market import EnvConfig, MarketVectorEnv
from envs.spec import BracketActions, ExposureActions, FeatureUse, PolicySpec
from envs.tape import DecisionTape
from features.dataset import build
from features.labels import LabelConfig
from policies.baselines import Follow
from risk.lease import Lease
from tests import toys
from trading.journal import MemoryJournal

ENDLESS = 1 << 62


class Dice:
    """Any action at any time: nothing about costs or sizes stays untried."""

    name, version, spec = "dice", "1", PolicySpec()

    def __init__(self, seed):
        self._rng = np.random.default_rng(seed)

    def act(self, observation):
        return int(self._rng.integers(len(ACTIONS)))


def forecast(dataset):
    """Return what the toy ensemble says of every decision, and of its window alone."""
    ensemble = toys.Reverting(dataset.names)
    proba, apart = np.full((len(dataset), 3), np.nan), np.full(len(dataset), np.nan)
    since = 0
    for row in range(len(dataset)):
        since = 1 if dataset.fresh[row] else since + 1
        if since >= ensemble.window:
            window = dataset.X[row + 1 - ensemble.window : row + 1].astype(np.float32)
            said = ensemble.predict(window)
            proba[row] = said.down, said.flat, said.up
            apart[row] = said.disagreement
    return proba, apart


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("policy", [Dice, lambda seed: Follow(enter=0.15)], ids=["dice", "follow"])
@pytest.mark.parametrize("bars", [False, True], ids=["ticks", "bars"])
def test_the_same_decisions_make_the_same_equity(every, policy, bars):
    tape = toys.tape(900, seed=5)
    if bars:
        tape = toys.as_bars(tape)
    dataset = build(tape, toys.FEATURES, LabelConfig(), every)
    decisions = DecisionTape.of(dataset, *forecast(dataset), toys.INSTRUMENT, tape=tape)

    trader = toys.trader(MemoryJournal(), every=every, policy=policy(1))
    trader.take(Lease(toys.SYMBOL, 1, 1e12, ENDLESS))
    made = [one for event in tape.events() if (one := trader.on_event(event, event.time))]
    made = [one for one in made if one.time <= decisions.times[-1]]
    assert [one.time for one in made] == decisions.times.tolist()

    env = MarketVectorEnv([decisions], 1, EnvConfig(capital=toys.CAPITAL, ruin=1e-6))
    same, seen = policy(1), env.reset(options={"start": 0})[0]
    for one in made[:-1]:
        assert one.observation == tuple(seen[0].tolist())
        assert (one.equity, one.units) == (env.equity[0], env.units[0])
        action = same.act(seen[0])
        assert action == one.action
        seen, _, terminated, _, _ = env.step(np.array([action]))
        assert not terminated[0]
    assert (made[-1].equity, made[-1].units) == (env.equity[0], env.units[0])
    assert sum(one.order != "" for one in made) > 50
    assert made[-1].equity != toys.CAPITAL


RULES = {
    "exposure": PolicySpec(
        features=(FeatureUse(name="momentum_4", centre=0.1, scale=2.0),),
        action=ExposureActions(levels=(-1.0, -0.3, 0.0, 0.6, 1.0), dead_zone=0.05),
        max_hold=7,
        trades_per_hour=200,
    ),
    "bracket": PolicySpec(
        features=(FeatureUse(name="run", scale=1.0), FeatureUse(name="momentum_1", scale=3.0)),
        action=BracketActions(sizes=(0.4, 1.0), losses=(0.0, 3.0), profits=(0.0, 4.0)),
        max_hold=12,
        trades_per_hour=150,
    ),
}


class Loaded(Dice):
    """The same over another table of actions."""

    def __init__(self, seed, spec):
        super().__init__(seed)
        self.spec = spec

    def act(self, observation):
        return int(self._rng.integers(len(self.spec.table)))


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("mode", RULES)
@pytest.mark.parametrize("bars", [False, True], ids=["ticks", "bars"])
def test_so_they_do_with_all_that_an_execution_can_do(every, mode, bars):
    """Brackets, latency, fills in parts, funding, margin, longest hold, openings an hour."""
    tape, spec = toys.tape(900, seed=6), RULES[mode]
    if bars:
        tape = toys.as_bars(tape)
    dataset = build(tape, toys.FEATURES, LabelConfig(), every)
    instrument = toys.INSTRUMENT.model_copy(update={"costs": toys.EVERYTHING})
    decisions = DecisionTape.of(dataset, *forecast(dataset), instrument, spec=spec, tape=tape)

    journal = MemoryJournal()
    trader = toys.trader(journal, every=every, policy=Loaded(3, spec), costs=toys.EVERYTHING)
    trader.take(Lease(toys.SYMBOL, 1, 1e12, ENDLESS))
    made = [one for event in tape.events() if (one := trader.on_event(event, event.time))]
    made = [one for one in made if one.time <= decisions.times[-1]]

    env = MarketVectorEnv([decisions], 1, EnvConfig(capital=toys.CAPITAL, ruin=1e-6, spec=spec))
    same, seen = Loaded(3, spec), env.reset(options={"start": 0})[0]
    for one in made[:-1]:
        assert one.observation == tuple(seen[0].tolist())
        assert (one.equity, one.units) == (env.equity[0], env.units[0])
        seen, _, terminated, _, _ = env.step(np.array([same.act(seen[0])]))
        assert not terminated[0]
    assert (made[-1].equity, made[-1].units) == (env.equity[0], env.units[0])
    told = [str(entry.payload) for entry in journal.entries(toys.SYMBOL) if entry.kind == "fill"]
    for reason in ("funding", *(("stop", "target") if mode == "bracket" else ())):
        assert sum(f'"reason":"{reason}"' in one for one in told) >= 3
    assert not bars or sum('.2"' in one for one in told) >= 3  # in parts
    assert len({one.observation[14] for one in made}) > 20  # openings are used up
