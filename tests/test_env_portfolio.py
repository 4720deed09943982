"""Several symbols on one account: the limit they share, and the money that adds up."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.config import EnvConfig, Randomisation
from envs.market import MarketVectorEnv
from envs.planted import planted
from envs.portfolio import PortfolioConfig, PortfolioEnv, PortfolioVectorEnv, together
from envs.portfoliokernel import limited
from envs.spec import BracketActions, PolicySpec
from market.errors import DataError
from market.execution import Costs
from tests.env_tapes import laid

BRACKETS = PolicySpec(action=BracketActions(losses=(3.0,), profits=(4.0,)), max_hold=9)


@pytest.fixture(scope="module")
def tapes():
    return [laid(80, 2, seed=seed, symbol=f"S{seed}", leverage=2.0 + seed) for seed in range(3)]


@pytest.mark.parametrize("spec", [PolicySpec(), BRACKETS], ids=["exposure", "bracket"])
def test_gymnasium_has_no_complaint(tapes, spec):
    check_env(PortfolioEnv(tapes, PortfolioConfig(spec=spec, cap=1.5)), skip_render_check=True)


@pytest.mark.parametrize("spec", [PolicySpec(), BRACKETS], ids=["exposure", "bracket"])
def test_a_portfolio_of_one_is_the_market(tapes, spec):
    one = MarketVectorEnv(tapes[:1], 1, EnvConfig(spec=spec))
    same = PortfolioVectorEnv(tapes[:1], 1, PortfolioConfig(spec=spec))
    starts = [env.reset(options={"start": 0})[0] for env in (one, same)]
    np.testing.assert_array_equal(*starts)
    for action in np.random.default_rng(1).integers(0, len(spec.table), 75):
        a, b = one.step(np.array([action])), same.step(np.array([[action]]))
        assert same.equity[0] == pytest.approx(one.equity[0], rel=1e-12)
        assert b[1][0] == pytest.approx(a[1][0], rel=1e-6, abs=1e-9)
        # What fits into the cap is told of as the lease; the rest is the same.
        rest = np.arange(spec.size) != 7
        np.testing.assert_allclose(b[0][0, rest], a[0][0, rest], rtol=1e-5, atol=1e-6)


def test_equity_is_the_sum_of_what_every_symbol_makes():
    tapes = [
        laid(90, bars=False, costs=Costs(commission=1e-4), seed=s, symbol=f"S{s}") for s in (4, 5)
    ]
    env = PortfolioVectorEnv(tapes, 1, PortfolioConfig(cap=2.0))
    env.reset(options={"start": 0})
    prices = np.column_stack([tape.price for tape in tapes])
    worth, units, fees = env.equity[0], env.units[0], env.fees[0]
    for row, action in enumerate(np.random.default_rng(2).integers(0, 6, (85, 1, 2))):
        env.step(action)
        # On ticks an order is filled where positions are marked.
        gained = units @ (prices[row + 1] - prices[row]) - (env.fees[0] - fees).sum()
        assert env.equity[0] - worth == pytest.approx(gained, abs=1e-8)
        worth, units, fees = env.equity[0], env.units[0], env.fees[0]
    assert fees.sum() > 100.0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), st.floats(-1.0, 1.0)),
        min_size=1,
        max_size=5,
    ),
    st.floats(0.1, 3.0),
)
def test_what_grows_shares_what_is_left_of_the_cap(pairs, cap):
    aims, held = (np.array(column) for column in zip(*pairs, strict=True))
    asked = aims.copy()
    limited(aims, held, held, cap)
    stays = np.where(asked * held > 0.0, np.minimum(np.abs(asked), np.abs(held)), 0.0)
    assert np.abs(aims).sum() <= max(cap, stays.sum()) + 1e-9
    assert (np.abs(aims) <= np.abs(asked) + 1e-12).all() or np.abs(asked).sum() <= cap
    assert (np.abs(aims) >= stays - 1e-9).all()
    assert (aims * asked >= 0.0).all()
    if np.abs(asked).sum() <= cap:
        assert (aims == asked).all()


def test_the_cap_holds_whatever_is_asked(tapes):
    free = [laid(80, seed=s, symbol=f"S{s}", costs=Costs(), volatility=1e-7) for s in range(3)]
    env = PortfolioVectorEnv(free, 4, PortfolioConfig(cap=1.25))
    env.reset(seed=1)
    price = np.array([[tape.price[0] for tape in free]])
    sums = []
    for action in np.random.default_rng(3).integers(0, 6, (60, 4, 3)):
        env.step(action)
        exposure = env.units * price / (env.equity[:, None] * 3.0)
        sums.append(np.abs(exposure).sum(axis=1))
    assert np.max(sums) == pytest.approx(1.25, rel=1e-3)
    assert np.mean(sums) > 0.5


def test_episodes_are_seeded_and_reset_as_they_should(tapes):
    def run(seed):
        env = PortfolioVectorEnv(tapes, 5, PortfolioConfig(episode=7))
        steps = [env.reset(seed=seed)[0]]
        for _ in range(20):
            seen, rewards, terminated, truncated, info = env.step(np.full((5, 3), 5))
            assert info["action_mask"].shape == (5, 3, 6)
            steps += [seen, rewards, terminated, truncated]
        return steps

    for one, same in zip(run(1), run(1), strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(run(1)[1], run(2)[1])
    ends = [step.all() for step in run(1)[4::4]]
    assert [i for i, end in enumerate(ends) if end] == [6, 14]


def test_only_common_times_are_played_and_the_rest_is_refused(tapes):
    short = [tapes[0], tapes[1].take(np.arange(10, 50, 2))]
    both = together(short)
    assert [tape.times.tolist() for tape in both] == [short[1].times.tolist()] * 2
    assert len(both[0].happening[0].times) == 160
    elsewhere = planted(30, 0.1, 0.5, 0.1, np.random.default_rng(1))
    with pytest.raises(DataError, match="S0, PLANTED: have 0 decision times in common"):
        together([tapes[0], elsewhere])
    with pytest.raises(ValueError, match="neither lease nor randomisation"):
        PortfolioVectorEnv(
            tapes, 1, PortfolioConfig(randomisation=Randomisation(spread=(1.0, 2.0)))
        )
    env = PortfolioVectorEnv(tapes)
    env.reset(seed=1)
    with pytest.raises(ValueError, match=r"actions must be int\[1, 3\] from 0 to 5"):
        env.step(np.array([[0, 6, 0]]))
