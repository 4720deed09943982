"""Streams of a venue as one feed: in which order events are told, and when they count as news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from market.errors import VenueRejected
from market.events import SECOND, Bar, BookUpdate, FeedGap, MarketEvent, Tick, Trade
from market.tape import Tape
from venues import merged
from venues.base import FeedStats
from venues.merged import MergedFeed

STEP = 60 * SECOND


class Scripted:
    """A stream that tells what it is handed, when it is handed it."""

    symbol = "X"

    def __init__(self) -> None:
        self.stats, self.live = FeedStats(), False
        self.after = -1
        self._queue: asyncio.Queue[tuple[MarketEvent | Exception | None, bool]] = asyncio.Queue()

    def tell(self, event: MarketEvent | Exception | None, live: bool = True) -> None:
        self._queue.put_nowait((event, live))

    async def events(self, after: int) -> AsyncGenerator[MarketEvent, None]:
        self.after = after
        while True:
            event, self.live = await self._queue.get()
            if event is None:
                return
            if isinstance(event, Exception):
                raise event
            self.stats.received += 1
            yield event

    async def history(
        self, symbol: str, start: int, end: int | None = None, count: int | None = None
    ) -> Tape:
        return Tape.from_events(symbol, [Tick(symbol, start, 1.0)])

    async def close(self) -> None:
        self.tell(None)


def bar(minute: int) -> Bar:
    return Bar("X", minute * STEP, 1.0, 1.0, 1.0, 1.0)


def trade(minute: float) -> Trade:
    return Trade("X", round(minute * STEP), 1.0, 1.0)


def book(minute: float) -> BookUpdate:
    return BookUpdate("X", round(minute * STEP), 1, 1, (), ())


class Rig:
    """A merged feed of scripted streams, and what it has told."""

    def __init__(self, step: int = STEP, after: int = 0) -> None:
        self.own, self.trades, self.book = Scripted(), Scripted(), Scripted()
        self.feed = MergedFeed(self.own, {"book": self.book, "trades": self.trades}, step)
        self.told: list[tuple[MarketEvent, bool]] = []
        self._task = asyncio.create_task(self._follow(after))

    async def _follow(self, after: int) -> None:
        async for event in self.feed.events(after):
            self.told.append((event, self.feed.live))

    async def settled(self) -> list[MarketEvent]:
        """Return what was told once nothing moves any more."""
        for _ in range(50):
            await asyncio.sleep(0)
        return [event for event, _ in self.told]

    async def end(self) -> None:
        await self.feed.close()
        await self._task


async def test_what_came_before_a_bar_s_close_is_told_before_it_and_what_came_later_behind() -> (
    None
):
    rig = Rig()
    rig.own.tell(bar(1))
    for stream in (rig.book, rig.trades):
        stream.tell(trade(0.5) if stream is rig.trades else book(0.5))
    await rig.settled()
    # The venue tells of the second bar late: trades of the third are there already.
    told = [trade(1.5), trade(2.0), trade(2.5)]
    for event in told:
        rig.trades.tell(event)
    assert (await rig.settled())[-1] == trade(2.0)
    rig.own.tell(bar(2))
    assert (await rig.settled())[-3:] == [trade(2.0), bar(2), trade(2.5)]
    # A bar that is missing holds nothing up for good: the next one lets all before it pass.
    rig.trades.tell(trade(3.5))
    rig.own.tell(FeedGap("X", 4 * STEP, 2 * STEP))
    rig.own.tell(bar(4))
    assert (await rig.settled())[-3:] == [trade(3.5), FeedGap("X", 4 * STEP, 2 * STEP), bar(4)]
    await rig.end()


async def test_of_one_time_the_book_comes_first_then_trades_then_the_bar() -> None:
    rig = Rig()
    rig.own.tell(bar(1))
    rig.trades.tell(trade(1.0))
    rig.book.tell(book(1.0))
    assert await rig.settled() == [book(1.0), trade(1.0), bar(1)]
    await rig.end()


async def test_an_event_waits_for_a_stream_that_still_reads_history() -> None:
    rig = Rig(after=STEP)
    assert await rig.settled() == []
    assert {rig.own.after, rig.trades.after, rig.book.after} == {STEP}
    rig.book.tell(book(1.5))
    rig.own.tell(bar(2), live=False)
    rig.own.tell(bar(3), live=False)
    rig.trades.tell(trade(1.2), live=False)
    assert await rig.settled() == [trade(1.2), book(1.5)], "trades up to the bar may still come"
    rig.trades.tell(trade(2.2), live=False)
    assert (await rig.settled())[2:] == [bar(2), trade(2.2)]
    rig.trades.tell(trade(3.1), live=True)
    assert (await rig.settled())[4:] == [bar(3), trade(3.1)]
    rig.own.tell(bar(4))
    assert (await rig.settled())[6:] == [bar(4)], "it has caught up, and needs no waiting for"
    # News for whoever decides only since all streams have told some.
    assert [live for event, live in rig.told if isinstance(event, Bar)] == [False, False, True]
    await rig.end()


async def test_after_a_lost_connection_an_event_waits_for_what_was_missed() -> None:
    rig = Rig()
    rig.trades.tell(trade(0.5))
    rig.book.tell(book(0.5))
    rig.own.tell(bar(1))
    await rig.settled()
    rig.trades.stats.reconnects = 1
    rig.own.tell(bar(2))
    assert (await rig.settled())[-1] == bar(1)
    rig.trades.tell(trade(1.2), live=False)
    rig.trades.tell(trade(1.7), live=False)
    rig.trades.tell(trade(2.1))
    assert (await rig.settled())[-4:] == [trade(1.2), trade(1.7), bar(2), trade(2.1)]
    assert rig.told[-2] == (bar(2), True)
    await rig.end()


async def test_a_stream_that_says_nothing_holds_nobody_up_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(merged, "PATIENCE", 0.05)
    rig = Rig()
    rig.own.tell(bar(1))
    async with asyncio.timeout(10):
        while not rig.told:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert rig.told == [(bar(1), False)], "but nothing is decided on it"
    await rig.end()


async def test_a_hole_says_which_stream_it_is_of() -> None:
    rig = Rig(step=0)
    hole = FeedGap("X", STEP, 0)
    for stream in (rig.book, rig.trades):
        stream.tell(hole)
    for event in (trade(1.0), book(1.0)):
        (rig.trades if isinstance(event, Trade) else rig.book).tell(event)
    rig.own.tell(hole)
    rig.own.tell(bar(1))
    gaps = [event for event in await rig.settled() if isinstance(event, FeedGap)]
    assert [gap.stream for gap in gaps] == ["book", "trades", "prices"]
    assert rig.feed.stats.received == 3
    await rig.end()


async def test_what_one_stream_can_t_get_over_is_raised() -> None:
    rig = Rig()
    rig.trades.tell(VenueRejected("1", "no such symbol"))
    await rig.settled()
    with pytest.raises(VenueRejected, match="no such symbol"):
        await rig.end()


async def test_it_holds_what_it_can_t_tell_yet_within_bounds() -> None:
    rig = Rig()
    rig.own.tell(bar(1))
    rig.book.tell(book(0.5))
    rig.trades.tell(trade(0.5))
    await rig.settled()
    for i in range(5_000):
        rig.trades.tell(trade(2.5 + i / 1e6))
    await rig.settled()
    assert len(rig.told) == 3
    assert rig.trades.stats.received < 1_100
    await rig.end()
