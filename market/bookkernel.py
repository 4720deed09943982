"""The compiled steps over both sides of a book; :mod:`market.book` is what calls them."""

from __future__ import annotations

from math import inf

import numba as nb
import numpy as np
import numpy.typing as npt

from market.ladder import ASK, BEST, BID, LIMIT, Floats, Ints, nearest, put, size_at

__all__ = ["Sides", "apply", "first_bad", "replay", "top", "total"]

Sides = npt.NDArray[np.int8]


@nb.njit(cache=True)
def first_bad(sides: Sides, ticks: Ints, sizes: Floats) -> int:
    """Return the first row that can't be a level; -1 if all can."""
    for i in range(len(ticks)):
        if (sides[i] != 1 and sides[i] != -1) or not 0 < ticks[i] < LIMIT:
            return i
        if not 0.0 <= sizes[i] < inf:
            return i
    return -1


@nb.njit(cache=True)
def apply(
    tree: Ints, levels: Floats, sides: Sides, ticks: Ints, sizes: Floats, row: int, end: int
) -> int:
    """Apply the rows from ``row`` to ``end``; return the first for which there was no room."""
    for i in range(row, end):
        tick, size = ticks[i], sizes[i]
        side = BID if sides[i] > 0 else ASK
        if not put(tree, levels, side, tick, size):
            return i
        best = tree[BEST + side]
        if size > 0.0:
            if (tick > best) == (side == BID):
                tree[BEST + side] = tick
        elif tick == best:
            best = nearest(tree, side, tick, side == ASK)
            tree[BEST + side] = LIMIT if best < 0 and side == ASK else best
    return end


@nb.njit(cache=True)
def top(tree: Ints, levels: Floats, side: int, ticks: Ints, sizes: Floats) -> int:
    """Fill the best levels; return how many there were."""
    tick, n = tree[BEST + side], 0
    while n < len(ticks):
        tick = nearest(tree, side, tick, side == ASK)
        if tick < 0:
            break
        ticks[n], sizes[n] = tick, size_at(tree, levels, side, tick)
        tick += 1 if side == ASK else -1
        n += 1
    return n


@nb.njit(cache=True)
def total(tree: Ints, levels: Floats, side: int, count: int, far: int) -> float:
    """Add up one side's sizes, so many levels and none farther than ``far`` from the best."""
    added, best = 0.0, tree[BEST + side]
    tick = best
    for _ in range(count):
        tick = nearest(tree, side, tick, side == ASK)
        if tick < 0 or abs(tick - best) > far:
            break
        added += size_at(tree, levels, side, tick)
        tick += 1 if side == ASK else -1
    return added


@nb.njit(cache=True)
def replay(
    tree: Ints,
    levels: Floats,
    sides: Sides,
    ticks: Ints,
    sizes: Floats,
    ends: Ints,
    at: Ints,
    tops: Floats,
) -> bool:
    """Apply update after update and keep the best quotes after each; ``False`` without room."""
    for i in range(at[0], len(ends)):
        at[0] = i
        at[1] = apply(tree, levels, sides, ticks, sizes, at[1], ends[i])
        if at[1] < ends[i]:
            return False
        for side in range(2):
            best = tree[BEST + side]
            tops[i, 2 * side] = best
            tops[i, 2 * side + 1] = size_at(tree, levels, side, best)
    return True
