"""Closed bars of one interval: from the stream as they close, from history what is missing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

from market.errors import DataError
from market.events import Bar, FeedGap, MarketEvent
from market.holes import MAX_GAP
from venues.base import FeedStats
from venues.binance.codec import decode_kline
from venues.binance.intervals import step
from venues.binance.rest import BinanceRest
from venues.binance.socket import Arrival
from venues.binance.track import refuse

__all__ = ["BarTrack", "closed_bars", "closed_until"]


class BarTrack:
    """See :class:`~venues.binance.track.Track`.

    A bar that is missing before another is fetched; one that the venue doesn't have is a
    :class:`~market.events.FeedGap`.

    Parameters
    ----------
    rest
        Where history comes from.
    symbol, interval
        Whose bars.
    after
        Closes up to here were seen; 0 if none are asked for but new ones.
    stats
        Of the feed.
    """

    def __init__(
        self, rest: BinanceRest, symbol: str, interval: str, after: int, stats: FeedStats
    ) -> None:
        self.stream = f"{symbol.lower()}@kline_{interval}"
        self.live = False
        self._rest = rest
        self._symbol = symbol
        self._interval = interval
        self._step = step(interval, rest.config.market)
        self._last = after
        self._sought = 0
        self._stats = stats
        self._began = False

    async def opened(self, lost: bool) -> AsyncGenerator[MarketEvent, None]:
        """Yield the bars that have closed since the last one."""
        if lost and self._last:
            async for event in self._missing(None):
                yield event
        self._began = True

    async def take(self, arrival: Arrival, late: bool) -> AsyncGenerator[MarketEvent, None]:
        """Yield the bar if it has closed, and before it what should have come and did not."""
        try:
            bar, closed = decode_kline(arrival.data, self._symbol, self._interval, self._step)
        except DataError as error:
            refuse(self._stats, error)
            return
        opened = bar.time - self._step
        # A bar that is growing is told every second or two: once for each is enough.
        if self._last and opened > self._last and (closed or opened > self._sought):
            async for event in self._missing(opened):
                yield event
            self._sought = opened
        if not closed:
            return
        if bar.time <= self._last:
            self._stats.duplicates += 1
            return
        for event in self._next(bar, live=not late):
            yield event

    async def _missing(self, until: int | None) -> AsyncGenerator[MarketEvent, None]:
        """Yield the bars after the last one that close up to ``until``, or until now."""
        if until is None:
            until = await closed_until(self._rest, self._symbol, self._interval)
        bars = closed_bars(self._rest, self._symbol, self._interval, self._last, until)
        try:
            async for bar in bars:
                for event in self._next(bar, live=False):
                    self._stats.filled += self._began and isinstance(event, Bar)
                    yield event
        except DataError as error:
            refuse(self._stats, error)

    def _next(self, bar: Bar, live: bool) -> Iterator[MarketEvent]:
        self.live = live
        if self._last and bar.time - self._last > MAX_GAP * self._step:
            self._stats.gaps += 1
            yield FeedGap(self._symbol, bar.time, self._last)
        self._last = bar.time
        self._stats.received += 1
        yield bar


async def closed_until(rest: BinanceRest, symbol: str, interval: str) -> int:
    """Return the time up to which bars have closed for certain: when the newest one opened.

    The venue gives out the bar that is still growing like any other, and a clock, its or ours,
    may be wrong; that another bar has begun after it tells that one has closed.

    Raises
    ------
    VenueError
        The venue can't be reached, or refuses.
    DataError
        What it sends is malformed.
    """
    newest = await rest.klines(symbol, interval, limit=1)
    return newest[-1].time - step(interval, rest.config.market) if newest else 0


async def closed_bars(
    rest: BinanceRest, symbol: str, interval: str, after: int, until: int
) -> AsyncGenerator[Bar, None]:
    """Yield the bars that close later than ``after``, up to ``until``, which has passed.

    Raises
    ------
    VenueError
        The venue can't be reached, or refuses.
    DataError
        What it sends is malformed.
    """
    nanos = step(interval, rest.config.market)
    while after < until:
        # What closes after `after` opens at most a step before that.
        start = max(0, after - nanos + 1)
        page = await rest.klines(symbol, interval, start, max(start, until - nanos))
        new = [bar for bar in page if after < bar.time <= until]
        for bar in new:
            yield bar
        if not new:
            return
        after = new[-1].time
