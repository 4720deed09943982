"""Past ticks in any number: the venue gives 5000 at a time, the latest of those asked for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
import numpy.typing as npt

from market.events import SECOND
from venues.deriv.client import Connection
from venues.deriv.codec import decode_history, history_request

__all__ = ["Ticks", "between", "joined", "pages", "within"]

Ticks = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Times in nanoseconds, strictly increasing, and prices."""


async def pages(
    connection: Connection, symbol: str, start: int, end: int | None, page: int
) -> AsyncGenerator[Ticks, None]:
    """Yield what the venue has from ``start`` to ``end``, both included, **latest page first**.

    A page is never empty and lies wholly before the one yielded earlier. The end is reached when
    the venue has no more; it may be asked once in vain to know that.

    Raises
    ------
    VenueError
        The connection failed, or the venue refused.
    DataError
        A frame is malformed.
    """
    while end is None or start <= end:
        frame = await connection.call(
            history_request(symbol, count=page, start=start, end=end), None
        )
        times, prices = within(decode_history(frame, symbol), start, end)
        if not len(times):
            return
        yield times, prices
        end = int(times[0]) - SECOND


async def between(
    connection: Connection, symbol: str, start: int, end: int | None, page: int
) -> Ticks:
    """Return what the venue has from ``start`` to ``end``, both included."""
    found = [part async for part in pages(connection, symbol, start, end, page)]
    return joined(found)


def within(ticks: Ticks, start: int, end: int | None) -> Ticks:
    """Return the ticks from ``start`` to ``end``: asked for the too distant, the venue strays."""
    times, prices = ticks
    wanted = times >= start
    if end is not None:
        wanted &= times <= end
    return times[wanted], prices[wanted]


def joined(latest_first: list[Ticks]) -> Ticks:
    """Return pages as one, in order."""
    parts: list[Any] = latest_first[::-1]
    if not parts:
        return np.empty(0, np.int64), np.empty(0)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
