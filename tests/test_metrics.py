"""Figures of a run by hand, against plain formulas, and how often their intervals hold."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from validation.estimate import Estimate
from validation.metrics import (
    calmar,
    drawdown_length,
    growth,
    max_drawdown,
    moments,
    performance,
    periods_per_year,
    recovery_factor,
    sharpe,
    sortino,
    t_stat,
    turnover,
)
from validation.paths import block_starts, fitting_block, walk

Floats = npt.NDArray[np.float64]

RETURNS = arrays(np.float64, st.integers(2, 60), elements=st.floats(-0.25, 0.25, width=32))


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


def test_sortino_calmar_recovery_by_hand() -> None:
    returns = np.array([0.10, -0.20, 0.05, -0.10, 0.30])
    assert sortino(returns) == pytest.approx(0.03 / math.sqrt((0.04 + 0.01) / 5))
    assert sortino(returns, target=0.05) == pytest.approx(
        -0.02 / math.sqrt((0.25**2 + 0.15**2) / 5)
    )
    equity = [1.1, 0.88, 0.924, 0.8316, 1.08108]
    assert max_drawdown(returns) == pytest.approx(1.0 - 0.8316 / 1.1)
    assert drawdown_length(returns) == 4, "never back at 1.1"
    assert growth(returns, 10.0) == pytest.approx(equity[-1] ** 2 - 1.0)
    assert calmar(returns, 10.0) == pytest.approx((equity[-1] ** 2 - 1.0) / (1.0 - 0.8316 / 1.1))
    assert recovery_factor(returns) == pytest.approx(0.08108 / (1.0 - 0.8316 / 1.1))
    assert turnover(np.array([1.0, 1.0, -1.0, 0.0])) == 1.0


def test_ratios_at_the_edges() -> None:
    ups, none, empty = np.full(4, 0.1), np.zeros(4), np.empty(0)
    assert sortino(ups) == calmar(ups) == recovery_factor(ups) == math.inf
    for nothing in (sortino(none), calmar(none), recovery_factor(none), sortino(empty)):
        assert math.isnan(nothing)
    assert math.isnan(growth(empty))
    assert math.isnan(turnover(empty))
    ruined = np.array([0.5, -1.2, 3.0])
    assert (growth(ruined), max_drawdown(ruined), calmar(ruined)) == (-1.0, 1.0, -1.0)
    assert drawdown_length(ruined) == 2
    assert drawdown_length(ups) == drawdown_length(empty) == 0
    assert drawdown_length(np.array([-0.1, 0.2, 0.1, -0.3, 0.1, 0.4, 0.1])) == 3


def test_periods_per_year() -> None:
    minute = 60_000_000_000
    assert periods_per_year(np.arange(9) * minute) == pytest.approx(365.25 * 1440)
    # five bars a day: nights count as time without decisions
    days = (np.arange(400)[:, None] * 1440 + np.arange(5)) * minute
    assert periods_per_year(days.ravel()) == pytest.approx(5 * 365.25, rel=0.01)
    with pytest.raises(ValueError, match="times must rise over two decisions at least, were 1"):
        periods_per_year(np.array([minute]))


@settings(max_examples=60, deadline=None)
@given(RETURNS, st.floats(0.01, 3.0))
def test_ratios_keep_their_promises(returns: Floats, scale: float) -> None:
    drawdown = max_drawdown(returns)
    assert 0.0 <= drawdown < 1.0
    assert max_drawdown(np.abs(returns)) == 0.0
    assert max_drawdown(np.append(returns, -0.1)) >= drawdown, "more time never mends it"
    assert 0 <= drawdown_length(returns) <= len(returns)
    assert sharpe(returns * scale) == pytest.approx(sharpe(returns), rel=1e-6, abs=1e-9)
    assert sharpe(-returns) == pytest.approx(-sharpe(returns))
    ratio = sortino(returns)
    assert sortino(returns * scale) == pytest.approx(ratio, rel=1e-6, nan_ok=True)
    assert math.isnan(ratio) or np.sign(ratio) == np.sign(returns.mean())


def resampled(n: int, block: int, samples: int, seed: int) -> npt.NDArray[np.int64]:
    """Which decisions each path is made of."""
    starts = np.concatenate(list(block_starts(n, block, samples, np.random.default_rng(seed))))
    rows = (starts[:, :, None] + np.arange(block)).reshape(samples, -1) % n
    return rows[:, :n]


def test_every_path_has_the_figures_of_its_returns() -> None:
    rng = np.random.default_rng(0)
    returns, exposures = rng.normal(0.001, 0.02, 103), rng.choice([-1.0, 0.0, 1.0], 103)
    returns[60] = 0.0
    paths = walk(returns, exposures, 10, 40, np.random.default_rng(7))
    changes = np.abs(np.diff(exposures, prepend=0.0))
    rows = np.vstack((np.arange(103), resampled(103, 10, 40, 7)))
    for path, chosen in enumerate(rows):
        own = returns[chosen]
        assert paths.mean[path] == pytest.approx(own.mean())
        assert paths.spread[path] == pytest.approx(own.std(ddof=1))
        assert paths.below[path] == pytest.approx(np.sqrt((np.minimum(own, 0.0) ** 2).mean()))
        assert paths.growth[path] == pytest.approx(np.log(np.prod(1.0 + own)))
        assert paths.drawdown[path] == pytest.approx(max_drawdown(own))
        assert paths.length[path] == drawdown_length(own)
        assert paths.turnover[path] == pytest.approx(changes[chosen].mean())


def test_a_drawdown_starts_at_its_last_peak() -> None:
    returns = np.array([0.25, 0.0, 0.0, -0.1, 0.25, 0.0])
    paths = walk(returns, np.ones(6), 6, 1, np.random.default_rng(0))
    assert paths.length[0] == drawdown_length(returns) == 2


def test_performance_is_what_the_formulas_say() -> None:
    rng = np.random.default_rng(1)
    returns, exposures = rng.normal(0.001, 0.02, 400), rng.choice([-1.0, 0.0, 1.0], 400)
    found = performance(returns, exposures, np.random.default_rng(2), block=20, per_year=250.0)
    assert found.total.value == pytest.approx(np.prod(1.0 + returns) - 1.0)
    assert found.mean.value == pytest.approx(returns.mean())
    assert found.volatility.value == pytest.approx(returns.std(ddof=1))
    assert found.sharpe.value == pytest.approx(sharpe(returns))
    assert found.sortino.value == pytest.approx(sortino(returns))
    assert found.calmar.value == pytest.approx(calmar(returns))
    assert found.drawdown.value == pytest.approx(max_drawdown(returns))
    assert found.drawdown_length.value == drawdown_length(returns)
    assert found.recovery.value == pytest.approx(recovery_factor(returns))
    assert found.turnover.value == pytest.approx(turnover(exposures))
    assert found.t == pytest.approx(t_stat(returns, 20))
    annual = found.annual
    assert annual is not None
    assert annual.growth.value == pytest.approx(np.prod(1.0 + returns) ** (250 / 400) - 1.0)
    assert annual.volatility.value == pytest.approx(returns.std(ddof=1) * 250**0.5)
    assert annual.sharpe.value == pytest.approx(sharpe(returns) * 250**0.5)
    assert annual.sortino.value == pytest.approx(sortino(returns) * 250**0.5)
    assert annual.calmar.value == pytest.approx(calmar(returns, 250.0))
    # the interval is that of the same figure, path by path
    drawn = np.sort([sharpe(returns[rows]) for rows in resampled(400, 20, 1000, 2)])
    assert (found.sharpe.low, found.sharpe.high) == pytest.approx((drawn[24], drawn[-25]))
    again = performance(returns, exposures, np.random.default_rng(2), block=20, per_year=250.0)
    assert again == found, "same seed, same figures"
    assert performance(returns, exposures, np.random.default_rng(2), block=20).annual is None


def test_performance_of_nothing() -> None:
    rng = np.random.default_rng(0)
    flat = performance(np.zeros(200), np.zeros(200), rng, per_year=10.0)
    assert (flat.trades, flat.t) == (0, 0.0)
    for zero in (flat.total, flat.mean, flat.sharpe, flat.drawdown, flat.turnover):
        assert zero == Estimate(0.0, 0.0, 0.0)
    for nothing in (flat.win_rate, flat.profit_factor, flat.sortino, flat.calmar, flat.recovery):
        assert str(nothing) == "-"
    empty = performance(np.empty(0), np.empty(0), rng, per_year=10.0)
    assert empty.annual is not None
    assert (empty.decisions, str(empty.total), str(empty.annual.sharpe)) == (0, "-", "-")
    assert performance(np.ones(1), np.ones(1), rng).profit_factor.value == math.inf
    ruined = performance(np.array([0.1, -1.5] * 20), np.ones(40), rng, per_year=10.0)
    assert (ruined.total.value, ruined.drawdown.value) == (-1.0, 1.0)
    with pytest.raises(ValueError, match="exposures must match returns, were 2 and 3"):
        performance(np.zeros(3), np.zeros(2), rng)
    with pytest.raises(ValueError, match="returns must be finite, was nan at decision 1"):
        performance(np.array([0.0, np.nan]), np.zeros(2), rng)
    with pytest.raises(ValueError, match="per_year must be positive, was 0"):
        performance(np.zeros(2), np.zeros(2), rng, per_year=0.0)
    with pytest.raises(ValueError, match="block must be at least 1, was 0"):
        performance(np.zeros(2), np.zeros(2), rng, block=0)


def test_an_estimate_leaves_out_what_is_undefined() -> None:
    drawn = np.array([math.inf, 3.0, math.nan, 1.0, 2.0])
    assert Estimate.of(2.0, drawn, level=0.3) == Estimate(2.0, 2.0, 3.0)
    assert Estimate.of(2.0, drawn) == Estimate(2.0, 1.0, math.inf)
    assert math.isnan(Estimate.of(2.0, np.array([1.0, math.nan])).low)
    assert math.isnan(Estimate.of(math.nan, np.ones(5)).high)
    assert str(Estimate.of(0.5, np.empty(0))) == "0.5"
    assert [fitting_block(50, n) for n in (1000, 400, 80, 3)] == [50, 50, 10, 1]


def test_intervals_hold_as_often_as_they_say() -> None:
    """Of independent returns about 95 %; of dependent ones only if blocks are long enough."""
    rng = np.random.default_rng(6)
    held = np.zeros(4)
    runs = 200
    for _ in range(runs):
        noise = rng.normal(0.0, 0.01, 500)
        free, bound = noise + 0.001, np.convolve(noise, np.full(8, 0.4), "same")
        for at, returns, block, truth in (
            (0, free, 1, 0.1),
            (1, free, 10, 0.1),
            (2, bound, 1, 0.0),
            (3, bound, 40, 0.0),
        ):
            interval = performance(returns, np.ones(500), rng, block, 200).sharpe
            held[at] += interval.low <= truth <= interval.high
    assert held[0] / runs == pytest.approx(0.945, abs=0.035)
    assert held[1] / runs == pytest.approx(0.93, abs=0.04)
    assert held[2] / runs < 0.65
    assert held[3] / runs > 0.82


def test_drawdowns_of_other_runs_fall_into_the_interval() -> None:
    rng = np.random.default_rng(8)
    held = []
    for _ in range(200):
        first, second = rng.normal(0.0, 0.01, (2, 1000))
        found = performance(first, np.ones(1000), rng, 20, 200)
        held.append(found.drawdown.low <= max_drawdown(second) <= found.drawdown.high)
    assert 0.75 < np.mean(held) < 0.97
