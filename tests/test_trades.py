"""Trades by hand, and their figures sample by sample."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import skew

from validation.estimate import Estimate
from validation.metrics import performance
from validation.paths import block_starts
from validation.trades import (
    TradeDistribution,
    Trades,
    break_even,
    distribution,
    trade_returns,
    trades_of,
)

Floats = npt.NDArray[np.float64]


def test_trades_are_stretches_of_one_direction() -> None:
    exposures = np.array([0.0, 1.0, 0.5, 0.0, 0.0, -1.0, 1.0])
    returns = np.array([0.0, 0.02, 0.01, -0.005, 0.0, 0.04, -0.03])
    found = trades_of(returns, exposures)
    # the flat interval after the first trade holds what closing it cost
    assert found.returns.tolist() == pytest.approx([0.025, 0.04, -0.03])
    assert found.holding.tolist() == [2.0, 1.0, 1.0]
    assert trade_returns(returns, exposures).tolist() == found.returns.tolist()
    assert trade_returns(np.zeros(3), np.zeros(3)).tolist() == []
    assert trades_of(np.empty(0), np.empty(0)).holding.tolist() == []


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.float64, 40, elements=st.floats(-0.1, 0.1)),
    arrays(np.float64, 40, elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0])),
)
def test_trades_take_every_held_decision_once(returns: Floats, exposures: Floats) -> None:
    found = trades_of(returns, exposures)
    held = exposures != 0.0
    closing = ~held & np.append(False, held[:-1])
    assert found.returns.sum() == pytest.approx(returns[held | closing].sum(), abs=1e-12)
    assert found.holding.sum() == held.sum()


def by_hand(returns: Floats, holding: Floats) -> list[float]:
    """Figures of trades in the order of the struct, by the plain formulas."""
    wins, losses = returns[returns > 0.0], -returns[returns < 0.0]
    win = wins.mean() if len(wins) else math.nan
    loss = losses.mean() if len(losses) else math.nan
    breaks = break_even(np.nan_to_num(win), np.nan_to_num(loss))
    factor = wins.sum() / losses.sum() if len(losses) else math.inf if len(wins) else math.nan
    text = "".join("x" if one < 0.0 else " " for one in returns)
    return [
        len(wins) / len(returns),
        breaks,
        len(wins) / len(returns) - breaks,
        factor,
        returns.mean(),
        win,
        loss,
        *np.quantile(returns, [0.05, 0.25, 0.5, 0.75, 0.95]),
        skew(returns) if np.ptp(returns) > 0.0 else 0.0,
        max(map(len, text.split()), default=0),
        holding.mean(),
        np.median(holding),
        np.quantile(holding, 0.95),
    ]


def estimates(found: TradeDistribution) -> list[Estimate]:
    return [getattr(found, name) for name in found.__struct_fields__[1:]]


@pytest.mark.parametrize("count", [3, 7, 64])
def test_every_sample_has_the_figures_of_its_trades(count: int) -> None:
    rng = np.random.default_rng(count)
    returns = np.round(rng.standard_t(4, count), 1)  # ties, and trades that earn nothing
    holding = rng.integers(1, 9, count).astype(np.float64)
    block, samples = (1, 60) if count < 16 else (2, 60)
    found = distribution(Trades(returns, holding), np.random.default_rng(9), 2, samples, 0.9)
    starts = np.concatenate(list(block_starts(count, block, samples, np.random.default_rng(9))))
    rows = ((starts[:, :, None] + np.arange(block)).reshape(samples, -1) % count)[:, :count]
    drawn = np.array([by_hand(returns[one], holding[one]) for one in rows])
    assert found.count == count
    for at, (name, value) in enumerate(
        zip(found.__struct_fields__[1:], by_hand(returns, holding), strict=True)
    ):
        expected = Estimate.of(value, drawn[:, at], 0.9)
        one = getattr(found, name)
        assert (one.value, one.low, one.high) == pytest.approx(
            (expected.value, expected.low, expected.high), nan_ok=True
        ), name


def test_trades_without_losses_and_without_anything() -> None:
    rng = np.random.default_rng(0)
    none = distribution(Trades(np.empty(0), np.empty(0)), rng)
    assert none.count == 0
    assert all(str(one) == "-" for one in estimates(none))
    sure = distribution(Trades(np.full(20, 0.1), np.full(20, 3.0)), rng)
    assert sure.profit_factor == Estimate(math.inf, math.inf, math.inf)
    assert (sure.win_rate.value, sure.break_even.value, sure.skew.value) == (1.0, 0.0, 0.0)
    assert sure.losing_streak == Estimate(0.0, 0.0, 0.0)
    assert str(sure.average_loss) == "-"
    idle = distribution(Trades(np.zeros(5), np.ones(5)), rng)
    assert (idle.win_rate.value, str(idle.profit_factor), str(idle.break_even)) == (0.0, "-", "-")


def test_performance_counts_trades() -> None:
    exposures = np.array([1.0, 0.0, -1.0, 0.0] * 100)
    returns = np.tile([0.03, 0.0, -0.01, 0.0], 100)
    found = performance(returns, exposures, np.random.default_rng(0))
    assert found.trades == 200
    assert found.win_rate.value == 0.5
    assert found.break_even.value == pytest.approx(0.25)
    assert found.profit_factor.value == pytest.approx(3.0)
    assert found.expectancy.value == pytest.approx(0.01)
    assert found.turnover.value == pytest.approx(1.0)
    assert found.total.value == pytest.approx((1.03 * 0.99) ** 100 - 1)
    # 200 trades in 400 decisions: blocks of 25 trades, in which wins and losses take turns
    assert found.win_rate.high - found.win_rate.low < 0.07


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(-1.0, 1.0, width=32)))
def test_profit_factor_win_rate_and_expectancy_agree(returns: Floats) -> None:
    found = distribution(Trades(returns, np.ones(len(returns))), np.random.default_rng(0), 1, 1)
    gain = found.expectancy.value
    if abs(gain) < 1e-9:
        return
    assert (found.profit_factor.value > 1.0) == (gain > 0.0)
    if (returns != 0.0).all():
        assert (found.edge.value > 0.0) == (gain > 0.0)


def test_a_bought_win_rate_is_below_its_break_even() -> None:
    """Target 35, stop 65, one step at a time, costs 1: 65 % of trades win, and money is lost."""
    rng = np.random.default_rng(1)
    wins = rng.random(20_000) < 0.65
    trades = np.where(wins, 35.0 - 1.0, -65.0 - 1.0)
    found = distribution(Trades(trades, np.ones(20_000)), rng, 1, 100)
    assert found.win_rate.value == pytest.approx(0.65, abs=0.01)
    assert found.break_even.value == break_even(34.0, 66.0) == 0.66
    assert found.win_rate.low > 0.5, "a win rate that looks like skill,"
    assert found.edge.value < 0.0, "and isn't"
    assert found.expectancy.value < 0.0


def test_intervals_of_trades_hold_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    held = np.zeros(4)
    for _ in range(300):
        trades = Trades(rng.normal(0.2, 1.0, 200), rng.geometric(0.5, 200).astype(np.float64))
        found = distribution(trades, rng, 1, 200)
        for at, (one, truth) in enumerate(
            (
                (found.expectancy, 0.2),
                (found.median, 0.2),
                (found.win_rate, 0.57926),
                (found.holding, 2.0),
            )
        ):
            held[at] += one.low <= truth <= one.high
    assert held / 300 == pytest.approx(0.945, abs=0.035)
