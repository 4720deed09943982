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
        one they came at; those of one reading follow each other by a nanosecond. A trade's time is
        the venue's.
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
        self._waiting: deque[tuple[int, Item]] = deque()
        self._came = asyncio.Event()
        self._closed = False
        self._time = self._id = self._changes = 0
        self._untimed = dict.fromkeys(sorted(self._kinds & {"quotes", "book"}), 0)
        self._holes: set[str] = set()
        self._anew()

    def _anew(self) -> None:
        """Forget quotes and book: what comes next can't be put on what was before."""
        self._quotes = [nan, nan]
        self._sides = (PriceList(), PriceList())
        self._parts: tuple[list[Level], list[Level]] = ([], [])
        self._whole = False

    async def events(self, after: int) -> AsyncGenerator[MarketEvent, None]:
        """Yield what comes, trades later than ``after`` first from the venue's history.

        After a lost connection, and where a slow consumer let more than ``backlog`` events wait,
        the trades missed are fetched from history; if that fails they are told as a
        :class:`~market.events.FeedGap`. Quotes and book have no history: what was lost of them,
        then or before the beginning, is a gap in front of the next that come, and changes of a book
        are left out until the whole of it was told.
        """
        self._time = after
        self._untimed = dict.fromkeys(self._untimed, after)
        self._holes = set(self._untimed) if after else set()
        await self._session.join()
        try:
            self._session.listen(self.symbol, self._on_item, book="book" in self._kinds)
            if after and "trades" in self._kinds:
                async for event in self._missed():
                    yield event
            while not self._closed:
                while self._waiting:
                    came, item = self._waiting.popleft()
                    if isinstance(item, Reconnected):
                        self.stats.reconnects += 1
                        self._anew()
                        self._holes |= {kind for kind, last in self._untimed.items() if last}
                        if "book" in self._kinds:
                            self._session.renew_book(self.symbol)
                        async for event in self._missed():
                            yield event
                        continue
                    for made in self._made(item, came):
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
            first = next((one.time for _, one in self._waiting if isinstance(one, Trade)), 0)
            if first and not self._time:
                self._time = first - 1
            self._waiting.clear()
            item = Reconnected()
        self._waiting.append((self._clock(), item))
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
            yield FeedGap(self.symbol, max(self._clock(), before + 1), before, "trades")
            return
        for trade in past:
            # Without a number seen, the time alone tells: what came at it was seen.
            if trade.id > known and (known or trade.time > before):
                self.stats.filled += 1
                for event in self._traded(trade):
                    yield event

    def _made(self, item: Item, came: int) -> Iterator[MarketEvent]:
        """Yield the events that an item makes, which came at a time of our clock."""
        try:
            if isinstance(item, Trade):
                if "trades" in self._kinds:
                    yield from self._traded(item)
            elif isinstance(item, QuoteChange):
                if "quotes" in self._kinds:
                    yield from self._quoted(item, came)
            elif isinstance(item, BookChange) and "book" in self._kinds:
                yield from self._changed(item, came)
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

    def _quoted(self, change: QuoteChange, came: int) -> Iterator[MarketEvent]:
        side, price = change
        if side not in (0, 1) or not 0.0 < price < float("inf"):
            self.stats.refuse("price")
            return
        self._quotes[side] = price
        bid, ask = self._quotes
        if bid <= ask:  # false while one side is unknown, or the other has yet to follow
            time = max(came, self._untimed["quotes"] + 1)
            yield from self._behind_hole("quotes", time)
            yield Tick(self.symbol, time, (bid + ask) / 2.0, bid, ask)

    def _changed(self, change: BookChange, came: int) -> Iterator[MarketEvent]:
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
            self._whole = True
            whole = [one.levels for one in self._sides]
            yield from self._update(came, whole[0], whole[1], snapshot=True)
            return
        if side not in (0, 1):
            raise DataError(f"a side must be 0 or 1, was {side}")
        if self._whole:
            changed = self._sides[side].change(action, position, price, size)
            bids, asks = (changed, ()) if side == 0 else ((), changed)
            yield from self._update(came, bids, asks, snapshot=False)

    def _update(
        self, came: int, bids: tuple[Level, ...], asks: tuple[Level, ...], snapshot: bool
    ) -> Iterator[MarketEvent]:
        time = max(came, self._untimed["book"] + 1)
        yield from self._behind_hole("book", time)
        self._changes += 1
        number = self._changes
        yield BookUpdate(self.symbol, time, number, number, bids, asks, number - 1, snapshot)

    def _behind_hole(self, kind: str, time: int) -> Iterator[FeedGap]:
        """Yield the gap that is in front of an event, if there is one, and count the event."""
        last, self._untimed[kind] = self._untimed[kind], time
        self.stats.received += 1
        if kind in self._holes:
            self._holes.discard(kind)
            self.stats.gaps += 1
            yield FeedGap(self.symbol, time, last, "book" if kind == "book" else "prices")
