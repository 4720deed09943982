"""Walls: levels of the book much larger than the usual one of their side.

Both columns are nan while a side of the book is empty or it is crossed.
"""

from __future__ import annotations

import math

from features.book_view import ASK_LEVELS, ASK_SIZES, BID_LEVELS, BID_SIZES, DEPTH, MID
from features.column import Column, Family
from features.compiled import Floats, compiled

__all__ = ["FAMILIES"]

_WALL = 3.0
"""Median levels that make a wall."""


@compiled
def _walls(h: Floats, sorted_: Floats, sizes: int, levels: int, times: float) -> float:
    """Count the levels larger than so many times the side's median level."""
    for i in range(levels):
        new, place = h[sizes + i], i
        while place > 0 and sorted_[place - 1] > new:
            sorted_[place] = sorted_[place - 1]
            place -= 1
        sorted_[place] = new
    middle = levels // 2
    median = sorted_[middle] if levels % 2 else 0.5 * (sorted_[middle - 1] + sorted_[middle])
    count = 0.0
    for i in range(levels):
        if h[sizes + i] > times * median:
            count += 1.0
    return count


@compiled
def _wall(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one update."""
    if math.isnan(h[MID]):
        out[0] = out[1] = math.nan
        return
    out[0] = _walls(h, state, BID_SIZES, int(h[BID_LEVELS]), param[0])
    out[1] = _walls(h, state, ASK_SIZES, int(h[ASK_LEVELS]), param[0])


FAMILIES = (
    Family(
        step=_wall,
        columns=(
            Column("bid_wall_count", "bid levels above 3 x their median", "levels", 0.0, DEPTH / 2),
            Column("ask_wall_count", "ask levels above 3 x their median", "levels", 0.0, DEPTH / 2),
        ),
        source=f"large levels, of the side's {DEPTH} best",
        stream="book",
        need="book",
        params=lambda args: (_WALL,),
        size=lambda args: DEPTH,
    ),
)
