"""Changes of the order book, each following the one before, from a whole book on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import msgspec

from market.errors import DataError
from market.events import BookUpdate, FeedGap, MarketEvent
from venues.base import FeedStats
from venues.binance.codec import decode_book
from venues.binance.depth import DepthSync
from venues.binance.rest import BinanceRest
from venues.binance.socket import Arrival
from venues.binance.track import refuse

__all__ = ["BookTrack"]

_ASKED = 3
"""Times a snapshot is asked for in a row; the next change of the book asks again."""


class BookTrack:
    """See :class:`~venues.binance.track.Track`.

    The first event is the whole book; changes follow it without one missing. When one is, there
    is a :class:`~market.events.FeedGap` and the whole book again. Numbers tell what is missing,
    so a change of connections that loses nothing goes unnoticed.

    Parameters
    ----------
    rest
        Where whole books come from. Spot gives no time with one: it gets that of the newest
        change known before it was asked for.
    symbol
        Whose book.
    after
        The time of the last change seen; 0 if that does not matter.
    stats
        Of the stream.
    """

    def __init__(self, rest: BinanceRest, symbol: str, after: int, stats: FeedStats) -> None:
        self.stream = f"{symbol.lower()}@depth@100ms"  # the fastest there is
        self.live = False
        self._rest = rest
        self._symbol = symbol
        self._sync = DepthSync(rest.config.market)
        self._time = after
        self._stats = stats

    async def opened(self, lost: bool) -> AsyncGenerator[MarketEvent, None]:
        """Yield nothing; the numbers of the next change tell what was missed."""
        return
        yield  # which makes it a generator

    async def take(self, arrival: Arrival, late: bool) -> AsyncGenerator[MarketEvent, None]:
        """Yield the change, or a whole book and what follows it."""
        try:
            update = decode_book(arrival.data, self._symbol)
            known = update.last <= self._sync.last
            if update.time < self._time and not known:
                text = f"{self._symbol}: book change {update.last} is earlier than the one before"
                raise DataError(text, reason="time")
            ready = self._sync.update(update)
        except DataError as error:
            refuse(self._stats, error)
            return
        self.live = not late
        if self._sync.needs_snapshot:
            ready = await self._snapshot(update.time)
        elif known and not ready:
            self._stats.duplicates += 1
        for one in ready:
            if one.snapshot and self._time:
                self._stats.gaps += 1
                yield FeedGap(self._symbol, one.time, self._time, "book")
            self._time = one.time
            self._stats.received += 1
            yield one

    async def _snapshot(self, newest: int) -> list[BookUpdate]:
        """Return a whole book and the changes that follow it; nothing if it is too old."""
        for attempt in range(_ASKED):
            if attempt:
                await asyncio.sleep(self._rest.config.backoff_first * 2.0**attempt)
            ready = self._sync.snapshot(await self._rest.depth(self._symbol, newest))
            if ready:
                book, *changes = ready
                # The two clocks of the venue differ by a little; order is what counts.
                time = min(book.time, changes[0].time) if changes else book.time
                return [msgspec.structs.replace(book, time=max(time, self._time)), *changes]
        return []
