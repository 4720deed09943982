"""A made-up market with everything recorded: what an audit looks at where there are no recordings.

Quotes around a wandering price that jumps now and then, trades that hit them, bars of the trades,
and another symbol that moves with it: no number in it means anything, but nothing in it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from features.beside import Beside
from market.events import SECOND, BookUpdate
from market.series import Series
from market.tape import Tape

__all__ = ["LEVELS", "specimen"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEVELS = 24
"""Of each side of the book; more than the columns look at."""

_START = 1_775_000_000 * SECOND
_STEP = 60 * SECOND
_TICK = 0.01


def specimen(rng: np.random.Generator, bars: int = 3_000, gap: bool = True) -> tuple[Tape, Beside]:
    """Return bars with volume, trade counts and sides, and what lies beside them.

    Parameters
    ----------
    rng
        What it is made of.
    bars
        How many; each of four trades and two updates of the book.
    gap
        Whether the feed breaks once, two thirds through.
    """
    trades = 4 * bars
    common, own = rng.standard_t(4, trades) * 2.5e-4, rng.normal(0.0, 2.5e-4, trades)
    own[::700] += rng.choice([-0.02, 0.02], len(own[::700]))
    mids = np.round(100.0 * np.exp(np.cumsum(common + own)), 2)
    times = _START + np.arange(1, trades + 1) * (_STEP // 4) - SECOND
    sizes = np.round(rng.lognormal(0.0, 1.0, trades) + 0.01, 2)
    sides = rng.choice(np.array([-1, 1], np.int8), trades)
    spread: Floats = _TICK * rng.integers(1, 4, trades).astype(np.float64)
    prices = np.round(mids + sides * spread, 2)
    hole = 4 * (2 * bars // 3)
    fresh = np.zeros(trades, np.bool_)
    fresh[hole] = gap
    whole = set(range(0, trades, 400))
    told = Series.trades("A", times, np.arange(trades), prices, sizes, sides, fresh)
    book = Series.from_events("A", _updates(rng, mids, spread, times - SECOND, whole))
    moves = np.resize(common[::4] * 2.0, bars + 2)
    peer = Tape.of_ticks(
        "B", _START + (np.arange(bars + 2) - 1) * _STEP, 50.0 * np.exp(np.cumsum(moves))
    )
    return _bars(prices, sizes, sides, fresh), Beside(told, book, str(_TICK), peer)


def _bars(prices: Floats, sizes: Floats, sides: npt.NDArray[np.int8], fresh: Bools) -> Tape:
    """Return the bars of every four trades."""
    price, volume = prices.reshape(-1, 4), sizes.reshape(-1, 4)
    bought = volume * (sides.reshape(-1, 4) > 0)
    values = np.column_stack(
        [price[:, 0], price.max(axis=1), price.min(axis=1), price[:, -1], volume.sum(axis=1),
         np.full(len(price), 4.0), bought.sum(axis=1)]
    )  # fmt: skip
    times = _START + np.arange(1, len(price) + 1) * _STEP
    return Tape("A", True, times, values, np.logical_or.reduce(fresh.reshape(-1, 4), axis=1))


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
