"""The events of one symbol over as many connections and requests as it takes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress

import numpy as np

from market.errors import DataError, VenueError
from market.events import MarketEvent
from venues.base import FeedStats
from venues.binance.config import ROUTES, BinanceConfig
from venues.binance.line import Item, Line, Opened
from venues.binance.rest import BinanceRest
from venues.binance.socket import Arrival
from venues.binance.track import Track, route

__all__ = ["Following"]

_AHEAD = 1000
"""Events that may wait between the sockets and whoever follows, before the sockets hold them."""

_CLOSED = b'"x":true'


class Following:
    """Follows tracks, each over the line that serves its stream.

    Parameters
    ----------
    config
        How to reach the venue.
    rest
        For what the streams don't tell; it stays open.
    rng
        Spreads the attempts of many at a new connection.
    stats
        Of the feed.
    clock
        Nanoseconds, for the times of receipt.

    Attributes
    ----------
    live
        Whether the event yielded last was news when it came.
    lines
        The lines being followed.
    """

    def __init__(
        self,
        config: BinanceConfig,
        rest: BinanceRest,
        rng: np.random.Generator,
        stats: FeedStats,
        clock: Callable[[], int],
    ) -> None:
        self.live = False
        self.lines: list[Line] = []
        self._config = config
        self._rest = rest
        self._rng = rng
        self._stats = stats
        self._clock = clock
        self._who = ""
        self._closing = asyncio.Event()
        self._queue: asyncio.Queue[Item] = asyncio.Queue(_AHEAD)
        self._ahead: deque[Item] = deque()

    async def follow(
        self, symbol: str, tracks: Sequence[Track]
    ) -> AsyncGenerator[MarketEvent, None]:
        """Yield the events of all tracks, until :meth:`close`.

        Raises
        ------
        VenueRejected
            The venue refuses for good, such as a symbol that it doesn't list.
        DataError
            What it answers to requests stays malformed.
        """
        self._who = symbol
        async with aclosing(self._persist(lambda: self._listed(symbol))) as nothing:
            async for _ in nothing:
                pass
        by_stream = {track.stream: track for track in tracks}
        self.lines.clear()
        self._ahead.clear()
        self._queue = asyncio.Queue(_AHEAD)
        for where in ROUTES:
            streams = [name for name in by_stream if route(self._config, name) == where]
            if streams:
                self.lines.append(
                    Line(
                        self._config,
                        where,
                        streams,
                        self._rest.limits,
                        self._rng,
                        self._stats,
                        self._clock,
                        self._queue,
                    )
                )
        running = [asyncio.create_task(line.run()) for line in self.lines]
        try:
            while not self._closing.is_set() and (item := await self._next()) is not None:
                async with aclosing(self._events(item, by_stream)) as events:
                    async for event in events:
                        yield event
                        if self._closing.is_set():
                            return
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def close(self) -> None:
        """End :meth:`follow`; a second call does nothing."""
        self._closing.set()

    async def _events(
        self, item: Item, tracks: dict[str, Track]
    ) -> AsyncGenerator[MarketEvent, None]:
        """Yield what is new in an item of a line."""
        if isinstance(item, Exception):
            raise item
        if isinstance(item, Opened):
            for track in tracks.values():
                if route(self._config, track.stream) == item.route:
                    async with aclosing(self._opened(track, item.lost)) as events:
                        async for event in events:
                            yield event
            return
        track_of = tracks.get(item.stream)
        if track_of is None:
            self._stats.refuse("symbol")
            return
        late = self._overtaken(item)
        async with aclosing(self._persist(lambda: track_of.take(item, late))) as events:
            async for event in events:
                self.live = track_of.live
                yield event

    async def _opened(self, track: Track, lost: bool) -> AsyncGenerator[MarketEvent, None]:
        async with aclosing(self._persist(lambda: track.opened(lost))) as events:
            async for event in events:
                self.live = track.live
                yield event

    async def _listed(self, symbol: str) -> AsyncGenerator[MarketEvent, None]:
        """Yield nothing; a stream of a symbol that isn't listed is silent, a request says so."""
        await self._rest.exchange(symbol)
        return
        yield  # which makes it a generator

    async def _persist(
        self, make: Callable[[], AsyncGenerator[MarketEvent, None]]
    ) -> AsyncGenerator[MarketEvent, None]:
        """Yield what ``make`` yields, making it again where a request failed in vain."""
        retry = self._rest.limits.retry(self._config, self._rng, self._who)
        while not self._closing.is_set():
            try:
                async with aclosing(make()) as events:
                    async for event in events:
                        retry.succeeded()
                        yield event
                return
            except (VenueError, DataError) as error:
                if not self._closing.is_set():
                    retry.failed(error)
            await retry.pause(self._closing)

    async def _next(self) -> Item | None:
        """Return the next item of the lines; ``None`` when closing."""
        if not self._ahead:
            if self._queue.empty():
                await self._wait()
            with suppress(asyncio.QueueEmpty):
                while True:
                    self._ahead.append(self._queue.get_nowait())
        return self._ahead.popleft() if self._ahead else None

    async def _wait(self) -> None:
        """Wait for an item, or for :meth:`close`."""
        getting = asyncio.create_task(self._queue.get())
        closing = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait({getting, closing}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                self._ahead.append(getting.result())
        finally:
            getting.cancel()
            closing.cancel()

    def _overtaken(self, item: Arrival) -> bool:
        """Whether something newer waits already; for a bar, only one that has closed is that."""
        if "@kline" not in item.stream:
            return bool(self._ahead)
        return any(
            isinstance(other, Arrival)
            and other.stream == item.stream
            and _CLOSED in bytes(other.data)
            for other in self._ahead
        )
