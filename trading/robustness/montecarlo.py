"""Luck: what the same trades, or the same market, might have come to in another order.

Trades are drawn in stationary blocks, so that runs of luck stay together (Politis and Romano, "The
stationary bootstrap", 1994): with probability ``1 / block`` a trade begins a new block at a random
place, else it is the one that followed. Shuffled instead, every trade comes once: the end is the
one that was, and only the way there differs.

What this can't tell: trades of a market that was never seen. Bands are those of more of the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from features.augment import block_bootstrap
from market.errors import DataError
from market.tape import Tape
from trading.record import Record
from trading.robustness.paths import ENDS, FIGURES, walked
from trading.robustness.result import Result
from trading.robustness.variation import Rerun, Variation
from validation.estimate import Estimate

__all__ = ["LEVELS", "Fan", "Histogram", "MonteCarlo", "of_markets", "of_trades", "trade_returns"]

Floats = npt.NDArray[np.float64]

Kind = Literal["trades", "shuffled", "paths"]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of a fan."""

POINTS = 101
BINS = 40


class Fan(Result, frozen=True):
    """Quantiles of the equity paths on the way.

    Parameters
    ----------
    steps
        Share of the way, 0 to 1; ``p`` of them.
    levels
        Of the quantiles; ``q`` of them.
    bands
        ``q`` rows of ``p``: the quantile of equity at each step, account currency.
    own
        ``p``: what really happened.
    """

    steps: tuple[float, ...]
    levels: tuple[float, ...]
    bands: tuple[tuple[float, ...], ...]
    own: tuple[float, ...]


class Histogram(Result, frozen=True):
    """How often what came out: ``k + 1`` edges of ``k`` counts."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class MonteCarlo(Result, frozen=True):
    """Distribution of what a run might have come to.

    Parameters
    ----------
    kind
        ``trades`` drawn with repetition, trades ``shuffled``, or the market's ``paths``.
    samples
        Paths drawn.
    trades
        In each; of ``paths``, those of the run itself.
    block
        Mean length of what was kept together: trades, or events of the market.
    level
        Of the intervals.
    start
        Equity that all begin with, account currency.
    pnl
        At the end, account currency.
    drawdown
        Largest loss from a peak, fraction of it.
    under_water
        Longest stretch below an earlier peak, as a share of the way.
    streak
        Most losing trades in a row.
    loss
        Share of paths that end below the start.
    ruin
        Share of paths that at any time fell below ``1 - ruin_at`` of the start.
    ruin_at
        Loss that counts as ruin, fraction of the start.
    fan
        Equity on the way.
    finals
        P&L at the end.
    """

    kind: Kind
    samples: int
    trades: int
    block: float
    level: float
    start: float
    pnl: Estimate
    drawdown: Estimate
    under_water: Estimate
    streak: Estimate
    loss: float
    ruin: float
    ruin_at: float
    fan: Fan
    finals: Histogram


def trade_returns(record: Record) -> Floats:
    """P&L of each trade over the account's equity when it was opened, in order of closing.

    Compounded they are the run's growth, where one trade ends before the next one opens; where
    trades of several symbols overlap, nearly so.

    Returns
    -------
    ``float64[k]``
    """
    trips, worth = record.trips, record.equity
    at = np.searchsorted(record.times, trips.opened, side="right") - 1
    found: Floats = trips.pnl / worth[np.maximum(at, 0)]
    return found


def of_trades(
    record: Record,
    rng: np.random.Generator,
    *,
    samples: int = 2000,
    block: float | None = None,
    shuffle: bool = False,
    compound: bool = True,
    ruin_at: float = 0.5,
    level: float = 0.9,
) -> MonteCarlo:
    """Draw the run's trades again, in blocks.

    Parameters
    ----------
    record
        The run; one trade at least.
    rng
        Draws.
    samples
        Paths drawn.
    block
        Mean trades kept together; ``None``: the cube root of the number of trades. 1 takes trades
        for independent.
    shuffle
        Every trade once, one by one in random order.
    compound
        A trade earns its fraction of what the path has then; else its fraction of the start.
    ruin_at
        Loss that counts as ruin, fraction of the start.
    level
        Of the intervals.

    Raises
    ------
    DataError
        The run has no trade.

    Notes
    -----
    With ``shuffle`` and without overlapping trades the end is the same on every path, so the fan
    closes there: what varies is drawdown, time under water and streaks. Where the run's own
    drawdown is small among them, its order was lucky.
    """
    _check(samples, ruin_at)
    returns = trade_returns(record)
    n = len(returns)
    if not n:
        raise DataError(f"{record.name}: no trade to draw from; choose a run that trades")
    length = max(1.0, n ** (1.0 / 3.0)) if block is None else float(block)
    start = float(record.equity[0])
    marks = np.unique(np.linspace(0, n, min(POINTS, n + 1)).round().astype(np.int64))
    length = 1.0 if shuffle else length
    steps = returns if compound else record.trips.pnl / start
    drawn = walked(steps, marks, length, samples, rng, shuffle=shuffle, compound=compound)
    kind: Kind = "shuffled" if shuffle else "trades"
    return _found(kind, drawn, marks / n, start, n, length, ruin_at, level)


def of_markets(
    rerun: Rerun,
    tapes: Mapping[str, Tape],
    block: int,
    rng: np.random.Generator,
    *,
    samples: int = 50,
    ruin_at: float = 0.5,
    level: float = 0.9,
) -> MonteCarlo:
    """Run the strategy over markets that might have been.

    The tapes are put together anew by :func:`features.augment.block_bootstrap`. Symbols whose tapes
    have equally many rows and the same gaps are cut alike, so that what moves them together stays.

    Parameters
    ----------
    rerun
        Runs the strategy.
    tapes
        What was recorded, by symbol.
    block
        Mean events kept together. What can be predicted over longer spans is lost: blocks must be
        several times as long as trades last, or else this shows a market without the edge.
    rng
        Draws.
    samples
        Markets drawn.
    ruin_at, level
        As in :func:`of_trades`.
    """
    _check(samples, ruin_at)
    own = rerun(Variation())
    marks = np.linspace(0.0, 1.0, POINTS)
    figures, levels = np.empty((1 + samples, len(FIGURES))), np.empty((1 + samples, POINTS))
    for row in range(1 + samples):
        seed = int(rng.integers(1 << 32))
        drawn = {
            symbol: block_bootstrap(tape, block, np.random.default_rng(seed))
            for symbol, tape in tapes.items()
        }
        one = rerun(Variation(tapes=drawn)) if row else own
        worth = np.maximum(one.equity, 0.0)
        alive = np.where(worth[:-1] > 0.0, worth[:-1], np.inf)
        steps = np.diff(worth) / alive
        at = np.round(marks * len(steps)).astype(np.int64)
        path = walked(steps, at, 1.0, 0, rng)
        figures[row], levels[row] = path[0][0], path[1][0]
        figures[row, ENDS["streak"]] = _streak(one.trips.pnl)
    start, trades = float(own.equity[0]), len(own.trips)
    return _found("paths", (figures, levels), marks, start, trades, block, ruin_at, level)


def _check(samples: int, ruin_at: float) -> None:
    if samples < 1:
        raise ValueError(f"samples must be at least 1, was {samples}")
    if not 0.0 < ruin_at <= 1.0:
        raise ValueError(f"ruin_at must be above 0 and at most 1, was {ruin_at}")


def _found(
    kind: Kind,
    paths: tuple[Floats, Floats],
    steps: Floats,
    start: float,
    trades: int,
    block: float,
    ruin_at: float,
    level: float,
) -> MonteCarlo:
    """Sum paths up; the first one is what really happened."""
    figures, levels = paths
    drawn = figures[1:]
    of = {name: Estimate.of(float(figures[0, k]), drawn[:, k], level) for name, k in ENDS.items()}
    pnl = start * (drawn[:, ENDS["end"]] - 1.0)
    # Paths that end alike, to rounding, are no distribution: a bin holds them all.
    nothing = 1e-9 * start
    spread = float(np.ptp(pnl)) > nothing
    middle = float(np.median(pnl))
    limits = None if spread else (middle - nothing, middle + nothing)
    counts, edges = np.histogram(pnl, BINS if spread else 1, range=limits)
    bands = np.quantile(start * levels[1:], LEVELS, axis=0)
    end = of["end"]
    return MonteCarlo(
        kind=kind,
        samples=len(drawn),
        trades=trades,
        block=float(block),
        level=level,
        start=start,
        pnl=Estimate(*(start * (one - 1.0) for one in (end.value, end.low, end.high))),
        drawdown=of["drawdown"],
        under_water=of["under_water"],
        streak=of["streak"],
        loss=float((pnl < -nothing).mean()),
        ruin=float((drawn[:, ENDS["lowest"]] <= 1.0 - ruin_at).mean()),
        ruin_at=ruin_at,
        fan=Fan(
            tuple(steps.tolist()),
            LEVELS,
            tuple(tuple(row) for row in bands.tolist()),
            tuple((start * levels[0]).tolist()),
        ),
        finals=Histogram(tuple(edges.tolist()), tuple(counts.tolist())),
    )


def _streak(pnl: Floats) -> float:
    longest = current = 0
    for lost in (pnl < 0.0).tolist():
        current = current + 1 if lost else 0
        longest = max(longest, current)
    return float(longest)
