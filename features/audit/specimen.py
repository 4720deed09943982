"""A made-up market with everything recorded: what an audit looks at where there are no recordings.

Quotes around a wandering price that jumps now and then, trades that hit them, bars of the trades,
and another symbol that moves with it: no number in it means anything, but nothing in it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from market.beside import Beside
from market.events import SECOND, BookUpdate
from market.series import Series
from market.tape import Tape

__all__ = ["LEVELS", "specimen"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEVELS = 24
"""Of each side of the book; more than the columns look at."""

_START = 1_775_000_000 * SECOND
_STEP = 120 * SECOND
_TICK = 0.01


def specimen(rng: np.random.Generator, bars: int = 3_000, gap: bool = True) -> tuple[Tape, Beside]:
    """Return bars with volume, trade counts and sides, and what lies beside them.

    Parameters
    ----------
    rng
        What it is made of.
    bars
        How many; each of about four trades and two updates of the book.
    gap
        Whether the feed breaks once, two thirds through.
    """
    counts, lengths = rng.integers(2, 7, bars), rng.integers(_STEP // 2, _STEP * 3 // 2, bars)
    ends = _START + np.cumsum(lengths)
    first = np.cumsum(counts) - counts
    trades = int(counts.sum())
    within = np.arange(trades) - np.repeat(first, counts)
    before = np.repeat(lengths // (counts + 1), counts) * (within + 1)
    times: Ints = np.sort(np.repeat(ends, counts) - before).astype(np.int64)

    common, own = rng.standard_t(4, trades) * 2.5e-4, rng.normal(0.0, 2.5e-4, trades)
    own[::700] += rng.choice([-0.02, 0.02], len(own[::700]))
    mids = np.round(100.0 * np.exp(np.cumsum(common + own)), 2)
    sizes = np.round(rng.lognormal(0.0, 1.0, trades) + 0.01, 2)
    sides = rng.choice(np.array([-1, 1], np.int8), trades)
    spread: Floats = _TICK * rng.integers(1, 4, trades).astype(np.float64)
    prices = np.round(mids + sides * spread, 2)
    values = _bars(prices, sizes, sides, first)
    fresh, broken = np.zeros(bars, np.bool_), np.zeros(trades, np.bool_)
    fresh[2 * bars // 3] = broken[first[2 * bars // 3]] = gap
    told = Series.trades("A", times, np.arange(trades), prices, sizes, sides, broken)
    whole = set(range(0, trades, 400))
    book = Series.from_events("A", _updates(rng, mids, spread, times - SECOND, whole))
    moves = 2.0 * np.add.reduceat(common, first)
    peer = Tape.of_ticks(
        "B", np.append(_START - _STEP, ends), 50.0 * np.exp(np.append(0.0, np.cumsum(moves)))
    )
    return Tape("A", True, ends, values, fresh), Beside(told, book, str(_TICK), peer)


def _bars(prices: Floats, sizes: Floats, sides: npt.NDArray[np.int8], first: Ints) -> Floats:
    """Return the bars of the trades, each from its first one on."""
    last = np.append(first[1:], len(prices)) - 1
    columns = (
        prices[first],
        np.maximum.reduceat(prices, first),
        np.minimum.reduceat(prices, first),
        prices[last],
        np.add.reduceat(sizes, first),
        (last - first + 1).astype(np.float64),
        np.add.reduceat(sizes * (sides > 0), first),
    )
    return np.column_stack(columns)


def _updates(
    rng: np.random.Generator, mids: Floats, spread: Floats, times: Ints, whole: set[int]
) -> Iterator[BookUpdate]:
    """Yield the book before every other trade: all of it if that is in ``whole``, else changes."""
    bids: dict[float, float] = {}
    asks: dict[float, float] = {}
    for i in range(0, len(mids), 2):
        sizes = np.round(rng.lognormal(0.0, 1.0, (2, LEVELS)) + 0.01, 2).tolist()
        gone = (dict.fromkeys(bids, 0.0), dict.fromkeys(asks, 0.0)) if i not in whole else ({}, {})
        steps = spread[i] + np.arange(LEVELS) * _TICK
        bids = dict(zip(np.round(mids[i] - steps, 2).tolist(), sizes[0], strict=True))
        asks = dict(zip(np.round(mids[i] + steps, 2).tolist(), sizes[1], strict=True))
        levels = tuple((gone[0] | bids).items()), tuple((gone[1] | asks).items())
        yield BookUpdate("A", int(times[i]), i, i, *levels, -1, i in whole)
