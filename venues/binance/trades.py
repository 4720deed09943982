"""Trades in the order of their numbers: from the stream, from history what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence

from market.errors import DataError
from market.events import SECOND, FeedGap, MarketEvent, Trade
from venues.base import FeedStats
from venues.binance.codec import decode_agg_trade, decode_trade
from venues.binance.rest import BinanceRest
from venues.binance.socket import Arrival
from venues.binance.track import refuse

__all__ = ["TradeTrack"]

_WAITS = (0.1, 0.3, 1.0)
"""Real seconds to wait for history to have what the stream told already, and to be readable."""


class TradeTrack:
    """See :class:`~venues.binance.track.Track`.

    Trades are numbered without a hole, so each one that is missing is noticed. Those of one
    aggressor at one price (``aggTrade``) are kept by the venue; of single trades (``trade``) only
    the latest are told without an API key. What is not to be had is a
    :class:`~market.events.FeedGap`.

    Numbers that fall while time goes on are another count, of an exchange that was reset: a gap.

    Parameters
    ----------
    rest
        Where history comes from.
    symbol
        Whose trades.
    single
        Whether single trades are wanted.
    after
        Trades up to this time were seen; 0 if none are asked for but new ones.
    stats
        Of the stream.
    """

    def __init__(
        self, rest: BinanceRest, symbol: str, single: bool, after: int, stats: FeedStats
    ) -> None:
        self.stream = f"{symbol.lower()}@{'trade' if single else 'aggTrade'}"
        self.live = False
        self._rest = rest
        self._symbol = symbol
        self._single = single
        self._time = self._after = after
        self._number = -1
        self._stats = stats
        self._began = False

    async def opened(self, lost: bool) -> AsyncGenerator[MarketEvent, None]:
        """Yield the trades since the last one."""
        if lost and self._number < 0 and self._after:
            for event in self._passed(await self._first()):
                yield event
        if lost and self._number >= 0:
            async for event in self._missing(None):
                yield event
        self._began = True

    async def take(self, arrival: Arrival, late: bool) -> AsyncGenerator[MarketEvent, None]:
        """Yield the trade, and before it what should have come and did not."""
        try:
            trade = (decode_trade if self._single else decode_agg_trade)(arrival.data, self._symbol)
        except DataError as error:
            refuse(self._stats, error)
            return
        if isinstance(trade, int):
            self._number = max(self._number, trade) if self._number >= 0 else -1
            return
        if trade.id <= self._number:
            if trade.time <= self._time + SECOND:
                self._stats.duplicates += 1
                return
            self._number = -1
        elif self._number >= 0 and trade.id > self._number + 1:
            async for event in self._missing(trade.id):
                yield event
        for event in self._next(trade, live=not late):
            yield event

    async def _first(self) -> Sequence[Trade]:
        """Return the first trades after ``after`` that are to be had."""
        found: Sequence[Trade] = ()
        if not self._single:
            found = await self._rest.agg_trades(self._symbol, start=self._after + 1)
        if found:
            self._number = found[0].id - 1
            return found
        found = await self._latest(-1)
        new = [trade for trade in found if trade.time > self._after]
        if found and found[0].time <= self._after:
            self._number = new[0].id - 1 if new else found[-1].id
        return new

    async def _latest(self, number: int) -> Sequence[Trade]:
        """Return the trades from ``number``, or the latest there are."""
        if self._single:
            return await self._rest.trades(self._symbol)
        return await self._rest.agg_trades(self._symbol, number if number >= 0 else None)

    async def _missing(self, until: int | None) -> AsyncGenerator[MarketEvent, None]:
        """Yield the trades after the last one and before number ``until``, or until now."""
        waits = iter(_WAITS)
        while until is None or self._number + 1 < until:
            try:
                found = await self._latest(self._number + 1)
            except DataError as error:
                refuse(self._stats, error)
                found = ()
            page = [
                trade
                for trade in found
                if trade.id > self._number and (until is None or trade.id < until)
            ]
            # Numbers left out among single trades are no trades; they count once passed by.
            sparse = self._single and bool(found) and found[0].id <= self._number + 1
            for event in self._passed(page, sparse):
                yield event
            if until is None and (self._single or len(found) < self._rest.config.page):
                return
            if until is not None and sparse and found[-1].id >= until - 1:
                self._number = until - 1
            elif not page:
                wait = next(waits, None)
                if wait is None:
                    return
                await asyncio.sleep(wait)

    def _passed(self, trades: Sequence[Trade], sparse: bool = False) -> Iterator[MarketEvent]:
        """Yield trades of history."""
        for trade in trades:
            if sparse:
                self._number = trade.id - 1
            for event in self._next(trade, live=False):
                self._stats.filled += self._began and isinstance(event, Trade)
                yield event

    def _next(self, trade: Trade, live: bool) -> Iterator[MarketEvent]:
        """Yield a trade that is new, and before it the gap if there is one."""
        if trade.time < self._time:
            self._number = trade.id
            text = f"{self._symbol}: trade {trade.id} is earlier than the one before"
            refuse(self._stats, DataError(text, reason="time"))
            return
        if trade.time <= self._after:
            self._number = trade.id
            return
        self.live = live
        known = self._number >= 0
        if (known and trade.id > self._number + 1) or (not known and self._time):
            self._stats.gaps += 1
            yield FeedGap(self._symbol, trade.time, self._time, "trades")
        self._number, self._time = trade.id, trade.time
        self._stats.received += 1
        yield trade
