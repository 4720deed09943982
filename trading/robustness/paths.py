"""Equity paths out of steps drawn again, walked once each."""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = ["ENDS", "FIGURES", "walked"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]

FIGURES = ("end", "drawdown", "under_water", "streak", "lowest")
"""Of a path: equity at the end, over the start; largest loss from a peak, a fraction of it; longest
stretch below an earlier peak, share of the steps; most losing steps in a row; lowest equity."""

ENDS = {name: k for k, name in enumerate(FIGURES)}

_AT_ONCE = 1 << 20
"""Steps drawn at once: what bounds the memory."""


def walked(
    steps: Floats,
    marks: Ints,
    block: float,
    samples: int,
    rng: np.random.Generator,
    *,
    shuffle: bool = False,
    compound: bool = True,
) -> tuple[Floats, Floats]:
    """Walk the steps as they came, and ``samples`` paths drawn from them.

    Parameters
    ----------
    steps
        ``float64[n]``: returns, one at least; of the equity there is (``compound``) or of the
        first.
    marks
        ``int[p]``: numbers of steps after which equity is noted, from 0 to ``n``, not falling.
    block
        Mean length of a block, from 1; blocks start anywhere and wrap round.
    samples
        Paths drawn.
    rng
        Draws them.
    shuffle
        Every step once, in random order, in place of blocks.
    compound
        Whether a step multiplies the equity, or adds to it.

    Returns
    -------
    float64[1 + samples, 5]
        :data:`FIGURES` of each; the first is of the steps as they came.
    float64[1 + samples, p]
        Equity over the start at the marks. What is gone stays gone.

    Examples
    --------
    >>> figures, levels = walked(
    ...     np.array([0.5, -0.5, 0.2]), np.array([0, 2, 3]), 1.0, 0, np.random.default_rng(0)
    ... )
    >>> dict(zip(FIGURES, figures[0].round(2).tolist()))
    {'end': 0.9, 'drawdown': 0.5, 'under_water': 0.67, 'streak': 1.0, 'lowest': 0.75}
    """
    n = len(steps)
    if not n:
        raise ValueError("steps must hold one at least, was empty")
    if not block >= 1.0:
        raise ValueError(f"block must be at least 1, was {block}")
    if not np.isfinite(steps).all():
        row = int(np.argmin(np.isfinite(steps)))
        raise ValueError(f"steps must be finite, was {steps[row]} at {row}")
    figures = np.empty((1 + samples, len(FIGURES)))
    levels = np.empty((1 + samples, len(marks)))
    _walk(steps, np.arange(n, dtype=np.int32)[None, :], marks, compound, figures[:1], levels[:1])
    at_once = max(1, _AT_ONCE // n)
    for first in range(1, 1 + samples, at_once):
        part = slice(first, min(first + at_once, 1 + samples))
        rows = part.stop - part.start
        order = _shuffled(n, rows, rng) if shuffle else _blocks(n, rows, block, rng)
        _walk(steps, order, marks, compound, figures[part], levels[part])
    return figures, levels


def _shuffled(n: int, rows: int, rng: np.random.Generator) -> Ints:
    return rng.permuted(np.broadcast_to(np.arange(n, dtype=np.int32), (rows, n)), axis=1)


def _blocks(n: int, rows: int, block: float, rng: np.random.Generator) -> Ints:
    """Places of stationary blocks: each step begins a new one with probability ``1 / block``."""
    begins = rng.random((rows, n), np.float32) < 1.0 / block
    places = rng.integers(0, n, (rows, n), np.int32)
    _follow(begins, places)
    return places


@nb.njit(cache=True, error_model="numpy")
def _follow(begins: npt.NDArray[np.bool_], places: Ints) -> None:
    """Have every place follow the one before it, but where a block begins."""
    n = places.shape[1]
    for row in range(len(places)):
        for at in range(1, n):
            if not begins[row, at]:
                after = places[row, at - 1] + 1
                places[row, at] = after if after < n else 0


@nb.njit(cache=True, error_model="numpy")
def _walk(
    steps: Floats, order: Ints, marks: Ints, compound: bool, figures: Floats, levels: Floats
) -> None:
    """Walk a path for each row of ``order``."""
    n = order.shape[1]
    for path in range(len(order)):
        worth, peak, lowest, depth = 1.0, 1.0, 1.0, 0.0
        dry, longest, streak, most, mark = 0, 0, 0, 0, 0
        while mark < len(marks) and marks[mark] == 0:
            levels[path, mark] = worth
            mark += 1
        for at in range(n):
            step = steps[order[path, at]]
            if worth > 0.0:
                worth = max(0.0, worth * (1.0 + step) if compound else worth + step)
            if step < 0.0:
                streak += 1
                most = max(most, streak)
            else:
                streak = 0
            if worth >= peak:
                peak, dry = worth, 0
            else:
                dry += 1
                longest = max(longest, dry)
                depth = max(depth, 1.0 - worth / peak)
            lowest = min(lowest, worth)
            while mark < len(marks) and marks[mark] == at + 1:
                levels[path, mark] = worth
                mark += 1
        figures[path, 0], figures[path, 1] = worth, depth
        figures[path, 2], figures[path, 3], figures[path, 4] = longest / n, most, lowest
