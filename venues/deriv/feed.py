"""Deriv's ticks as a feed: each once, in order, over as many connections as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import numpy as np

from market.errors import DataError, VenueError, VenueUnreachable
from market.events import SECOND, Event
from market.holes import holes, nominal_step
from market.tape import Tape
from venues.base import FeedStats
from venues.deriv.client import Connection
from venues.deriv.codec import Listing, decode_listings, listings_request
from venues.deriv.config import DerivConfig
from venues.deriv.history import Ticks, joined, pages
from venues.deriv.retry import Retry
from venues.deriv.stream import TickStream

__all__ = ["DerivFeed"]

ATTEMPTS = 4
"""Connections in a row that may fail without a page before :meth:`DerivFeed.history` gives up."""


class DerivFeed:
    """One symbol's ticks.

    Parameters
    ----------
    config
        How to reach the venue.
    symbol
        Its code there.
    rng
        Spreads the attempts of many feeds at a new connection.

    Notes
    -----
    Ticks of one second are one event, the first: the venue's clock has no smaller unit. Where
    ticks are evenly spaced, as on the synthetic indices, a step too long is a hole whether or not
    the connection broke: it is filled from history, or told as a gap. Where ticks come when they
    please, a hole can't be told from a pause, and history is trusted to be whole.

    A lost connection is re-made for ever. What the venue refuses for good is raised, and so is
    what it gets wrong :data:`~venues.deriv.retry.REFUSALS` times in a row.
    """

    def __init__(self, config: DerivConfig, symbol: str, rng: np.random.Generator) -> None:
        self.symbol = symbol
        self.stats = FeedStats()
        self._config = config
        self._rng = rng
        self._stream: TickStream | None = None
        self._connection: Connection | None = None
        self._closing = asyncio.Event()

    @property
    def live(self) -> bool:
        """Whether the event yielded last was news; see :class:`~venues.base.Feed`."""
        return self._stream is not None and self._stream.live

    async def events(self, after: int) -> AsyncGenerator[Event, None]:
        """Yield the ticks later than ``after``; see :class:`~venues.base.Feed`.

        Raises
        ------
        VenueRejected
            The venue refuses for good, such as a symbol it doesn't know.
        DataError
            What it sends stays malformed.
        """
        self._stream = TickStream(self.symbol, after, self._config, self.stats)
        retry = Retry(self._config, self._rng)
        connected = False
        while not self._closing.is_set():
            try:
                self._connection = await Connection.open(self._config, self.stats)
                self.stats.reconnects += connected
                connected = True
                async with aclosing(self._stream.follow(self._connection)) as events:
                    async for event in events:
                        if self._stream.live:
                            retry.succeeded()
                        yield event
                        if self._closing.is_set():
                            return
            except (VenueError, DataError) as error:
                if not self._closing.is_set():
                    retry.failed(error)
            finally:
                await self._let_go()
            await retry.pause(self._closing)

    async def history(
        self,
        symbol: str,
        start: int,
        end: int | None = None,
        count: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Tape:
        """Return the ticks from ``start`` to ``end``; see :class:`~venues.base.Feed`.

        Runs over a connection of its own, beside :meth:`events`. ``progress`` hears after each
        page how many ticks have come. A row behind a hole in the venue's history is ``fresh``.

        Raises
        ------
        VenueError
            The venue can't be reached, or refuses.
        DataError
            What it sends is malformed.
        """
        if count is not None and count < 1:
            raise ValueError(f"count must be positive, was {count}")
        found: list[Ticks] = []
        retry = Retry(self._config, self._rng)
        while True:
            had = len(found)
            try:
                await self._collect(found, symbol, start, end, count, progress)
                break
            except (VenueError, DataError) as error:
                if len(found) > had:
                    retry.succeeded()
                retry.failed(error)
                if isinstance(error, VenueUnreachable) and retry.failures >= ATTEMPTS:
                    raise
            await retry.pause(self._closing)
        times, prices = joined(found)
        if count is not None:
            times, prices = times[-count:], prices[-count:]
        tape = Tape.of_ticks(symbol, times, prices)
        tape.fresh[:] = holes(times, nominal_step(times))
        return tape

    async def instruments(self) -> tuple[Listing, ...]:
        """Return what the venue lists; raises :class:`VenueError` or :class:`DataError`."""
        connection = await Connection.open(self._config, FeedStats())
        try:
            return decode_listings(await connection.call(listings_request()))
        finally:
            await connection.close()

    async def close(self) -> None:
        """Let go of the connection and end :meth:`events`; a second call does nothing."""
        self._closing.set()
        await self._let_go()

    async def _collect(
        self,
        found: list[Ticks],
        symbol: str,
        start: int,
        end: int | None,
        count: int | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        """Add pages to ``found``, latest first, going on where it ends."""
        until = int(found[-1][0][0]) - SECOND if found else end
        have = sum(len(times) for times, _ in found)
        page = self._config.page if count is None else min(self._config.page, count)
        connection = await Connection.open(self._config, FeedStats())
        try:
            async with aclosing(pages(connection, symbol, start, until, page)) as parts:
                async for part in parts:
                    found.append(part)
                    have += len(part[0])
                    if progress is not None:
                        progress(have)
                    if count is not None and have >= count:
                        return
        finally:
            await connection.close()

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
