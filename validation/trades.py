"""Trades out of decisions, and how they are distributed.

A trade is a stretch of one direction. Its size may change on the way; a turn from long to short
ends one and starts the next.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numba as nb
import numpy as np
import numpy.typing as npt

from validation.estimate import Estimate
from validation.paths import Ints, block_starts, fitting_block

__all__ = [
    "TradeDistribution",
    "Trades",
    "break_even",
    "distribution",
    "trade_returns",
    "trades_of",
]

Floats = npt.NDArray[np.float64]

QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


class Trades(NamedTuple):
    """Trades of a run, in order.

    Parameters
    ----------
    returns
        ``float64[k]``: sum of the net returns of each, what closing it cost included.
    holding
        ``float64[k]``: decisions each was held.
    """

    returns: Floats
    holding: Floats


class TradeDistribution(msgspec.Struct, frozen=True):
    """Figures of trades, with intervals; each ``nan`` without trades.

    Parameters
    ----------
    count
        Trades, one still open included.
    win_rate, break_even
        Share of trades that won, and the share at which these wins and losses would cancel. A
        win rate is worth something only as far as it is above its break-even.
    edge
        The one less the other.
    profit_factor
        Sum of wins over sum of losses; ``inf`` without losses, ``nan`` with neither. It exceeds 1
        exactly where ``expectancy`` exceeds 0.
    expectancy
        Mean net return of a trade.
    average_win, average_loss
        Of the trades that won, and that lost (positive).
    low, lower, median, upper, high
        Quantiles .05, .25, .5, .75 and .95 of the trades' net returns.
    skew
        Of the trades' net returns; 0 where all are one.
    losing_streak
        Most losing trades in a row.
    holding, holding_median, holding_high
        Mean, median and .95 quantile of the decisions a trade is held.
    """

    count: int
    win_rate: Estimate
    break_even: Estimate
    edge: Estimate
    profit_factor: Estimate
    expectancy: Estimate
    average_win: Estimate
    average_loss: Estimate
    low: Estimate
    lower: Estimate
    median: Estimate
    upper: Estimate
    high: Estimate
    skew: Estimate
    losing_streak: Estimate
    holding: Estimate
    holding_median: Estimate
    holding_high: Estimate


def trades_of(returns: Floats, exposures: Floats) -> Trades:
    """Cut a run into trades; flat stretches are left out.

    Parameters
    ----------
    returns
        ``float64[m]``: net, per decision.
    exposures
        ``float64[m]``: ``exposures[i]`` is held over the interval of ``returns[i]``. What is paid
        to close falls into the flat interval after it and is counted with the trade; what turning
        round costs falls into the new trade.

    Examples
    --------
    >>> trades_of(np.array([0.02, 0.01, -0.01, 0.03]), np.array([1.0, 1.0, 0.0, -1.0]))
    Trades(returns=array([0.02, 0.03]), holding=array([2., 1.]))
    """
    direction = np.sign(exposures)
    starts = np.flatnonzero(np.diff(direction, prepend=np.nan) != 0.0)
    if not len(starts):
        return Trades(np.empty(0), np.empty(0))
    sums = np.add.reduceat(returns, starts)
    kinds = direction[starts]
    closing = np.zeros(len(starts))
    flat_after = np.flatnonzero((kinds[1:] == 0.0) & (kinds[:-1] != 0.0)) + 1
    closing[flat_after - 1] = returns[starts[flat_after]]
    held = np.diff(starts, append=len(returns)).astype(np.float64)
    return Trades((sums + closing)[kinds != 0.0], held[kinds != 0.0])


def trade_returns(returns: Floats, exposures: Floats) -> Floats:
    """Net return of each trade of :func:`trades_of`."""
    return trades_of(returns, exposures).returns


def break_even(average_win: float, average_loss: float) -> float:
    """Share of wins at which wins and losses cancel: ``loss / (win + loss)``, both positive.

    A win rate says nothing without it: on a random walk, a target of 35 and a stop of 65 win
    65 % of the time and earn minus the costs.

    Examples
    --------
    >>> break_even(35.0, 65.0)
    0.65
    """
    total = average_win + average_loss
    return average_loss / total if total > 0.0 else math.nan


def distribution(
    trades: Trades,
    rng: np.random.Generator,
    block: int = 1,
    samples: int = 1000,
    level: float = 0.95,
) -> TradeDistribution:
    """Sum trades up, with intervals from resampled blocks of neighbouring trades.

    Parameters
    ----------
    trades
        In order.
    rng
        Draws the samples.
    block
        Trades per block, shortened so that eight blocks fit.
    samples
        Bootstrap samples.
    level
        Of the intervals.
    """
    count = len(trades.returns)
    if not count:
        return TradeDistribution(0, *[Estimate(math.nan)] * 17)
    ranked, held = _ranked(trades.returns), _ranked(trades.holding)
    block = fitting_block(block, count)
    columns = np.empty((1 + samples, 15))
    own = np.zeros((1, 1), np.int32)
    _resample(*ranked, *held, own, count, QUANTILES, columns[:1])
    done = 1
    for starts in block_starts(count, block, samples, rng):
        _resample(*ranked, *held, starts, block, QUANTILES, columns[done : done + len(starts)])
        done += len(starts)
    wins, won, losses, lost, streak, mean, skew, holding = columns.T[:8]
    with np.errstate(divide="ignore", invalid="ignore"):
        win, loss = won / wins, lost / losses
        breaks = _filled(loss) / (_filled(win) + _filled(loss))
        figures = (
            wins / count,
            breaks,
            wins / count - breaks,
            won / lost,
            mean,
            win,
            loss,
            *columns.T[8:13],
            skew,
            streak,
            holding,
            *columns.T[13:],
        )
    estimates = [Estimate.of(float(one[0]), one[1:], level) for one in figures]
    return TradeDistribution(count, *estimates)


def _filled(averages: Floats) -> Floats:
    """Take the average of none as 0: without losses, any win rate breaks even."""
    return np.where(np.isnan(averages), 0.0, averages)


def _ranked(values: Floats) -> tuple[Floats, Ints]:
    """Sort, and say where each value went: quantiles of a sample then need counting only."""
    order = np.argsort(values, kind="stable")
    rank = np.empty(len(values), np.int32)
    rank[order] = np.arange(len(values), dtype=np.int32)
    return values[order], rank


@nb.njit(cache=True)
def _resample(
    ordered: Floats,
    rank: Ints,
    held_ordered: Floats,
    held_rank: Ints,
    starts: Ints,
    block: int,
    quantiles: Floats,
    out: Floats,
) -> None:
    """Sum up one sample of trades for each row of ``starts``."""
    n = len(ordered)
    counts, held_counts = np.empty(n, np.int64), np.empty(n, np.int64)
    drawn = np.empty(n)
    for sample in range(len(starts)):
        counts[:], held_counts[:] = 0, 0
        wins, won, losses, lost = 0, 0.0, 0, 0.0
        streak, longest, at = 0, 0, 0
        for start in starts[sample]:
            i = start
            for _ in range(min(block, n - at)):
                at += 1
                value = ordered[rank[i]]
                counts[rank[i]] += 1
                held_counts[held_rank[i]] += 1
                i = i + 1 if i + 1 < n else 0
                if value < 0.0:
                    losses += 1
                    lost -= value
                    streak += 1
                    longest = max(longest, streak)
                else:
                    streak = 0
                    if value > 0.0:
                        wins += 1
                        won += value
        out[sample, 0], out[sample, 1], out[sample, 2] = wins, won, losses
        out[sample, 3], out[sample, 4] = lost, longest
        mean = (won - lost) / n
        out[sample, 5], out[sample, 6] = mean, _skew(ordered, counts, mean)
        _expand(ordered, counts, drawn)
        for q in range(5):
            out[sample, 8 + q] = _quantile(drawn, quantiles[q])
        _expand(held_ordered, held_counts, drawn)
        out[sample, 7] = drawn.mean()
        out[sample, 13], out[sample, 14] = _quantile(drawn, 0.5), _quantile(drawn, 0.95)


@nb.njit(cache=True)
def _expand(ordered: Floats, counts: npt.NDArray[np.int64], drawn: Floats) -> None:
    """Write the sample down in order."""
    at = 0
    for i in range(len(ordered)):
        for _ in range(counts[i]):
            drawn[at] = ordered[i]
            at += 1


@nb.njit(cache=True)
def _quantile(drawn: Floats, share: float) -> float:
    """Interpolate in a line between neighbours, as numpy does."""
    reach = share * (len(drawn) - 1)
    below = int(reach)
    above = min(below + 1, len(drawn) - 1)
    return float(drawn[below] + (reach - below) * (drawn[above] - drawn[below]))


@nb.njit(cache=True)
def _skew(ordered: Floats, counts: npt.NDArray[np.int64], mean: float) -> float:
    """Skewness of a sample; 0 where all values are one."""
    square, cube, largest = 0.0, 0.0, 0.0
    for i in range(len(ordered)):
        if counts[i]:
            off = ordered[i] - mean
            square += counts[i] * off * off
            cube += counts[i] * off * off * off
            largest = max(largest, abs(ordered[i]))
    variance = square / len(ordered)
    if variance <= (1e-12 * largest) ** 2:
        return 0.0
    return float(cube / len(ordered) / variance**1.5)
