"""What the columns of the book see of it: its best levels, and rings of the mid and the depth.

It is the beginning of a book's part of the engine's memory, shared by its families and written here
alone. A step reads ``h[BID_SIZES + 3]`` for the size at the fourth best bid and ``back(h, MID, n)``
for the mid ``n`` updates ago.
"""

from __future__ import annotations

import math

from features.compiled import Floats, compiled
from features.ring import capacity, entry
from market.ladder import ASK as ASKS
from market.ladder import BEST, Ints, nearest, size_at
from market.ladder import BID as BIDS

__all__ = [
    "ASK",
    "ASK_DEPTH",
    "ASK_LEVELS",
    "ASK_PRICES",
    "ASK_SIZES",
    "BID",
    "BID_DEPTH",
    "BID_LEVELS",
    "BID_PRICES",
    "BID_SIZES",
    "CLOCK",
    "COUNT",
    "DAY",
    "DEPTH",
    "LIQUIDITY",
    "MICRO",
    "MID",
    "RINGS",
    "SPREAD",
    "TIME",
    "advance",
    "back",
    "size",
]

DEPTH = 20
"""Levels of each side that are kept."""

COUNT = 0
"""Updates since the start or the last gap, this one included."""
DAY, CLOCK = 1, 2
"""Of this update: whole days since 1970 UTC, and nanoseconds since midnight UTC."""

TIME, MID, LIQUIDITY = 3, 4, 5
"""Of this update, and with a ring each: nanoseconds since the first update; the mean of best bid
and ask, nan while a side is missing or the book is crossed (in the ring: the last known one, 0
before there is any); size of both sides' levels."""

BID_LEVELS, ASK_LEVELS = 6, 7
"""Levels there are of each side, of :data:`DEPTH` at most."""
BID, ASK = 8, 9
"""Best prices; nan where a side is empty."""
MICRO, SPREAD = 10, 11
"""Mid weighted by the other side's size, and ``(ask - bid) / mid``; nan where the mid is."""
BID_DEPTH, ASK_DEPTH = 12, 13
"""Size of the side's levels."""

BID_PRICES, BID_SIZES, ASK_PRICES, ASK_SIZES = (20 + i * DEPTH for i in range(4))
"""Where the levels begin, best first; beyond the last one prices are nan and sizes 0."""

_MASK, _DAY, _CLOCK, _KNOWN = range(14, 18)
RINGS = 20 + 4 * DEPTH
"""Where the rings begin."""

_FIELDS = LIQUIDITY - TIME + 1
_NANOSECONDS = 86_400e9


def size(lookback: int) -> int:
    """Return the floats that a view with so far a look back takes."""
    return RINGS + _FIELDS * capacity(lookback)


@compiled
def back(h: Floats, field: int, updates: int) -> float:
    """Return ``field`` (:data:`TIME` … :data:`LIQUIDITY`) of the update so many ago; 0 is this one.

    ``updates`` must not be above the family's ``lookback``: what lies before the first is 0.
    """
    return entry(h, RINGS, int(h[_MASK]), field - TIME, int(h[COUNT]) - 1 - updates)


@compiled
def _levels(
    h: Floats,
    side: int,
    prices: int,
    quantities: int,
    n: float,
    d: float,
    tree: Ints,
    sizes: Floats,
) -> tuple[int, float]:
    """Fill one side's levels; return how many there are, and their size."""
    tick, found, added = tree[BEST + side], 0, 0.0
    while found < DEPTH:
        tick = nearest(tree, side, tick, side == ASKS)
        if tick < 0:
            break
        here = size_at(tree, sizes, side, tick)
        h[prices + found], h[quantities + found] = float(tick) * n / d, here
        added += here
        tick += 1 if side == ASKS else -1
        found += 1
    for i in range(found, DEPTH):
        h[prices + i], h[quantities + i] = math.nan, 0.0
    return found, added


@compiled
def advance(
    h: Floats, mask: float, day: float, clock: float, n: float, d: float, tree: Ints, sizes: Floats
) -> None:
    """See the book as it is after an update.

    Parameters
    ----------
    h
        The view; all zero at the start and after a gap.
    mask
        :func:`~features.ring.capacity` less one.
    day, clock
        See :data:`DAY`.
    n, d
        Of :func:`market.book.grid`: ``k`` price steps are ``k * n / d``.
    tree, sizes
        The book itself (:mod:`market.ladder`).
    """
    if h[COUNT] == 0.0:
        h[_MASK], h[_DAY], h[_CLOCK] = mask, day, clock
    h[COUNT] += 1.0
    h[DAY], h[CLOCK] = day, clock
    bids, bid_depth = _levels(h, BIDS, BID_PRICES, BID_SIZES, n, d, tree, sizes)
    asks, ask_depth = _levels(h, ASKS, ASK_PRICES, ASK_SIZES, n, d, tree, sizes)
    bid, ask = h[BID_PRICES], h[ASK_PRICES]
    h[BID_LEVELS], h[ASK_LEVELS], h[BID], h[ASK] = bids, asks, bid, ask
    h[BID_DEPTH], h[ASK_DEPTH], h[LIQUIDITY] = bid_depth, ask_depth, bid_depth + ask_depth
    h[TIME] = (day - h[_DAY]) * _NANOSECONDS + (clock - h[_CLOCK])
    if bid < ask:
        mid = 0.5 * (bid + ask)
        share = h[BID_SIZES] / (h[BID_SIZES] + h[ASK_SIZES])
        h[MID] = h[_KNOWN] = mid
        h[MICRO], h[SPREAD] = bid + (ask - bid) * share, (ask - bid) / mid
    else:
        h[MID] = h[MICRO] = h[SPREAD] = math.nan
    whole = int(h[_MASK]) + 1
    place = RINGS + ((int(h[COUNT]) - 1) & (whole - 1))
    h[place] = h[TIME]
    h[place + whole] = h[_KNOWN]
    h[place + 2 * whole] = h[LIQUIDITY]
