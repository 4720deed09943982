"""B3's trades, quotes and book of one ticker, each once, in order, over lost connections."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from math import nan
from time import monotonic

from market.errors import DataError, VenueError
from market.events import SECOND, BookUpdate, FeedGap, MarketEvent, Tick, Trade
from venues.base import FeedStats
from venues.clock import wall_clock
from venues.profit.items import BookChange, Item, QuoteChange, Reconnected
from venues.profit.prices import FULL, Level, PriceList, levels_of
from venues.profit.session import ProfitSession

__all__ = ["KINDS", "ProfitStream"]

KINDS = ("trades", "quotes", "book")
"""What can be asked for."""

_log = logging.getLogger(__name__)


class ProfitStream:
    """All that B3 tells of one ticker; see :class:`~venues.base.MarketStream`.

    Parameters
    ----------
    session
        The login; opened by the first of its streams that needs it.
    symbol
        The ticker, such as ``WDOFUT``.
    kinds
        Which of :data:`KINDS`.
    clock
        Nanoseconds since 1970: quotes and book changes carry no time of the venue's, and get the
        one they came at. A trade's time is the venue's.
    """

    def __init__(
        self,
        session: ProfitSession,
        symbol: str,
        kinds: tuple[str, ...] = ("trades",),
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        unknown = sorted(set(kinds) - set(KINDS))
        if unknown or not kinds:
            raise ValueError(f"kinds must be among {', '.join(KINDS)}, was {kinds}")
        self.symbol = symbol
        self.stats = FeedStats()
        self._session = session
        self._kinds = frozenset(kinds)
        self._clock = clock
        self._waiting: deque[Item] = deque()
        self._came = asyncio.Event()
        self._closed = False
        self._time = self._id = self._changes = 0
        self._quotes = [nan, nan]
        self._sides = (PriceList(), PriceList())
        self._parts: tuple[list[Level], list[Level]] = ([], [])

    async def events(self, after: int) -> AsyncGenerator[MarketEvent, None]:
        """Yield what comes, trades later than ``after`` first from the venue's history.

        After a lost connection, and where a slow consumer let more than ``backlog`` events wait,
        the trades missed are fetched from history; if that fails they are told as a
        :class:`~market.events.FeedGap`. Quotes and book begin anew with the next that come.
        """
        self._time = after
        await self._session.join()
        try:
            self._session.listen(self.symbol, self._on_item, book="book" in self._kinds)
            if after and "trades" in self._kinds:
                async for event in self._missed():
                    yield event
            while not self._closed:
                while self._waiting:
                    item = self._waiting.popleft()
                    if isinstance(item, Reconnected):
                        self.stats.reconnects += 1
                        if "book" in self._kinds:
                            self._session.renew_book(self.symbol)
                        async for event in self._missed():
                            yield event
                        continue
                    for made in self._made(item):
                        yield made
                    if self._closed:
                        return
                self._came.clear()
                await self._came.wait()
        finally:
            self._session.ignore(self.symbol, self._on_item)
            await self._session.leave()

    async def close(self) -> None:
        """End :meth:`events`; the session stays open."""
        self._closed = True
        self._came.set()

    def _on_item(self, item: Item) -> None:
        self.stats.receipt = monotonic()
        if len(self._waiting) >= self._session.config.backlog:
            # As after a lost connection: what was not taken in time comes from history.
            first = next((one.time for one in self._waiting if isinstance(one, Trade)), 0)
            if first and not self._time:
                self._time = first - 1
            self._waiting.clear()
            item = Reconnected()
        self._waiting.append(item)
        self._came.set()

    async def _missed(self) -> AsyncGenerator[MarketEvent, None]:
        """Yield the trades since the last one seen, from history."""
        if not self._time or "trades" not in self._kinds:
            return
        before, known = self._time, self._id
        try:
            past = await self._session.trades(self.symbol, before, self._clock() + SECOND)
        except VenueError as error:
            _log.warning("%s: what was missed stays missed: %s", self.symbol, error)
            self.stats.gaps += 1
            yield FeedGap(self.symbol, max(self._clock(), before + 1), before)
            return
        for trade in past:
            # Without a number seen, the time alone tells: what came at it was seen.
            if trade.id > known and (known or trade.time > before):
                self.stats.filled += 1
                for event in self._traded(trade):
                    yield event

    def _made(self, item: Item) -> Iterator[MarketEvent]:
        """Yield the events that an item makes."""
        try:
            if isinstance(item, Trade):
                if "trades" in self._kinds:
                    yield from self._traded(item)
            elif isinstance(item, QuoteChange):
                if "quotes" in self._kinds:
                    yield from self._quoted(item)
            elif isinstance(item, BookChange) and "book" in self._kinds:
                yield from self._changed(item)
        except DataError as error:
            _log.warning("%s: %s", self.symbol, error)
            self.stats.refuse(error.reason)

    def _traded(self, trade: Trade) -> Iterator[MarketEvent]:
        if trade.id <= self._id:
            self.stats.duplicates += 1
            return
        if trade.time < self._time:
            self.stats.refuse("time")
            return
        self._id, self._time = trade.id, trade.time
        self.stats.received += 1
        yield trade

    def _quoted(self, change: QuoteChange) -> Iterator[MarketEvent]:
        side, price = change
        if side not in (0, 1) or not 0.0 < price < float("inf"):
            self.stats.refuse("price")
            return
        self._quotes[side] = price
        bid, ask = self._quotes
        if bid <= ask:  # false while one side is unknown, or the other has yet to follow
            self.stats.received += 1
            yield Tick(self.symbol, self._clock(), (bid + ask) / 2.0, bid, ask)

    def _changed(self, change: BookChange) -> Iterator[MarketEvent]:
        action, position, side, price, size, *packed = change
        if action == FULL:
            last = True
            for k, part in enumerate(packed):
                if part is not None:
                    levels, ends = levels_of(part)
                    self._parts[k].extend(levels)
                    last = last and ends
            if not last:
                return
            for k in (0, 1):
                self._sides[k].replace(self._parts[k])
                self._parts[k].clear()
            levels_now = [self._sides[k].levels for k in (0, 1)]
            yield self._update(levels_now[0], levels_now[1], snapshot=True)
            return
        if side not in (0, 1):
            raise DataError(f"a side must be 0 or 1, was {side}")
        changed = self._sides[side].change(action, position, price, size)
        yield self._update(changed if side == 0 else (), changed if side else (), snapshot=False)

    def _update(
        self, bids: tuple[Level, ...], asks: tuple[Level, ...], snapshot: bool
    ) -> BookUpdate:
        self._changes += 1
        self.stats.received += 1
        number = self._changes
        return BookUpdate(
            self.symbol, self._clock(), number, number, bids, asks, number - 1, snapshot
        )
