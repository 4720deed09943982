"""Metrics by hand, and the published figures of Sharpe ratios under doubt."""

from __future__ import annotations

import math

import numpy as np
import pytest

from validation.bootstrap import block_means, bootstrap_means, interval, timing_p
from validation.metrics import (
    break_even,
    max_drawdown,
    moments,
    performance,
    sharpe,
    t_stat,
    trade_returns,
)
from validation.significance import (
    deflated_sharpe,
    expected_max,
    min_backtest_length,
    min_track_record,
    probabilistic_sharpe,
)


@pytest.mark.parametrize(
    ("trials", "value"),
    [(1, 0.0), (10, 1.574598), (45, 2.23564), (100, 2.5306028932016846), (1000, 3.255122)],
)
def test_expected_max(trials: int, value: float) -> None:
    assert expected_max(trials) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("sharpe_", "n", "skew", "kurtosis", "value"),
    [
        (1.585 / 12**0.5, 24, -2.448, 10.164, 0.9132343),
        (0.458, 24, -2.448, 10.164, 0.9134),
        (0.458, 24, 0.0, 3.0, 0.9817),
        (0.458, 36, -2.448, 10.164, 0.9535),
    ],
)
def test_probabilistic_sharpe(
    sharpe_: float, n: int, skew: float, kurtosis: float, value: float
) -> None:
    got = probabilistic_sharpe(sharpe_, n, skew, kurtosis)
    assert got == pytest.approx(value, abs=5e-5)


def test_deflated_sharpe() -> None:
    best, variance = 2.5 / 250**0.5, 0.5 / 250
    assert variance**0.5 * expected_max(100) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(best, 1250, 100, variance, -3, 10) == pytest.approx(0.90039683, abs=1e-8)
    assert deflated_sharpe(best, 1250, 46, variance, -3, 10) == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe(best, 1250, 88, variance) == pytest.approx(0.9505, abs=5e-5)


@pytest.mark.parametrize(
    ("per_year", "sharpe_", "benchmark", "skew", "kurtosis", "years"),
    [
        (250, 2.0, 1.0, 0.0, 3.0, 2.7311878),
        (52, 2.0, 1.0, 0.0, 3.0, 2.8288336),
        (12, 2.0, 1.0, 0.0, 3.0, 3.24),
        (12, 2.0, 1.0, -0.72, 5.78, 59.895 / 12),
        (12, 3.0, 2.5, -0.72, 5.78, 27.35292),
        (250, 1.0, 0.0, 0.0, 3.0, 2.715),
        (250, 2.0, 0.0, 0.0, 3.0, 0.686),
        (250, 0.5, 0.0, 0.0, 3.0, 10.83),
    ],
)
def test_min_track_record(
    per_year: int, sharpe_: float, benchmark: float, skew: float, kurtosis: float, years: float
) -> None:
    root = per_year**0.5
    got = min_track_record(sharpe_ / root, benchmark / root, skew, kurtosis) / per_year
    assert got == pytest.approx(years, rel=5e-4)


def test_lengths_at_the_edges() -> None:
    assert min_backtest_length(45, 1.0) == pytest.approx(4.998087, abs=1e-6)
    assert min_track_record(0.1, 0.1) == math.inf
    with pytest.raises(ValueError, match="n must be at least 2, was 1"):
        probabilistic_sharpe(0.1, 1)
    with pytest.raises(ValueError, match="trials must be at least 1, was 0"):
        expected_max(0)
    with pytest.raises(ValueError, match="can't belong to one distribution"):
        probabilistic_sharpe(2.0, 10, skew=3.0, kurtosis=1.0)


def test_sharpe_and_t() -> None:
    returns = np.array([0.01, -0.01, 0.03, 0.01])
    assert sharpe(returns) == pytest.approx(0.01 / np.std(returns, ddof=1))
    # two blocks: means 0 and .02, so t = .01 / (.0141 / sqrt 2)
    assert t_stat(returns, 2) == pytest.approx(1.0)
    assert sharpe(np.zeros(9)) == 0.0
    assert sharpe(np.full(9, 0.1)) == 0.0, "no spread, nothing to measure"
    assert t_stat(returns, 3) == 0.0


def test_blocks_see_through_repetition() -> None:
    """Each return ten times over is no more evidence; t of blocks of ten knows it."""
    rng = np.random.default_rng(0)
    returns = rng.normal(0.02, 1.0, 400)
    assert t_stat(np.repeat(returns, 10), 10) == pytest.approx(t_stat(returns, 1))


def test_moments_of_known_distributions() -> None:
    rng = np.random.default_rng(0)
    skew, kurtosis = moments(rng.exponential(size=2_000_000))
    assert (skew, kurtosis) == (pytest.approx(2.0, abs=0.05), pytest.approx(9.0, abs=0.4))
    assert moments(np.full(5, 0.3)) == (0.0, 3.0)


def test_max_drawdown() -> None:
    assert max_drawdown(np.array([0.1, -0.5, 0.2, 0.9])) == pytest.approx(0.5)
    assert max_drawdown(np.array([-0.2, 0.1])) == pytest.approx(0.2), "from the start too"
    assert max_drawdown(np.array([0.1, 0.1])) == 0.0
    assert max_drawdown(np.array([0.1, -1.5, 3.0])) == 1.0


def test_trades_are_stretches_of_one_direction() -> None:
    exposures = np.array([0.0, 1.0, 0.5, 0.0, 0.0, -1.0, 1.0])
    returns = np.array([0.0, 0.02, 0.01, -0.005, 0.0, 0.04, -0.03])
    # the flat interval after the first trade holds what closing it cost
    assert trade_returns(returns, exposures).tolist() == pytest.approx([0.025, 0.04, -0.03])
    assert trade_returns(np.zeros(3), np.zeros(3)).tolist() == []


def test_performance_adds_up() -> None:
    rng = np.random.default_rng(0)
    exposures = np.array([1.0, 0.0, -1.0, 0.0] * 100)
    returns = np.tile([0.03, 0.0, -0.01, 0.0], 100)
    found = performance(returns, exposures, rng)
    assert found.trades == 200
    assert found.win_rate == 0.5
    assert found.break_even_rate == pytest.approx(0.25)
    assert found.profit_factor == pytest.approx(3.0)
    assert found.expectancy == pytest.approx(0.01)
    assert found.turnover == pytest.approx(1.0)
    assert found.total == pytest.approx((1.03 * 0.99) ** 100 - 1)
    assert found.mean == pytest.approx(0.005)
    assert found.low < found.mean < found.high


def test_performance_of_nothing() -> None:
    rng = np.random.default_rng(0)
    flat = performance(np.zeros(200), np.zeros(200), rng)
    assert (flat.trades, flat.total, flat.t, flat.turnover) == (0, 0.0, 0.0, 0.0)
    assert math.isnan(flat.win_rate)
    assert math.isnan(flat.profit_factor)
    assert performance(np.empty(0), np.empty(0), rng).decisions == 0
    assert performance(np.ones(1), np.ones(1), rng).profit_factor == math.inf
    with pytest.raises(ValueError, match="exposures must match returns, were 2 and 3"):
        performance(np.zeros(3), np.zeros(2), rng)


def test_a_bought_win_rate_is_below_its_break_even() -> None:
    """Target 35, stop 65, one step at a time, costs 1: 65 % of trades win, and money is lost."""
    rng = np.random.default_rng(1)
    wins = rng.random(20_000) < 0.65
    trades = np.where(wins, 35.0 - 1.0, -65.0 - 1.0)
    assert wins.mean() == pytest.approx(0.65, abs=0.01)
    assert break_even(34.0, 66.0) == 0.66 > wins.mean()
    assert trades.mean() < 0.0


def test_bootstrap_interval_covers() -> None:
    """A 90 % interval of the mean of an AR(1) covers zero about nine times in ten."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(200):
        noise = rng.normal(size=1500)
        values = np.empty(1500)
        values[0] = noise[0]
        for t in range(1, 1500):
            values[t] = 0.6 * values[t - 1] + noise[t]
        low, high = interval(values, 50, 400, 0.9, rng)
        covered.append(low < 0.0 < high)
    assert np.mean(covered) == pytest.approx(0.88, abs=0.07)


def test_bootstrap_of_a_constant_is_the_constant() -> None:
    rng = np.random.default_rng(0)
    assert bootstrap_means(np.full(10, 2.0), 3, 50, rng) == pytest.approx(2.0)
    assert block_means(np.arange(5.0), 2).tolist() == [0.5, 2.5]
    with pytest.raises(ValueError, match="block must be from 1 to 10 values, was 11"):
        bootstrap_means(np.zeros(10), 11, 5, rng)


def test_timing_needs_timing() -> None:
    rng = np.random.default_rng(0)
    market = rng.normal(0.001, 0.01, 3000)
    assert timing_p(np.ones(3000), market, 199, rng) == 1.0
    assert timing_p(np.zeros(3000), market, 199, rng) == 1.0
    assert timing_p(np.sign(market), market, 199, rng) == 1 / 200
    assert timing_p(-np.sign(market), market, 199, rng) == 1.0
    assert timing_p(np.ones(1), market[:1], 199, rng) == 1.0
    random = [
        timing_p(np.repeat(rng.choice([-1.0, 1.0], 300), 10), market, 199, rng) for _ in range(200)
    ]
    assert np.mean(np.array(random) <= 0.1) == pytest.approx(0.1, abs=0.06)
