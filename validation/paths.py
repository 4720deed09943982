"""What a run's equity might have looked like: resampled paths, and the figures of each.

A mean needs the values of a sample only; a drawdown needs their order too. So blocks of neighbours
are laid end to end into paths as long as the run, and every path is walked once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = ["Paths", "block_starts", "fitting_block", "walk"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

_AT_ONCE = 1 << 20
"""Starts drawn at once: what bounds the memory."""


class Paths(NamedTuple):
    """Figures of each path, ``float64[1 + samples]``; the first is what really happened.

    Parameters
    ----------
    mean, spread
        Of the returns, and their standard deviation (``n - 1``).
    below
        Root mean square of the returns below zero.
    growth
        Log of the final equity over the first; ``-inf`` where all was lost.
    drawdown
        Largest loss from a peak, fraction.
    length
        Decisions it lasted, as :func:`validation.ratios.drawdown_length` counts.
    turnover
        Mean absolute change of exposure.
    """

    mean: Floats
    spread: Floats
    below: Floats
    growth: Floats
    drawdown: Floats
    length: Floats
    turnover: Floats


def fitting_block(block: int, n: int) -> int:
    """Shorten a block so that eight fit into ``n`` values; of fewer there is no telling.

    Intervals of so few are too narrow all the same.
    """
    if block < 1:
        raise ValueError(f"block must be at least 1, was {block}")
    return max(1, min(block, n // 8))


def block_starts(n: int, block: int, samples: int, rng: np.random.Generator) -> Iterator[Ints]:
    """Draw where the blocks of circular block-bootstrap samples start, some samples at a time.

    Yields
    ------
    ``int32[s, ceil(n / block)]``, ``samples`` rows in all.
    """
    blocks = -(-n // block)
    step = max(1, _AT_ONCE // blocks)
    for first in range(0, samples, step):
        yield rng.integers(0, n, (min(step, samples - first), blocks), dtype=np.int32)


def walk(
    returns: Floats, exposures: Floats, block: int, samples: int, rng: np.random.Generator
) -> Paths:
    """Walk the run's own path and ``samples`` resampled ones.

    Parameters
    ----------
    returns
        ``float64[n]``: net, per decision; one at least.
    exposures
        ``float64[n]``: held over the same intervals, from flat.
    block
        Neighbours kept together; a path's last block is cut to the run's length.
    samples
        Resampled paths.
    rng
        Draws them.
    """
    n = len(returns)
    center = float(returns.mean())
    logs = np.full(n, -np.inf)
    np.log1p(returns, out=logs, where=returns > -1.0)
    steps = np.column_stack(
        (
            returns - center,
            np.minimum(returns, 0.0) ** 2,
            logs,
            np.abs(np.diff(exposures, prepend=0.0)),
        )
    )
    sums = np.empty((1 + samples, 5))
    drawdowns = np.empty((1 + samples, 2))
    _walk(steps, np.zeros((1, 1), np.int32), n, sums[:1], drawdowns[:1])
    done = 1
    for starts in block_starts(n, block, samples, rng):
        part = slice(done, done + len(starts))
        _walk(steps, starts, block, sums[part], drawdowns[part])
        done = part.stop
    off, square, below, growth, changes = sums.T
    spread = np.sqrt(np.maximum(square - off**2 / n, 0.0) / max(1, n - 1))
    nothing = 1e-12 * float(np.abs(returns).max())
    return Paths(
        mean=center + off / n,
        spread=np.where(spread <= nothing, 0.0, spread),
        below=np.sqrt(below / n),
        growth=growth,
        drawdown=-np.expm1(-drawdowns[:, 0]),
        length=drawdowns[:, 1],
        turnover=changes / n,
    )


@nb.njit(cache=True)
def _walk(steps: Floats, starts: Ints, block: int, sums: Floats, drawdowns: Floats) -> None:
    """Walk one path for each row of ``starts``; ``steps`` is what each decision adds to what."""
    n = len(steps)
    for path in range(len(starts)):
        off, square, below, changes = 0.0, 0.0, 0.0, 0.0
        level, peak, depth, deepest = 0.0, 0.0, 0.0, 0.0
        left, longest, at = 0, 0, 0
        for start in starts[path]:
            i = start
            for _ in range(min(block, n - at)):
                at += 1
                off += steps[i, 0]
                square += steps[i, 0] * steps[i, 0]
                below += steps[i, 1]
                level += steps[i, 2]
                changes += steps[i, 3]
                i = i + 1 if i + 1 < n else 0
                if level >= peak:
                    if depth > deepest:
                        deepest, longest = depth, at - left
                    peak, left, depth = level, at, 0.0
                elif peak - level > depth:
                    depth = peak - level
        if depth > deepest:
            deepest, longest = depth, n - left
        sums[path, 0], sums[path, 1], sums[path, 2] = off, square, below
        sums[path, 3], sums[path, 4] = level, changes
        drawdowns[path, 0], drawdowns[path, 1] = deepest, longest
