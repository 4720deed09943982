"""Deriv's ticks and candles as feeds: each once, in order, over as many connections as it takes."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import numpy as np

from market.errors import DataError, VenueError, VenueRejected, VenueUnreachable
from market.events import Event
from market.holes import holes, nominal_step
from market.tape import Tape
from venues.base import FeedStats
from venues.deriv.candles import CandleKind
from venues.deriv.client import Connection
from venues.deriv.codec import TickKind
from venues.deriv.config import DerivConfig
from venues.deriv.history import Kind, Rows, joined, pages
from venues.deriv.limits import PATIENCE, Limiter
from venues.deriv.listings import (
    Contracts,
    Listing,
    contracts_request,
    decode_contracts,
    decode_listings,
    listings_request,
    lookup,
)
from venues.deriv.stream import CandleStream, Stream, TickStream
from venues.outage import host_of
from venues.retry import Retry

__all__ = ["DerivCandles", "DerivFeed"]

ATTEMPTS = 4
"""Connections in a row that may fail without a page before :meth:`DerivFeed.history` gives up."""


class _Feed(ABC):
    """What feeds of ticks and of candles share: everything but what they ask for."""

    def __init__(
        self,
        config: DerivConfig,
        symbol: str,
        rng: np.random.Generator,
        limiter: Limiter | None = None,
    ) -> None:
        self.symbol = symbol
        self.stats = FeedStats()
        self._config = config
        self._rng = rng
        self._limiter = Limiter() if limiter is None else limiter
        self._stream: Stream | None = None
        self._connection: Connection | None = None
        self._closing = asyncio.Event()

    @abstractmethod
    def _kind(self, symbol: str) -> Kind:
        """Return what is asked for of a symbol."""

    @abstractmethod
    def _begin(self, after: int) -> Stream:
        """Return a stream of what is later than ``after``."""

    @property
    def live(self) -> bool:
        """Whether the event yielded last was news; see :class:`~venues.base.Feed`."""
        return self._stream is not None and self._stream.live

    async def events(self, after: int) -> AsyncGenerator[Event, None]:
        """Yield what is later than ``after``; see :class:`~venues.base.Feed`.

        Raises
        ------
        UnknownSymbol
            The venue doesn't list the symbol; names that are close are told.
        VenueRejected
            The venue refuses for good.
        DataError
            What it sends stays malformed.
        """
        self._stream = self._begin(after)
        retry = self._retry(self.symbol)
        connected = False
        while not self._closing.is_set():
            try:
                self._connection = await self._connect(self.stats)
                if self._closing.is_set():
                    return
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
                    await self._name(error, self.symbol)
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
        """Return what there is from ``start`` to ``end``; see :class:`~venues.base.Feed`.

        Runs over a connection of its own, beside :meth:`events`. ``progress`` hears after each
        page how many events have come. A row behind a hole in the venue's history is ``fresh``.

        Raises
        ------
        VenueError
            The venue can't be reached, or refuses.
        UnknownSymbol
            It doesn't list the symbol.
        DataError
            What it sends is malformed.
        """
        if count is not None and count < 1:
            raise ValueError(f"count must be positive, was {count}")
        found: list[Rows] = []
        retry = self._retry(f"{symbol} history")
        while True:
            had = len(found)
            try:
                await self._collect(found, symbol, start, end, count, progress)
                retry.succeeded()
                break
            except (VenueError, DataError) as error:
                await self._name(error, symbol)
                if len(found) > had:
                    retry.succeeded()
                retry.failed(error)
                if isinstance(error, VenueUnreachable) and retry.failures >= ATTEMPTS:
                    raise
            await retry.pause(self._closing)
        times, prices = joined(found)
        if count is not None:
            times, prices = times[-count:], prices[-count:]
        tape = self._kind(symbol).tape((times, prices))
        tape.fresh[:] = holes(times, nominal_step(times))
        return tape

    async def instruments(self) -> tuple[Listing, ...]:
        """Return what the venue lists; raises :class:`VenueError` or :class:`DataError`."""
        connection = await self._connect(FeedStats())
        try:
            return decode_listings(await connection.call(listings_request()))
        finally:
            await connection.close()

    async def contracts(self, symbol: str) -> Contracts:
        """Return what may be traded on a symbol: multipliers, durations, stakes.

        Raises
        ------
        UnknownSymbol
            The venue doesn't list it.
        VenueError
            It can't be reached, or refuses.
        DataError
            What it sends is malformed.
        """
        connection = await self._connect(FeedStats())
        try:
            lookup(decode_listings(await connection.call(listings_request())), symbol)
            return decode_contracts(await connection.call(contracts_request(symbol)), symbol)
        finally:
            await connection.close()

    async def close(self) -> None:
        """Let go of the connection and end :meth:`events`; a second call does nothing."""
        self._closing.set()
        await self._let_go()

    def _retry(self, who: str) -> Retry:
        venue = f"deriv at {host_of(self._config.endpoint)}"
        return Retry(self._config, self._rng, PATIENCE, venue=venue, who=who)

    async def _connect(self, stats: FeedStats) -> Connection:
        return await Connection.open(self._config, stats, self._limiter)

    async def _name(self, error: VenueError | DataError, symbol: str) -> None:
        """Raise :class:`UnknownSymbol` for the refusal of a symbol that isn't listed."""
        if not (isinstance(error, VenueRejected) and error.code == "InvalidSymbol"):
            return
        try:
            listed = await self.instruments()
        except (VenueError, DataError):
            return
        lookup(listed, symbol)

    async def _collect(
        self,
        found: list[Rows],
        symbol: str,
        start: int,
        end: int | None,
        count: int | None,
        progress: Callable[[int], None] | None,
    ) -> None:
        """Add pages to ``found``, latest first, going on where it ends."""
        kind = self._kind(symbol)
        have = sum(len(times) for times, _ in found)
        page = self._config.page if count is None else min(self._config.page, count)
        connection = await self._connect(FeedStats())
        try:
            until = int(found[-1][0][0]) - kind.spacing if found else end
            until = await self._final(connection, symbol, until)
            async with aclosing(pages(connection, kind, start, until, page)) as parts:
                async for part in parts:
                    found.append(part)
                    have += len(part[0])
                    if progress is not None:
                        progress(have)
                    if count is not None and have >= count:
                        return
        finally:
            await connection.close()

    async def _final(self, connection: Connection, symbol: str, end: int | None) -> int | None:
        """Return up to where history won't change any more."""
        return end

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class DerivFeed(_Feed):
    """One symbol's ticks.

    Parameters
    ----------
    config
        How to reach the venue.
    symbol
        Its code there.
    rng
        Spreads the attempts of many feeds at a new connection.
    limiter
        Of calls; several clients of one application may share one. Its own if left out.

    Notes
    -----
    Ticks of one second are one event, the first: the venue's clock has no smaller unit. Where
    ticks are evenly spaced, as on the synthetic indices, a step too long is a hole whether or not
    the connection broke: it is filled from history, or told as a gap. Where ticks come when they
    please, a hole can't be told from a pause, and history is trusted to be whole.

    A lost connection is re-made for ever. What the venue refuses for good is raised, and so is
    what it gets wrong :data:`~venues.retry.REFUSALS` times in a row.
    """

    def _kind(self, symbol: str) -> Kind:
        return TickKind(symbol)

    def _begin(self, after: int) -> Stream:
        return TickStream(self.symbol, after, self._config, self.stats)


class DerivCandles(_Feed):
    """One symbol's closed candles, as bars timed at their close.

    Parameters
    ----------
    config, symbol, rng, limiter
        As of :class:`DerivFeed`.
    granularity
        Seconds a candle lasts, one of :data:`~venues.deriv.candles.GRANULARITIES`.

    Notes
    -----
    The first bar is the one that closes next, whole, whenever the feed came in. A candle in which
    nothing was traded doesn't exist at the venue; on the synthetic indices it is a hole. In
    :meth:`history` a candle is whole once a tick has come after it, however late that is.
    """

    def __init__(
        self,
        config: DerivConfig,
        symbol: str,
        granularity: int,
        rng: np.random.Generator,
        limiter: Limiter | None = None,
    ) -> None:
        super().__init__(config, symbol, rng, limiter)
        self.granularity = granularity
        self._candles = CandleKind(symbol, granularity)

    def _kind(self, symbol: str) -> CandleKind:
        return CandleKind(symbol, self.granularity)

    def _begin(self, after: int) -> Stream:
        return CandleStream(self._candles, after, self._config, self.stats)

    async def _final(self, connection: Connection, symbol: str, end: int | None) -> int:
        """Return the close of the last whole candle: one that a tick has come after.

        Not by the venue's clock, which may be ahead of its ticks: a candle that still grows would
        pass for whole.
        """
        ticks = TickKind(symbol)
        times = ticks.rows(await connection.call(ticks.request(count=1)))[0]
        whole = int(times[-1]) if len(times) else 0
        whole -= whole % self._candles.spacing
        return whole if end is None else min(end, whole)
