"""Luck: what the same trades, or the same market, might have come to in another order.

Trades are drawn in stationary blocks, so that runs of luck stay together (Politis and Romano, "The
stationary bootstrap", 1994): with probability ``1 / block`` a trade begins a new block at a random
place, else it is the one that followed. Shuffled instead, every trade comes once: the end is the
one that was, and only the way there differs.

What this can't tell: trades of a market that was never seen. Bands are those of more of the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from features.augment import block_bootstrap
from market.errors import DataError
from market.tape import Tape
from trading.record import Record
from trading.robustness.distribution import Fan, Histogram, Kind, MonteCarlo, summed
from trading.robustness.paths import ENDS, FIGURES, walked
from trading.robustness.variation import Rerun, Variation

__all__ = ["Fan", "Histogram", "MonteCarlo", "of_markets", "of_trades", "trade_returns"]

Floats = npt.NDArray[np.float64]

POINTS = 101
"""Of a fan."""


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
    return summed(kind, drawn, marks / n, start, n, length, ruin_at, level)


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
    return summed("paths", (figures, levels), marks, start, trades, block, ruin_at, level)


def _check(samples: int, ruin_at: float) -> None:
    if samples < 1:
        raise ValueError(f"samples must be at least 1, was {samples}")
    if not 0.0 < ruin_at <= 1.0:
        raise ValueError(f"ruin_at must be above 0 and at most 1, was {ruin_at}")


def _streak(pnl: Floats) -> float:
    longest = current = 0
    for lost in (pnl < 0.0).tolist():
        current = current + 1 if lost else 0
        longest = max(longest, current)
    return float(longest)
