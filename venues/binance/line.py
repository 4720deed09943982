"""A supply of stream events that outlives its connections.

Binance ends every connection after a day. A new one is opened and subscribed before that, and for
a moment both run side by side: the old one is read to its end, then the new one from its
beginning. What both have comes twice, and is told apart by its number or time; nothing is missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import NamedTuple

import numpy as np

from market.errors import DataError, VenueError
from venues.base import FeedStats
from venues.binance.config import BinanceConfig, Route
from venues.binance.limits import Limits
from venues.binance.socket import Arrival, Socket

__all__ = ["Item", "Line", "Opened"]

_PATIENCE = 16.0
"""Times by which the patience with a silent market grows."""


class Opened(NamedTuple):
    """A connection has taken over.

    Parameters
    ----------
    route
        Whose.
    lost
        Whether something may be missing before it: the first, or the one before it broke off or
        fell silent.
    """

    route: Route
    lost: bool


Item = Arrival | Opened | Exception
"""What a line supplies; an error is its last."""


class Line:
    """The streams of one route, over as many connections as it takes.

    Parameters
    ----------
    config
        How to reach the venue.
    route, streams
        Where, and which.
    limits
        Of the address.
    rng
        Spreads the attempts of many lines at a new connection.
    stats
        Counts reconnections; a planned change of connections is none.
    clock
        Nanoseconds, for the times of receipt.
    out
        Where it puts what it supplies; waits while that is full.

    Attributes
    ----------
    renewals
        Planned changes of connections so far.
    """

    def __init__(
        self,
        config: BinanceConfig,
        route: Route,
        streams: Sequence[str],
        limits: Limits,
        rng: np.random.Generator,
        stats: FeedStats,
        clock: Callable[[], int],
        out: asyncio.Queue[Item],
    ) -> None:
        self.renewals = 0
        self._config = config
        self._route: Route = route
        self._streams = tuple(streams)
        self._limits = limits
        self._stats = stats
        self._clock = clock
        self._out = out
        self._retry = limits.retry(config, rng, ", ".join(streams))
        self._socket: Socket | None = None
        self._opening: asyncio.Task[Socket] | None = None
        self._patience = config.stale_after

    async def run(self) -> None:
        """Supply until cancelled, or until the venue refuses for good: that is the last item."""
        try:
            await self._supply()
        except Exception as error:
            # Whoever takes from the queue would wait for ever otherwise.
            await self._out.put(error)
        finally:
            await self._let_go()

    async def _supply(self) -> None:
        again = False
        while True:
            try:
                self._socket = await (self._opening or self._connect())
            except (VenueError, DataError) as error:
                self._opening = None
                self._retry.failed(error)
                await asyncio.sleep(self._retry.seconds())
                continue
            self._opening = None
            self._stats.reconnects += again
            again = True
            await self._out.put(Opened(self._route, lost=True))
            try:
                await self._carry()
            except VenueError as error:
                await self._now().close()
                self._retry.failed(error)
            await asyncio.sleep(self._retry.seconds())

    async def _connect(self) -> Socket:
        socket = await Socket.open(
            self._config, self._route, self._limits, self._stats, self._clock
        )
        try:
            await socket.subscribe(self._streams)
        except BaseException:
            await socket.close()
            raise
        return socket

    async def _carry(self) -> None:
        """Hand on what comes, replacing the connection in time; raises when it is lost."""
        socket = self._now()
        due = monotonic() + self._config.lifetime
        doubted = told = False
        while True:
            if socket.ending and not told:
                due, told = monotonic(), True
            left = due - monotonic()
            if self._opening is None and left <= 0.0:
                self._opening = asyncio.create_task(self._connect())
                self._opening.add_done_callback(socket.wake)
            if self._opening is not None and self._opening.done():
                if await self._replaced(doubted):
                    socket = self._now()
                    due = monotonic() + self._config.lifetime
                    doubted = told = False
                else:
                    due = monotonic() + self._retry.seconds()
                continue
            silent = self._opening is not None or left >= self._patience
            try:
                arrival = await socket.next(self._patience if silent else left)
            except TimeoutError:
                if self._opening is None and silent:
                    due, doubted = monotonic(), True
                    most = _PATIENCE * self._config.stale_after
                    self._patience = min(2.0 * self._patience, most)
                continue
            if arrival is not None:
                self._patience = self._config.stale_after
                self._retry.succeeded()
                await self._out.put(arrival)

    async def _replaced(self, doubted: bool) -> bool:
        """Go over to the new connection; ``False`` if it could not be made."""
        assert self._opening is not None
        opening, self._opening = self._opening, None
        try:
            fresh = opening.result()
        except (VenueError, DataError) as error:
            self._retry.failed(error)
            return False
        old, self._socket = self._now(), fresh
        try:
            heard = await self._read_out(old)
            # An old one that broke off before the new one was told anything left a hole; one that
            # is silent while the new one speaks was lost before, unnoticed.
            lost = doubted or (not heard and fresh.waiting) or old.lost_at < fresh.agreed_at
        finally:
            await old.close()
        self.renewals += not lost
        self._stats.reconnects += lost
        await self._out.put(Opened(self._route, lost))
        return True

    async def _read_out(self, old: Socket) -> bool:
        """Hand on what the old connection still gives, and return whether it gave anything."""
        heard = False
        until = monotonic() + self._config.overlap
        with suppress(TimeoutError, VenueError):
            while (left := until - monotonic()) > 0.0 or old.waiting:
                arrival = await old.next(max(left, 0.0))
                if arrival is not None:
                    heard = True
                    await self._out.put(arrival)
        return heard

    def _now(self) -> Socket:
        assert self._socket is not None
        return self._socket

    async def _let_go(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            with suppress(asyncio.CancelledError, VenueError, DataError):
                await (await self._opening).close()
        if self._socket is not None:
            await self._socket.close()
