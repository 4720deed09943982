"""What the columns of trades remember of them: the last one, and rings of those before it.

It is the beginning of the trades' part of the engine's memory, shared by its families and written
here alone. A step reads ``h[PRICE]`` for this trade's price and ``back(h, PRICE, n)`` for the one
``n`` trades ago.
"""

from __future__ import annotations

import math

from features.compiled import Floats, compiled
from features.ring import capacity, entry

__all__ = [
    "CHANGE",
    "CLOCK",
    "COUNT",
    "DAY",
    "LAPSE",
    "LEVEL",
    "MID",
    "PRICE",
    "RINGS",
    "SIDE",
    "SIZE",
    "TIME",
    "advance",
    "back",
    "size",
]

COUNT = 0
"""Trades since the start or the last gap, this one included."""
DAY, CLOCK = 1, 2
"""Of this trade: whole days since 1970 UTC, and nanoseconds since midnight UTC."""

TIME, PRICE, SIZE, SIDE, MID = 3, 4, 5, 6, 7
"""Of this trade, and with a ring each: nanoseconds since the first trade; price; base units; 1
where the aggressor bought, -1 where it sold, 0 where unknown; the book's mid, nan where unknown (in
the ring 0)."""

CHANGE, LEVEL, LAPSE = 8, 9, 10
"""Log return and nanoseconds since the trade before, both 0 for the first; price relative to the
first one's, less 1."""

_MASK, _DAY, _CLOCK, _FIRST = range(11, 15)
RINGS = 16
"""Where the rings begin."""

_FIELDS = MID - TIME + 1
_NANOSECONDS = 86_400e9


def size(lookback: int) -> int:
    """Return the floats that a view with so far a look back takes."""
    return RINGS + _FIELDS * capacity(lookback)


@compiled
def back(h: Floats, field: int, trades: int) -> float:
    """Return ``field`` (:data:`TIME` … :data:`MID`) of the trade so many ago; 0 is this one.

    ``trades`` must not be above the family's ``lookback``: what lies before the first is 0.
    """
    return entry(h, RINGS, int(h[_MASK]), field - TIME, int(h[COUNT]) - 1 - trades)


@compiled
def advance(
    h: Floats,
    mask: float,
    day: float,
    clock: float,
    price: float,
    quantity: float,
    side: float,
    mid: float,
) -> None:
    """Take a trade.

    Parameters
    ----------
    h
        The view; all zero at the start and after a gap.
    mask
        :func:`~features.ring.capacity` less one.
    day, clock
        See :data:`DAY`.
    price, quantity, side
        Of the trade; price and quantity are finite, and the price is positive.
    mid
        The book's when the trade was told; nan where unknown.
    """
    if h[COUNT] == 0.0:
        h[_MASK], h[_DAY], h[_CLOCK], h[_FIRST] = mask, day, clock, price
    else:
        h[CHANGE] = math.log(price / h[PRICE])
    h[COUNT] += 1.0
    h[DAY], h[CLOCK] = day, clock
    time = (day - h[_DAY]) * _NANOSECONDS + (clock - h[_CLOCK])
    h[LAPSE] = time - h[TIME]
    h[LEVEL] = (price - h[_FIRST]) / h[_FIRST]
    h[TIME], h[PRICE], h[SIZE], h[SIDE], h[MID] = time, price, quantity, side, mid
    whole = int(h[_MASK]) + 1
    place = RINGS + ((int(h[COUNT]) - 1) & (whole - 1))
    h[place], h[place + whole], h[place + 2 * whole] = time, price, quantity
    h[place + 3 * whole] = side
    h[place + 4 * whole] = 0.0 if math.isnan(mid) else mid
