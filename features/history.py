"""What the columns of prices remember of the events: the last one, and rings of those before it.

It is the beginning of the engine's memory, shared by all families and written here alone. A tick
is a bar of one price. A step reads ``h[CLOSE]`` for this event's close and ``back(h, CLOSE, n)``
for the one ``n`` events ago.
"""

from __future__ import annotations

import math

from features.compiled import Floats, compiled
from features.ring import capacity, entry

__all__ = [
    "BUY",
    "CHANGE",
    "CLOCK",
    "CLOSE",
    "COUNT",
    "DAY",
    "HIGH",
    "LEVEL",
    "LOW",
    "OPEN",
    "PEER",
    "PREVIOUS",
    "RINGS",
    "TIME",
    "TRADES",
    "VOLATILITY",
    "VOLUME",
    "advance",
    "back",
    "size",
]

COUNT = 0
"""Events since the start or the last gap, this one included."""
DAY, CLOCK = 1, 2
"""Of this event: whole days since 1970 UTC, and nanoseconds since midnight UTC."""
VOLATILITY = 3
"""*The* volatility: root of the exponentially weighted mean square log return, per event; 0 before
the second event and while no price has moved."""

TIME, OPEN, HIGH, LOW, CLOSE, VOLUME, TRADES, BUY, CHANGE, LEVEL = range(4, 14)
"""Of this event, and with a ring each: nanoseconds since the first event; prices; base units,
trades and units bought by aggressors (nan where unknown, in the ring 0); log return (0 on the first
event); log close relative to the first close."""

PREVIOUS = 14
"""Close of the event before; of the first event, its own."""

PEER = 15
"""Log price of the other symbol as of the event *before* this one, relative to its first; nan while
there is none."""

_MASK, _DAY, _CLOCK, _WEIGHT, _MEAN = range(16, 21)
RINGS = 24
"""Where the rings begin."""

_FIELDS = LEVEL - TIME + 1
_NANOSECONDS = 86_400e9


def size(lookback: int) -> int:
    """Return the floats that a history with so far a look back takes."""
    return RINGS + _FIELDS * capacity(lookback)


@compiled
def back(h: Floats, field: int, events: int) -> float:
    """Return ``field`` (:data:`TIME` … :data:`LEVEL`) of the event so many ago; 0 is this one.

    ``events`` must be below :data:`COUNT` and not above the family's ``lookback``: what lies before
    the first event is 0.
    """
    return entry(h, RINGS, int(h[_MASK]), field - TIME, int(h[COUNT]) - 1 - events)


@compiled
def _put(h: Floats, field: int, room: int, place: int, value: float) -> None:
    """Set a field of this event, and its place in the ring."""
    h[field] = value
    h[RINGS + (field - TIME) * room + place] = 0.0 if math.isnan(value) else value


@compiled
def advance(
    h: Floats,
    mask: float,
    weight: float,
    day: float,
    clock: float,
    open_: float,
    high: float,
    low: float,
    close: float,
    volume: float,
    trades: float,
    buy: float,
) -> None:
    """Take an event.

    Parameters
    ----------
    h
        The history; all zero at the start and after a gap.
    mask
        :func:`~features.ring.capacity` less one.
    weight
        Of the newest event in *the* volatility.
    day, clock
        See :data:`DAY`.
    open_, high, low, close, volume, trades, buy
        Of the event.
    """
    if h[COUNT] == 0.0:
        h[_MASK], h[_DAY], h[_CLOCK] = mask, day, clock
        h[PREVIOUS], change = close, 0.0
    else:
        h[PREVIOUS] = h[CLOSE]
        change = math.log(close / h[PREVIOUS])
        h[_WEIGHT] += weight * (1.0 - h[_WEIGHT])
        h[_MEAN] += weight * (change * change - h[_MEAN])
        h[VOLATILITY] = math.sqrt(h[_MEAN] / h[_WEIGHT])
    room, place = int(mask) + 1, int(h[COUNT]) & int(mask)
    h[COUNT] += 1.0
    h[DAY], h[CLOCK] = day, clock
    _put(h, TIME, room, place, (day - h[_DAY]) * _NANOSECONDS + (clock - h[_CLOCK]))
    _put(h, OPEN, room, place, open_)
    _put(h, HIGH, room, place, high)
    _put(h, LOW, room, place, low)
    _put(h, CLOSE, room, place, close)
    _put(h, VOLUME, room, place, volume)
    _put(h, TRADES, room, place, trades)
    _put(h, BUY, room, place, buy)
    _put(h, CHANGE, room, place, change)
    _put(h, LEVEL, room, place, h[LEVEL] + change)
