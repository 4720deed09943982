"""Past ticks and candles in any number: the venue gives 5000 at a time, the latest asked for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from market.events import Bar, Tick
from market.tape import Tape
from venues.deriv.client import Connection
from venues.deriv.fields import Frame

__all__ = ["Kind", "Rows", "between", "joined", "pages", "within"]

Rows = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Times in nanoseconds, strictly increasing, and prices: ``[n]`` of ticks, ``[n, 4]`` of bars."""


class Kind(Protocol):
    """What is asked for: ticks, or candles of one length.

    Attributes
    ----------
    symbol
        The venue's code.
    spacing
        Nanoseconds between two of them at least.
    """

    symbol: str
    spacing: int

    def request(
        self,
        *,
        count: int,
        start: int | None = None,
        end: int | None = None,
        subscribe: bool = False,
    ) -> dict[str, Any]:
        """Ask for the last ``count`` from ``start`` to ``end``, both included, nanoseconds."""
        ...

    def rows(self, frame: Frame) -> Rows:
        """Return what an answer holds; raises :class:`~market.errors.DataError`."""
        ...

    def events(self, rows: Rows) -> Iterator[Tick | Bar]:
        """Return rows as events."""
        ...

    def tape(self, rows: Rows) -> Tape:
        """Return rows as a tape."""
        ...


async def pages(
    connection: Connection, kind: Kind, start: int, end: int | None, page: int
) -> AsyncGenerator[Rows, None]:
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
        frame = await connection.call(kind.request(count=page, start=start, end=end))
        times, prices = within(kind.rows(frame), start, end)
        if not len(times):
            return
        yield times, prices
        end = int(times[0]) - kind.spacing


async def between(
    connection: Connection, kind: Kind, start: int, end: int | None, page: int
) -> Rows:
    """Return what the venue has from ``start`` to ``end``, both included."""
    found = [part async for part in pages(connection, kind, start, end, page)]
    return joined(found)


def within(rows: Rows, start: int, end: int | None) -> Rows:
    """Return the rows from ``start`` to ``end``: asked for the too distant, the venue strays."""
    times, prices = rows
    wanted = times >= start
    if end is not None:
        wanted &= times <= end
    return times[wanted], prices[wanted]


def joined(latest_first: list[Rows]) -> Rows:
    """Return pages as one, in order."""
    parts: list[Any] = latest_first[::-1]
    if not parts:
        return np.empty(0, np.int64), np.empty(0)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
