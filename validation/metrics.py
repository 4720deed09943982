"""What a strategy's net returns amount to, and how sure that is.

Returns are simple, per decision, after all costs, as fractions of the equity at the decision.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from validation.estimate import Estimate
from validation.paths import Paths, fitting_block, walk
from validation.ratios import (
    calmar,
    drawdown_length,
    growth,
    max_drawdown,
    moments,
    periods_per_year,
    recovery_factor,
    sharpe,
    sortino,
    t_stat,
    turnover,
)
from validation.trades import TradeDistribution, break_even, distribution, trade_returns, trades_of

__all__ = [
    "Annual",
    "Estimate",
    "Performance",
    "TradeDistribution",
    "break_even",
    "calmar",
    "drawdown_length",
    "growth",
    "max_drawdown",
    "moments",
    "performance",
    "periods_per_year",
    "recovery_factor",
    "sharpe",
    "sortino",
    "t_stat",
    "trade_returns",
    "turnover",
]

Floats = npt.NDArray[np.float64]


class Annual(msgspec.Struct, frozen=True):
    """Figures per year; see :mod:`validation.ratios` for what annualising takes for granted.

    Parameters
    ----------
    periods
        Decisions per year.
    growth
        Compounded net return of a year at the run's mean log return.
    volatility
        Standard deviation of the returns times ``sqrt(periods)``.
    sharpe, sortino
        Those per decision times ``sqrt(periods)``.
    calmar
        ``growth`` over the run's largest drawdown.
    """

    periods: float
    growth: Estimate
    volatility: Estimate
    sharpe: Estimate
    sortino: Estimate
    calmar: Estimate


class Performance(msgspec.Struct, frozen=True):
    """Figures of one run with intervals; ``nan`` where there was nothing to count.

    Parameters
    ----------
    decisions
        Returns counted.
    total
        Compounded net return.
    mean, volatility, sharpe, sortino, calmar
        Per decision, as :mod:`validation.ratios` has them.
    t
        Student's t of the mean, from block means.
    drawdown
        Largest loss from a peak, fraction.
    drawdown_length
        Decisions it lasted, from the peak until equity was back there or the run ended.
    recovery
        Total over drawdown.
    turnover
        Mean absolute change of exposure per decision.
    trades
        Stretches of one direction.
    win_rate, break_even, profit_factor, expectancy
        Those of ``distribution``.
    distribution
        Of the trades.
    annual
        The same per year, where the periods per year were given.
    """

    decisions: int
    total: Estimate
    mean: Estimate
    volatility: Estimate
    sharpe: Estimate
    sortino: Estimate
    calmar: Estimate
    t: float
    drawdown: Estimate
    drawdown_length: Estimate
    recovery: Estimate
    turnover: Estimate
    distribution: TradeDistribution
    annual: Annual | None = None

    @property
    def trades(self) -> int:
        """How many."""
        return self.distribution.count

    @property
    def win_rate(self) -> Estimate:
        """Share of trades that won; worth nothing without :attr:`break_even`."""
        return self.distribution.win_rate

    @property
    def break_even(self) -> Estimate:
        """Share of wins at which these wins and losses would cancel."""
        return self.distribution.break_even

    @property
    def profit_factor(self) -> Estimate:
        """Sum of wins over sum of losses."""
        return self.distribution.profit_factor

    @property
    def expectancy(self) -> Estimate:
        """Mean net return of a trade."""
        return self.distribution.expectancy


def performance(
    returns: Floats,
    exposures: Floats,
    rng: np.random.Generator,
    block: int = 50,
    samples: int = 1000,
    per_year: float | None = None,
    level: float = 0.95,
) -> Performance:
    """Sum a run up.

    Intervals are percentiles of circular block-bootstrap samples: figures of decisions from
    resampled paths as long as the run, figures of trades from resampled trades, in blocks of as
    many as fall into ``block`` decisions on average. They say what other runs of the same law
    would show; a largest drawdown thus has an interval that needn't lie round the one that came.

    Parameters
    ----------
    returns
        ``float64[m]``: net, per decision; finite.
    exposures
        ``float64[m]``: held over the same intervals, from flat; finite.
    rng
        Draws the bootstrap samples.
    block
        Decisions per block: longer than a trade, and than what returns remember. Shortened so that
        eight fit.
    samples
        Bootstrap samples.
    per_year
        Decisions per year, for the figures per year (:func:`validation.ratios.periods_per_year`).
    level
        Of the intervals.

    Raises
    ------
    ValueError
        Lengths differ, or a value isn't finite.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = performance(rng.normal(0.001, 0.01, 2000), np.ones(2000), rng, per_year=252)
    >>> found.annual.sharpe.low < found.annual.sharpe.value < found.annual.sharpe.high
    True
    >>> found.trades, found.turnover.value
    (1, 0.0005)
    """
    m = len(returns)
    if m != len(exposures):
        raise ValueError(f"exposures must match returns, were {len(exposures)} and {m}")
    for name, values in (("returns", returns), ("exposures", exposures)):
        if not np.isfinite(values).all():
            row = int(np.argmin(np.isfinite(values)))
            raise ValueError(f"{name} must be finite, was {values[row]} at decision {row}")
    if per_year is not None and per_year <= 0.0:
        raise ValueError(f"per_year must be positive, was {per_year}")
    trades = trades_of(returns, exposures)
    if not m:
        none = Estimate(math.nan)
        return Performance(
            decisions=0,
            total=none,
            mean=none,
            volatility=none,
            sharpe=none,
            sortino=none,
            calmar=none,
            t=math.nan,
            drawdown=none,
            drawdown_length=none,
            recovery=none,
            turnover=none,
            distribution=distribution(trades, rng),
            annual=None if per_year is None else Annual(per_year, none, none, none, none, none),
        )
    block = fitting_block(block, m)
    paths = walk(returns, exposures, block, samples, rng)
    ratios = _ratios(paths, m, 1.0, level)
    per_block = round(block * len(trades.returns) / m)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        total = np.expm1(paths.growth)
        recovery = total / paths.drawdown
    return Performance(
        decisions=m,
        total=_estimate(total, level),
        mean=_estimate(paths.mean, level),
        volatility=ratios.volatility,
        sharpe=ratios.sharpe,
        sortino=ratios.sortino,
        calmar=ratios.calmar,
        t=t_stat(returns, block),
        drawdown=_estimate(paths.drawdown, level),
        drawdown_length=_estimate(paths.length, level),
        recovery=_estimate(recovery, level),
        turnover=_estimate(paths.turnover, level),
        distribution=distribution(trades, rng, max(1, per_block), samples, level),
        annual=None if per_year is None else _ratios(paths, m, per_year, level),
    )


def _ratios(paths: Paths, n: int, per_year: float, level: float) -> Annual:
    """Ratios of every path, per so many decisions."""
    root = math.sqrt(per_year)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        grown = np.expm1(per_year / n * paths.growth)
        figures = (
            grown,
            root * paths.spread,
            root * np.where(paths.spread > 0.0, paths.mean / paths.spread, 0.0),
            root * paths.mean / paths.below,
            grown / paths.drawdown,
        )
    return Annual(per_year, *[_estimate(one, level) for one in figures])


def _estimate(paths: Floats, level: float) -> Estimate:
    """Of a figure of all paths, the run's own first."""
    return Estimate.of(float(paths[0]), paths[1:], level)
