"""Best quotes as ticks; there is no history of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from math import nan

import msgspec

from market.errors import DataError
from market.events import SECOND, FeedGap, MarketEvent, Tick
from venues.base import FeedStats
from venues.binance.codec import decode_quote
from venues.binance.config import BinanceConfig
from venues.binance.socket import Arrival
from venues.binance.track import refuse

__all__ = ["QuoteTrack"]


class QuoteTrack:
    """See :class:`~venues.binance.track.Track`.

    A :class:`~market.events.Tick` has the middle of bid and ask as its price. Futures tell the
    time of each; **spot does not: it is the time of receipt by our clock there**, network and all.

    Quotes change several times in a millisecond. So that times increase, one that has the time
    of the one before, or an earlier one, is put a nanosecond after it; so is one that comes after
    our clock was set back. A futures quote a second or more out of order is refused.

    What is lost while there is no connection is one :class:`~market.events.FeedGap`.

    Parameters
    ----------
    config
        Which market.
    symbol
        Whose quotes.
    after
        The time of the last one seen; 0 if that does not matter.
    stats
        Of the stream.
    """

    def __init__(self, config: BinanceConfig, symbol: str, after: int, stats: FeedStats) -> None:
        self.stream = f"{symbol.lower()}@bookTicker"
        self.live = False
        self._timed = config.market == "usdm"
        self._symbol = symbol
        self._last = Tick(symbol, after, nan)
        self._number = -1
        self._hole = bool(after)
        self._stats = stats

    async def opened(self, lost: bool) -> AsyncGenerator[MarketEvent, None]:
        """Yield nothing; after a lost connection the next quote follows a gap."""
        if lost:
            self._hole = self._hole or self._last.time > 0
            self._number = -1
        return
        yield  # which makes it a generator

    async def take(self, arrival: Arrival, late: bool) -> AsyncGenerator[MarketEvent, None]:
        """Yield the quote, and before it the gap if there is one."""
        try:
            tick, number = decode_quote(arrival.data, self._symbol, arrival.receipt)
            if number <= self._number:
                self._stats.duplicates += 1
                return
            last = self._last.time
            if self._timed and tick.time <= last - SECOND:
                text = f"{self._symbol}: quote {number} is earlier than the one before"
                raise DataError(text, reason="time")
        except DataError as error:
            refuse(self._stats, error)
            return
        self._number = number
        if tick.time <= last:
            tick = msgspec.structs.replace(tick, time=last + 1)
        if self._hole:
            self._hole = False
            self._stats.gaps += 1
            yield FeedGap(self._symbol, tick.time, last)
        self.live = not late
        self._last = tick
        self._stats.received += 1
        yield tick
