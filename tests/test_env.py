"""The market simulator: money, timing, episodes, and gymnasium's own rules."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.action import ACTIONS, DEAD_ZONE, FLAT, HOLD, LONG, SHORT, wanted
from envs.market import EnvConfig, MarketEnv, MarketVectorEnv
from envs.observation import OBSERVATION, SIZE
from envs.planted import planted
from envs.reward import RewardConfig
from envs.spec import PolicySpec
from envs.tape import DecisionTape
from market.account import Account
from market.errors import DataError
from market.execution import Costs, fee, fill_price, target_units
from market.instruments import Instrument
from market.orders import Fill

TABLE = PolicySpec().table
COSTS = Costs(commission=2e-4, half_spread=1e-4, slippage=5e-5, per_unit=3e-3)


def market(n=200, seed=0, leverage=3.0, costs=COSTS, volatility=1e-3):
    """A tape with fills that differ from prices, at every fee there is."""
    rng = np.random.default_rng(seed)
    tape = planted(n, 0.1, 0.9, 0.1, rng, volatility)
    rows = tape.rows.copy()
    rows[:, 1] *= np.exp(volatility * rng.standard_normal(n))
    rows[:, 5] = rng.uniform(0, 0.1, n)
    instrument = Instrument(symbol="TEST", interval=1.0, leverage=leverage, costs=costs)
    return DecisionTape(instrument, tape.times, rows)


def play(env, actions, **options):
    """Play one lane; return observations, rewards, equity and units, the start's first."""
    env.reset(seed=0, options={"start": 0} | options)
    lanes = env.num_envs
    steps = [(*env.step(np.full(lanes, action)), env.equity, env.units) for action in actions]
    seen, rewards, terminated, truncated, _, equity, units = map(np.array, zip(*steps, strict=True))
    return seen, rewards, terminated, truncated, equity, units


def test_gymnasium_has_no_complaint():
    check_env(MarketEnv([market()]), skip_render_check=True)


def test_the_docstring_is_the_observation():
    rows = [
        line.split(maxsplit=4)
        for line in MarketEnv.__doc__.splitlines()
        if line.strip() and line.split()[0].isdigit()
    ]
    assert len(rows) == SIZE
    for i, (row, part) in enumerate(zip(rows, OBSERVATION, strict=True)):
        assert row[:2] == [str(i), part.name]
        assert (float(row[2]), float(row[3])) == (part.low, part.high)
        words = [word.strip() for word in row[4].split("  ") if word.strip()]
        assert words == [part.unit, part.meaning]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, len(ACTIONS) - 1), min_size=1, max_size=120),
    st.sampled_from([0.5, 1.0, 20.0]),
    st.integers(0, 3),
)
def test_money_is_the_accounts_to_the_last_bit(actions, leverage, seed):
    tape = market(seed=seed, leverage=leverage)
    env = MarketVectorEnv([tape], 1, EnvConfig(capital=5000.0, ruin=1e-9))
    *_, terminated, _, worth, units = play(env, actions)
    account = Account(cash=5000.0)
    for i, action in enumerate(actions):
        price, open_ = tape.rows[i, :2]
        equity = account.equity(price)
        exposure = account.units * price / (equity * leverage) if equity > 0.0 else 0.0
        aim, _, _ = wanted(TABLE, action, exposure, 1e-4, DEAD_ZONE, 0, 0, 1)
        order = target_units(aim, equity, leverage, price) - account.units
        if aim != exposure and order != 0.0:
            paid = fill_price(open_, order, COSTS.half_spread, COSTS.slippage)
            account = account.apply(
                Fill(
                    "",
                    "TEST",
                    i + 1,
                    order,
                    paid,
                    fee(order, paid, COSTS.commission, COSTS.per_unit),
                )
            )
        if terminated[i, 0]:
            break
        assert worth[i, 0] == account.equity(tape.rows[i + 1, 0])
        assert units[i, 0] == account.units
    else:
        assert env.info(0)["fees"] == account.fees
        assert env.info(0)["trades"] == account.trades


def test_rewards_add_up_to_the_growth_of_equity():
    tape = market()
    env = MarketVectorEnv([tape], 1)
    _, rewards, _, _, equity, _ = play(env, np.random.default_rng(1).integers(0, 6, 150))
    growth = np.log(equity[-1, 0] / 10_000.0)
    assert rewards.sum() * tape.unit == pytest.approx(growth, rel=1e-9)
    assert growth != 0.0


def test_doing_nothing_costs_and_earns_nothing():
    env = MarketVectorEnv([market()], 1)
    for action in (HOLD, FLAT):
        _, rewards, _, _, equity, _ = play(env, [action] * 100)
        assert not rewards.any()
        assert (equity == 10_000.0).all()


def test_a_round_trip_costs_what_the_costs_say():
    tape = market(leverage=1.0)
    rows = tape.rows.copy()
    rows[:, :2] = 100.0
    env = MarketVectorEnv([replace(tape, rows=rows)], 1)
    *_, equity, units = play(env, [LONG, FLAT])
    assert units[:, 0].tolist() == [100.0, 0.0]
    assert 1.0 - equity[-1, 0] / 10_000.0 == pytest.approx(2.0 * COSTS.side(100.0), rel=1e-12)


def test_penalties_are_taken_off_the_reward():
    tape, actions = market(), np.random.default_rng(2).integers(0, 6, 100)

    def rewards(**weights):
        config = EnvConfig(reward=RewardConfig(**weights))
        return play(MarketVectorEnv([tape], 1, config), actions)[1][:, 0]

    plain = rewards()
    np.testing.assert_allclose(rewards(risk=0.5), plain - 0.25 * plain**2, rtol=1e-12)
    peak, drop = 0.0, []
    for level in np.cumsum(plain):
        drop.append(max(0.0, peak - level))
        peak = max(peak, level)
    deepened = np.maximum(0.0, np.diff(drop, prepend=0.0)).sum()
    assert (plain - rewards(drawdown=0.5)).sum() == pytest.approx(0.5 * deepened)
    assert deepened > 1.0
    traded = (plain - rewards(turnover=0.5)) / 0.5
    assert traded.min() >= -1e-9
    assert traded[0] == pytest.approx(abs(ACTIONS[actions[0]] or 0.0), rel=0.01)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 98), st.integers(0, 99))
def test_the_future_changes_nothing_before_it(row, seed):
    tape = market(100)
    rows = tape.rows.copy()
    noise = np.random.default_rng(seed)
    # Row `row` is the first not yet seen; the fill of the one before it is its future as well.
    rows[row:] *= noise.uniform(0.9, 1.1, rows[row:].shape)
    rows[row - 1, 1] *= 1.1
    actions = noise.integers(0, 6, row - 1) if row > 1 else []
    first, second = MarketVectorEnv([tape], 1), MarketVectorEnv([replace(tape, rows=rows)], 1)
    starts = [env.reset(options={"start": 0})[0] for env in (first, second)]
    np.testing.assert_array_equal(*starts)
    for action in actions:
        a, b = (env.step(np.array([action])) for env in (first, second))
        np.testing.assert_array_equal(a[0], b[0])
    np.testing.assert_array_equal(first.equity, second.equity)


def test_many_lanes_are_as_many_single_ones():
    tapes = [market(300, 1), market(80, 2, leverage=10.0)]
    config = EnvConfig(episode=40, lease=0.3)
    lanes = MarketVectorEnv(tapes, 7, config)
    seen, _ = lanes.reset(seed=3)
    rng = np.random.default_rng(4)
    begun, leases = lanes.rows, seen[:, 7]
    assert (leases >= 0.3).all()
    assert len(set(leases.tolist())) == 7
    assert set(begun[:, 0].tolist()) == {0, 1}
    actions = rng.integers(0, 6, (40, 7))
    steps = [lanes.step(row) for row in actions]
    for lane in range(7):
        tape, row = begun[lane]
        part = tapes[tape].slice(row, row + 41)
        rewards = np.array([step[1][lane] for step in steps]) * tapes[tape].unit
        exposures = np.array([step[0][lane, 4] for step in steps])
        alone = MarketVectorEnv([part], 1)
        alone._begin(np.array([0]), 0)
        alone._lane[0, 2] = lanes._lane[lane, 2]
        for step, action in enumerate(actions[:, lane]):
            same = alone.step(np.array([action]))
            assert same[1][0] * part.unit == pytest.approx(rewards[step], rel=1e-9, abs=1e-15)
            assert same[0][0, 4] == exposures[step]
            assert same[3][0] == (step == 39)


def test_the_step_after_an_end_is_a_reset_and_nothing_else():
    env = MarketVectorEnv([market()], 3, EnvConfig(episode=5))
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    env.reset(seed=0)
    for turn in range(3):
        for step in range(5):
            _, _, terminated, truncated, _ = env.step(np.full(3, LONG))
            assert truncated.all() == (step == 4)
            assert not terminated.any()
        seen, rewards, terminated, truncated, _ = env.step(np.full(3, SHORT))
        assert not np.concatenate((rewards, terminated, truncated)).any(), turn
        assert (seen[:, 4] == 0.0).all(), "the new episode begins flat: the action was ignored"
        assert (env.equity == 10_000.0).all()


def test_ruin_ends_the_episode_and_is_never_below_the_floor():
    tape = market(100, leverage=1000.0, volatility=5e-3)
    env = MarketVectorEnv([tape], 1, EnvConfig(ruin=0.2))
    _, rewards, terminated, truncated, equity, units = play(env, [LONG] * 40)
    last = int(np.argmax(terminated[:, 0]))
    assert terminated[last, 0]
    assert not truncated[last, 0]
    assert (equity[last, 0], units[last, 0]) == (2000.0, 0.0)
    assert rewards[: last + 1].sum() * tape.unit == pytest.approx(np.log(0.2))


def test_the_lease_binds_what_grows_and_lets_go_what_shrinks():
    tape = market(60, leverage=1.0, costs=Costs())
    rows = tape.rows.copy()
    rows[:, :2] = 100.0
    env = MarketVectorEnv([replace(tape, rows=rows)], 1, EnvConfig(lease=0.25))
    env.reset(seed=5)
    lease = float(env._lane[0, 2])
    assert 0.25 <= lease < 1.0
    for action, exposure in ((LONG, lease), (SHORT, -lease), (FLAT, 0.0), (4, min(0.5, lease))):
        env.step(np.array([action]))
        assert env.units[0] == pytest.approx(100.0 * exposure)


def test_same_seed_same_episodes():
    def run(seed):
        env = MarketVectorEnv([market()], 4, EnvConfig(episode=9, lease=0.5))
        first, _ = env.reset(seed=seed)
        return [first] + [env.step(np.full(4, i % 6))[0] for i in range(40)]

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


def test_episodes_begin_wherever_they_fit():
    tapes = [market(30, 1), market(12, 2), market(5, 3)]
    env = MarketVectorEnv(tapes, 4000, EnvConfig(episode=10))
    env.reset(seed=0)
    seen = {tuple(row) for row in env.rows.tolist()}
    assert seen == {(0, row) for row in range(20)} | {(1, 0), (1, 1), (2, 0)}


@pytest.mark.parametrize(
    ("column", "value"), [("price", 0.0), ("fill", np.nan), ("volatility", 0.0), ("p_up", np.inf)]
)
def test_a_row_nobody_could_trade_on_is_refused(column, value):
    tape = market()
    rows = tape.rows.copy()
    rows[7, ["price", "fill", "p_down", "p_flat", "p_up", "", "volatility"].index(column)] = value
    with pytest.raises(DataError, match=f"TEST: decision 7 .*'{column}'"):
        replace(tape, rows=rows)


def test_wrong_arguments_say_what_is_right():
    with pytest.raises(ValueError, match="num_envs must be at least 1, was 0"):
        MarketVectorEnv([market()], 0)
    with pytest.raises(DataError, match="at least one"):
        MarketVectorEnv([], 1)
    env = MarketVectorEnv([market(50)], 2)
    with pytest.raises(ValueError, match="start must be from 0 to 48, was 49"):
        env.reset(options={"start": 49})
    env.reset(seed=0)
    for actions in ([0], [0, 6], [-1, 0]):
        with pytest.raises(ValueError, match=r"actions must be int\[2\] from 0 to 5"):
            env.step(np.array(actions))
