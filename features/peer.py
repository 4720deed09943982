"""What is known of another symbol: its prices as they arrive, and the one in force at a time.

Its price at an event's own time may arrive after that event does (two bars that close together), so
the columns of an event are given the other's price as of the event *before*: live and in batch
alike. Until such a time is asked for, prices wait in a ring.

Call, on every event of one's own, :func:`as_of` with the time of the event before, whose answer is
:data:`features.history.PEER`; and then :func:`as_of` with the event's own time, whose answer is
thrown away. The second tells which price the next event will ask for: it is taken out of the ring,
and however many follow it before that, they can't push it out.

All state is in ``PEER_SIZE`` floats, all zero at the start.
"""

from __future__ import annotations

import math

from features.compiled import Floats, compiled
from features.history import PEER

__all__ = ["CAPACITY", "HEAD", "PEER_SIZE", "as_of", "forget", "peer_change", "push"]

CAPACITY = 256
"""How many prices can wait."""

HEAD = 2
"""Floats that :func:`peer_change` keeps at the beginning of a family's state: the other's price on
the event before, and for how many events running it has been known."""

_FIRST, _WAITING, _SCALE, _KNOWN, _LEVEL, _DAY, _CLOCK, _SILENT = range(8)
"""Place of the oldest that waits; how many do; the first price; whether there is a price in force,
which (log, relative to the first); the latest time asked for; whether the next answer is nan."""
_RING = 8
"""Where the ring begins: day, clock and level of each that waits."""

PEER_SIZE = _RING + 3 * CAPACITY
"""Floats of state."""


@compiled
def _later(day: float, clock: float, than_day: float, than_clock: float) -> bool:
    """Whether a time is after another."""
    return day > than_day or (day == than_day and clock > than_clock)


@compiled
def push(p: Floats, day: float, clock: float, price: float) -> None:
    """Take a price of the other symbol, in the order of their times.

    Where :data:`CAPACITY` wait already, the oldest that waits is lost: the price in force stays the
    one before it until the time of a newer one is reached. That takes so many prices of the other
    between the latest time that :func:`as_of` was told and the next it will be.

    Parameters
    ----------
    p
        The state.
    day, clock
        Its time: whole days since 1970 UTC, and nanoseconds since midnight.
    price
        Positive; any other is left out.
    """
    if not (price > 0.0 and price < math.inf):
        return
    if p[_SCALE] == 0.0:
        p[_SCALE] = price
    level = math.log(price / p[_SCALE])
    if p[_WAITING] == 0.0 and not _later(day, clock, p[_DAY], p[_CLOCK]):
        p[_KNOWN], p[_LEVEL] = 1.0, level
        return
    if p[_WAITING] == CAPACITY:
        p[_FIRST] = (int(p[_FIRST]) + 1) % CAPACITY
        p[_WAITING] -= 1.0
    at = _RING + 3 * ((int(p[_FIRST]) + int(p[_WAITING])) % CAPACITY)
    p[at], p[at + 1], p[at + 2] = day, clock, level
    p[_WAITING] += 1.0


@compiled
def as_of(p: Floats, day: float, clock: float) -> float:
    """Return the log price in force then, relative to the first; nan while there is none.

    That is the newest whose time is not later. Those before it are dropped, so that times must not
    go back. After :func:`forget` the first answer is nan, whatever came since: so nobody takes a
    difference of prices across a hole.
    """
    first, waiting = int(p[_FIRST]), int(p[_WAITING])
    while waiting > 0:
        at = _RING + 3 * first
        if _later(p[at], p[at + 1], day, clock):
            break
        p[_KNOWN], p[_LEVEL] = 1.0, p[at + 2]
        first, waiting = (first + 1) % CAPACITY, waiting - 1
    p[_FIRST], p[_WAITING], p[_DAY], p[_CLOCK] = first, waiting, day, clock
    silent = p[_SILENT] != 0.0
    p[_SILENT] = 0.0
    if silent or p[_KNOWN] == 0.0:
        return math.nan
    level: float = p[_LEVEL]
    return level


@compiled
def forget(p: Floats) -> None:
    """Forget all prices: the other symbol's feed has a hole."""
    p[_FIRST] = p[_WAITING] = p[_SCALE] = p[_KNOWN] = p[_LEVEL] = 0.0
    p[_SILENT] = 1.0


@compiled
def peer_change(h: Floats, state: Floats, size: int) -> float:
    """Return the other's log return over the last span; nan where it is unknown.

    Where its price is, all ``size`` floats of state are cleared.
    """
    price = h[PEER]
    if math.isnan(price):
        if state[1] > 0.0:
            for i in range(size):
                state[i] = 0.0
        return math.nan
    change = price - state[0] if state[1] > 0.0 else math.nan
    state[0] = price
    state[1] += 1.0
    return change
