"""What happens between decisions, and what must hold whatever happens."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.action import FLAT, HOLD, LONG
from envs.config import EnvConfig, Randomisation
from envs.market import MarketEnv, MarketVectorEnv
from envs.observation import OBSERVATION
from envs.reward import RewardConfig
from envs.spec import BracketActions, FeatureUse, PolicySpec
from envs.tape import DecisionTape
from features.dataset import build
from features.labels import LabelConfig
from market.errors import DataError
from market.execution import Costs, Funding
from tests import toys
from tests.env_tapes import EVERYTHING, laid

PLACE = {part.name: i for i, part in enumerate(OBSERVATION)}
BRACKETS = PolicySpec(
    action=BracketActions(losses=(2.0, 0.0), profits=(3.0, 0.0)), max_hold=6, trades_per_hour=40
)
SPECS = {"exposure": PolicySpec(), "bracket": BRACKETS}


def acted(env, n, seed):
    return np.random.default_rng(seed).integers(0, env.single_action_space.n, (n, env.num_envs))


@pytest.mark.parametrize("mode", SPECS)
def test_gymnasium_has_no_complaint(mode):
    check_env(MarketEnv([laid()], EnvConfig(spec=SPECS[mode])), skip_render_check=True)


@pytest.mark.parametrize("every", [1, 3])
def test_what_equity_gains_is_profit_less_costs_less_funding(every):
    # On ticks an order is filled at the very price that positions are marked at.
    costs = EVERYTHING.model_copy(update={"impact": None, "latency": Costs().latency})
    tape = laid(150, 1, bars=False, costs=costs, leverage=2.0)
    env = MarketVectorEnv([tape.take(np.arange(0, 150, every))], 1)
    env.reset(seed=0, options={"start": 0})
    price, before = tape.price, {**env.info(0), "row": 0}
    for action in acted(env, 149 // every - 1, 1):
        env.step(action)
        now = env.info(0)
        row = before["row"] * every
        first, last = price[row + 1], price[row + every]
        bought = now["units"] - before["units"]
        paid = now["fees"] - before["fees"] + now["funding"] - before["funding"]
        gained = before["units"] * (first - price[row]) + now["units"] * (last - first)
        gained -= abs(bought) * first * (costs.half_spread + costs.slippage) + paid
        assert now["equity"] - before["equity"] == pytest.approx(gained, abs=1e-9)
        before = now
    assert before["trades"] > 10
    assert before["funding"] != 0.0


def test_holding_costs_funding_and_nothing_else():
    costs = Costs(half_spread=1e-4, funding=Funding(rate=1e-4, interval_seconds=20.0))
    tape = laid(60, costs=costs, volatility=1e-9)
    env = MarketVectorEnv([tape], 1)
    env.reset(options={"start": 0})
    for action in (LONG, *[HOLD] * 50):
        env.step(np.array([action]))
    info = env.info(0)
    entered = 10_000.0 * 3.0 * 1e-4
    # The position is opened in the first bar; a payment falls due in every second of the others.
    assert info["funding"] == pytest.approx(25 * 30_000.0 * 1e-4, rel=1e-4)
    assert 10_000.0 - info["equity"] == pytest.approx(entered + info["funding"], rel=1e-3)
    still = MarketVectorEnv([laid()], 1)
    still.reset(options={"start": 0})
    rewards = [still.step(np.array([action]))[1][0] for action in [HOLD, FLAT] * 50]
    assert not any(rewards)
    assert still.equity[0] == 10_000.0


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(sorted(SPECS)), st.integers(1, 38), st.sampled_from([1, 3]), st.integers())
def test_the_future_changes_nothing_before_it(mode, row, every, seed):
    rng = np.random.default_rng(abs(seed))
    tape = laid(40, every, seed=1)
    rows, events = tape.rows.copy(), tape.events.values.copy()
    rows[row:] *= rng.uniform(0.9, 1.1, rows[row:].shape)
    later = slice(int(tape.at[row - 1]) + 1, None)
    events[later, :4] *= rng.uniform(0.9, 1.1, (len(events[later]), 1))
    events[later, 4:] *= rng.uniform(0.1, 3.0, (len(events[later]), 2))
    rows[:row, 1] = tape.rows[:row, 1]
    other = replace(tape, rows=rows, events=replace(tape.events, values=events))
    config = EnvConfig(spec=SPECS[mode])
    first, second = (MarketVectorEnv([one], 1, config) for one in (tape, other))
    starts = [env.reset(options={"start": 0})[0] for env in (first, second)]
    np.testing.assert_array_equal(*starts)
    for action in acted(first, row - 1, 3):
        a, b = (env.step(action) for env in (first, second))
        np.testing.assert_array_equal(a[0], b[0])
    np.testing.assert_array_equal(first.equity, second.equity)


@pytest.mark.parametrize("mode", SPECS)
def test_many_lanes_are_one_lane_to_the_last_bit(mode):
    config = EnvConfig(spec=SPECS[mode], reward=RewardConfig(kind="sharpe", drawdown=0.1))
    many, one = (MarketVectorEnv([laid(100, 2)], n, config) for n in (23, 1))
    alone = MarketEnv([laid(100, 2)], config)
    for env in (many, one, alone):
        seen, _ = env.reset(options={"start": 0})
    for action in acted(one, 99, 5):
        all_, single = many.step(np.repeat(action, 23)), one.step(action)
        for got, expected in zip(all_[:4], single[:4], strict=True):
            np.testing.assert_array_equal(got, np.repeat(expected, 23, axis=0))
        seen, reward, terminated, truncated, info = alone.step(action[0])
        np.testing.assert_array_equal(seen, single[0][0])
        assert (reward, terminated, truncated) == (single[1][0], single[2][0], single[3][0])
        np.testing.assert_array_equal(alone.masks(), many.masks()[7])
        assert ("action_mask" in info) == (mode == "bracket")


@pytest.mark.parametrize("mode", SPECS)
def test_what_is_masked_does_nothing_and_what_is_not_may(mode):
    env = MarketVectorEnv([laid(120)], 1, EnvConfig(spec=SPECS[mode]))
    env.reset(options={"start": 0})
    rng, refused, moved = np.random.default_rng(2), 0, 0
    for _ in range(100):
        mask = env.masks()[0]
        assert mask[HOLD]
        barred = np.flatnonzero(~mask)
        if len(barred):
            one, other = copy.deepcopy(env), copy.deepcopy(env)
            got, held = one.step(rng.choice(barred, 1)), other.step(np.array([HOLD]))
            np.testing.assert_array_equal(got[0], held[0])
            assert one.equity == other.equity
            refused += 1
        before = env.units[0]
        env.step(rng.choice(np.flatnonzero(mask), 1))
        moved += env.units[0] != before
    assert refused > 20
    assert moved > 10


def test_openings_an_hour_and_the_longest_hold_bind():
    spec = PolicySpec(action=BracketActions(losses=(0.0,), profits=(0.0,)), max_hold=2)
    tape = laid(400, costs=Costs())
    env = MarketVectorEnv([tape], 1, EnvConfig(spec=spec))
    env.reset(options={"start": 0})
    units = [env.step(np.array([2 if i == 0 else HOLD])) and env.units[0] for i in range(8)]
    assert [one != 0.0 for one in units] == [True, True, True, False, False, False, False, False]
    limited = spec.model_copy(update={"trades_per_hour": 5, "max_hold": 1})
    env = MarketVectorEnv([tape], 1, EnvConfig(spec=limited))
    env.reset(options={"start": 0})
    opened, left = {}, []
    for row in range(399):
        before = env.units[0]
        seen, *_ = env.step(np.array([2]))
        left.append(seen[0, PLACE["trades_left"]])
        if before == 0.0 and env.units[0] != 0.0:
            hour = int(tape.times[row]) // (3600 * 1_000_000_000)
            opened[hour] = opened.get(hour, 0) + 1
    assert len(opened) == 2
    assert set(opened.values()) == {5}
    assert min(left) == 0.0


def test_a_bracket_is_met_between_decisions():
    tape = laid(20, 3, costs=Costs(), leverage=1.0, volatility=1e-2)
    values = tape.events.values.copy()
    values[:, :4] = 100.0
    rows = tape.rows.copy()
    rows[:, :2] = 100.0
    dip = int(tape.at[4]) + 2
    values[dip, 2] = 97.0
    flat = replace(tape, rows=rows, events=replace(tape.events, values=values))
    spec = PolicySpec(action=BracketActions(sizes=(1.0,), losses=(2.0,), profits=(4.0,)))
    env = MarketVectorEnv([flat], 1, EnvConfig(spec=spec))
    env.reset(options={"start": 0})
    seen, *_ = env.step(np.array([2]))
    assert seen[0, PLACE["to_stop"]] == pytest.approx(0.2)
    assert seen[0, PLACE["to_target"]] == pytest.approx(0.4)
    for _ in range(3):
        seen, *_ = env.step(np.array([HOLD]))
        assert env.units[0] == 100.0
    seen, *_ = env.step(np.array([HOLD]))
    assert (env.units[0], env.equity[0]) == (0.0, 9_800.0)
    assert seen[0, PLACE["to_stop"]] == 0.0


def test_an_order_under_way_is_seen_and_awaited():
    slow = Costs(latency=EVERYTHING.latency.model_copy(update={"seconds": 25.0, "sigma": 0.0}))
    env = MarketVectorEnv([laid(20, costs=slow)], 1)
    env.reset(options={"start": 0})
    told = [env.step(np.array([a]))[0][0] for a in (LONG, FLAT, HOLD)]
    assert [row[PLACE["working"]] for row in told] == [1.0, 1.0, 0.0]
    assert [row[PLACE["exposure"]] > 0.0 for row in told] == [False, False, True]


def test_the_sharpe_reward_is_moody_and_saffells():
    def rewards(reward):
        env = MarketVectorEnv([laid(90)], 1, EnvConfig(reward=reward))
        env.reset(options={"start": 0})
        return [env.step(action)[1][0] for action in acted(env, 80, 4)]

    mean, square, rate = 0.0, 1.0, 1.0 / 30.0
    for gain, told in zip(
        rewards(RewardConfig()), rewards(RewardConfig(kind="sharpe", memory=30)), strict=True
    ):
        expected = (square * (gain - mean) - mean * (gain**2 - square) / 2) / (
            square - mean**2
        ) ** 1.5
        assert told == pytest.approx(expected, rel=1e-9)
        mean, square = mean + rate * (gain - mean), square + rate * (gain**2 - square)


def test_markets_are_drawn_from_their_ranges_and_from_the_seed():
    how = Randomisation(
        fees=(0.5, 2.0), spread=(1.0, 4.0), latency=(0.0, 5.0), volatility=(0.5, 2.0)
    )

    def env(seed, n=200):
        made = MarketVectorEnv([laid()], n, EnvConfig(randomisation=how, episode=20))
        made.reset(seed=seed)
        return made

    one, same, other = env(1), env(1), env(2)
    np.testing.assert_array_equal(one._terms, same._terms)
    assert not np.array_equal(one._terms, other._terms)
    spread = one._terms[:, 2] / EVERYTHING.half_spread
    assert 1.0 <= spread.min() < 1.2 < 3.8 < spread.max() <= 4.0
    assert (one._terms[:, 1] / EVERYTHING.maker).max() <= 2.0
    for action in acted(one, 45, 3):
        a, b = one.step(action), same.step(action)
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])


def test_larger_moves_are_moves_multiplied():
    how = Randomisation(volatility=(2.0, 2.0))
    tape = laid(50, costs=Costs(), leverage=1.0, bars=False)
    env = MarketVectorEnv([tape], 1, EnvConfig(randomisation=how))
    env.reset(options={"start": 0})
    for action in (LONG, *[HOLD] * 40):
        env.step(np.array([action]))
    price = tape.price[0] * (tape.price / tape.price[0]) ** 2
    gained = 10_000.0 / price[0] * (price[41] - price[1])
    assert env.equity[0] - 10_000.0 == pytest.approx(gained, rel=1e-9)


def test_a_tape_of_a_dataset_keeps_its_events_and_features():
    tape = toys.tape(400, seed=2)
    data = build(tape, toys.FEATURES, LabelConfig(), 3)
    said = np.full((len(data), 3), 1.0 / 3.0)
    said[5:9] = np.nan
    spec = PolicySpec(features=(FeatureUse(name="run", scale=2.0),))
    made = DecisionTape.of(data, said, np.zeros(len(data)), toys.INSTRUMENT, spec=spec, tape=tape)
    events, at = made.happening
    assert events.times[at].tolist() == made.times.tolist()
    assert events.values[at, 3].tolist() == made.price.tolist()
    assert len(events.times) == data.rows[-1] - data.rows[0] + 1
    seen, _ = MarketVectorEnv([made], 1, EnvConfig(spec=spec)).reset(options={"start": 0})
    column = data.X[0, data.names.index("run")]
    assert seen[0, -1] == np.float32(np.clip(column / 2.0, -5.0, 5.0))
    with pytest.raises(DataError, match="the policy sees 1 features, the tape has 0"):
        MarketVectorEnv([laid()], 1, EnvConfig(spec=spec))
    with pytest.raises(DataError, match="at must name an event for each"):
        replace(made, at=at[::-1].copy())
