"""What every source of market data must do, whatever venue it is of; none can be left out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from market.errors import PregaoError
from market.events import SECOND, Bar, BookUpdate, Event, FeedGap, MarketEvent, Tick
from market.instruments import Instrument
from market.series import Series
from market.store import TickStore
from tests.venue_ports import Advance, classes_with, rng, taken
from trading.seen import stream_of
from venues.base import Feed
from venues.binance import BinanceConfig, BinanceFeed
from venues.deriv import DerivCandles, DerivConfig, DerivFeed
from venues.doors import open_feed
from venues.files import FileFeed
from venues.merged import MergedFeed
from venues.simulated.binance.config import BinanceExchangeConfig
from venues.simulated.binance.exchange import BinanceExchange
from venues.simulated.deriv.config import DerivExchangeConfig
from venues.simulated.deriv.exchange import DerivExchange

N = 12
PEER = "ETHUSDT"
PUBLIC = "/trading/v1/options/ws/public"


@dataclass
class Opened:
    """A venue that runs, and how to make a feed on it."""

    make: Callable[[], Feed]
    symbol: str
    kind: type[Tick] | type[Bar]
    after: int
    advance: Advance
    streams: frozenset[str] = frozenset()
    peer: str = ""
    made: list[Feed] = field(default_factory=list)
    beside: list[MarketEvent] = field(default_factory=list)

    def feed(self) -> Feed:
        """Make a feed; it is closed when the test ends."""
        self.made.append(self.make())
        return self.made[-1]


Opener = Callable[[Path], AbstractAsyncContextManager[Opened]]


def deriv(make: Callable[[DerivConfig], Feed], kind: type[Any], dialect: str) -> Opener:
    @asynccontextmanager
    async def opened(_: Path) -> AsyncIterator[Opened]:
        config = DerivExchangeConfig(port=0, speed=0.0, symbols=("1HZ75V",), history_seconds=3600)
        async with DerivExchange(config) as running:
            address = running.url + (PUBLIC if dialect == "options" else "")
            client = DerivConfig(endpoint=address, dialect=dialect, backoff_first=0.02)
            after = (config.start_epoch - 20 * 60) * SECOND
            step = 60.0 if kind is Bar else 1.0
            yield Opened(lambda: make(client), "1HZ75V", kind, after, lambda: running.advance(step))

    return opened


def binance(market: str) -> Opener:
    @asynccontextmanager
    async def opened(_: Path) -> AsyncIterator[Opened]:
        config = BinanceExchangeConfig(port=0, speed=0.0, history_seconds=7200)
        async with BinanceExchange(config) as running:
            client = BinanceConfig(
                market=market, rest=running.url, stream=running.url.replace("http", "ws"),
                backoff_first=0.02,
            )  # fmt: skip
            after = (config.start_epoch - 20 * 60) * SECOND
            yield Opened(
                lambda: BinanceFeed(client, "BTCUSDT", "1m", rng()),
                "BTCUSDT", Bar, after, lambda: running.advance(60.0),
            )  # fmt: skip

    return opened


def recorded(stored: bool) -> Opener:
    @asynccontextmanager
    async def opened(folder: Path) -> AsyncIterator[Opened]:
        times = (1_775_001_600 + 2 * np.arange(400)) * SECOND
        prices = 100.0 + np.arange(400) % 7
        if stored:
            TickStore(folder).append(Series.ticks("R_75", times, prices))
            path = folder
        else:
            path = folder / "R_75.csv"
            rows = (f"{t // SECOND},{p}\n" for t, p in zip(times, prices, strict=True))
            path.write_text("timestamp,price\n" + "".join(rows))

        async def still() -> None:
            await asyncio.sleep(0)

        yield Opened(lambda: FileFeed(path, "R_75"), "R_75", Tick, int(times[99]), still)

    return opened


def with_beside(market: str) -> Opener:
    @asynccontextmanager
    async def opened(_: Path) -> AsyncIterator[Opened]:
        config = BinanceExchangeConfig(port=0, speed=0.0, history_seconds=1800)
        async with BinanceExchange(config) as running:
            client = BinanceConfig(
                market=market, rest=running.url, stream=running.url.replace("http", "ws"),
                backoff_first=0.02,
            )  # fmt: skip
            streams = frozenset(("trades", "book", "peer"))
            after = (config.start_epoch - 8 * 60) * SECOND
            yield Opened(
                lambda: open_feed(client, minutes("BTCUSDT"), 3, streams, PEER),
                "BTCUSDT", Bar, after, lambda: running.advance(60.0), streams, PEER,
            )  # fmt: skip

    return opened


@asynccontextmanager
async def with_peer(_: Path) -> AsyncIterator[Opened]:
    config = DerivExchangeConfig(
        port=0, speed=0.0, symbols=("1HZ75V", "R_100"), history_seconds=3600
    )
    async with DerivExchange(config) as running:
        client = DerivConfig(endpoint=running.url, backoff_first=0.02)
        after = (config.start_epoch - 60) * SECOND
        one = Instrument(symbol="1HZ75V", interval=1.0)
        yield Opened(
            lambda: open_feed(client, one, 3, ("peer",), "R_100"),
            "1HZ75V", Tick, after, lambda: running.advance(1.0), frozenset(("peer",)), "R_100",
        )  # fmt: skip


@asynccontextmanager
async def with_recordings(folder: Path) -> AsyncIterator[Opened]:
    store, times = TickStore(folder), (1_775_001_600 + 60 * np.arange(200)) * SECOND
    ones, few = np.ones(200), np.arange(200)
    for symbol in ("BTCUSDT", PEER):
        store.append(Series.bars(symbol, times, 60 * SECOND, np.ones((200, 5)), ones, ones))
    store.append(Series.trades("BTCUSDT", times - SECOND, few, ones, ones, np.ones(200)))
    changes = [
        BookUpdate("BTCUSDT", int(t) - 2, i, i, ((9.0, 1.0 + i),), ((9.1, 1.0),), -1, i == 0)
        for i, t in enumerate(times)
    ]
    store.append(Series.from_events("BTCUSDT", changes))
    one = minutes("BTCUSDT").model_copy(update={"tick": "0.1"})
    streams = frozenset(("trades", "book", "peer"))
    yield Opened(
        lambda: open_feed(folder, one, 3, streams, PEER),
        "BTCUSDT", Bar, int(times[99]), lambda: asyncio.sleep(0), streams, PEER,
    )  # fmt: skip


def minutes(symbol: str) -> Instrument:
    return Instrument(symbol=symbol, interval=60.0)


FEEDS: dict[str, tuple[type[Any], Opener]] = {
    **{
        f"Deriv ticks, {dialect}": (
            DerivFeed,
            deriv(lambda c: DerivFeed(c, "1HZ75V", rng()), Tick, dialect),
        )
        for dialect in ("v3", "options")
    },
    **{
        f"Deriv candles, {dialect}": (
            DerivCandles,
            deriv(lambda c: DerivCandles(c, "1HZ75V", 60, rng()), Bar, dialect),
        )
        for dialect in ("v3", "options")
    },
    **{f"Binance {market}": (BinanceFeed, binance(market)) for market in ("spot", "usdm")},
    "a CSV file": (FileFeed, recorded(stored=False)),
    "a tick store": (FileFeed, recorded(stored=True)),
    **{
        f"Binance {market} with all beside": (MergedFeed, with_beside(market))
        for market in ("spot", "usdm")
    },
    "Deriv ticks with a peer": (MergedFeed, with_peer),
    "a tick store with all beside": (FileFeed, with_recordings),
}


def test_every_feed_is_checked_here() -> None:
    assert classes_with("events", "history", "close") == {one for one, _ in FEEDS.values()}


@pytest.fixture(params=FEEDS, ids=list(FEEDS))
async def opened(request: Any, tmp_path: Path) -> AsyncIterator[Opened]:
    async with FEEDS[request.param][1](tmp_path) as made:
        yield made
        for feed in made.made:
            await feed.close()


async def own(opened: Opened, events: AsyncIterator[MarketEvent]) -> AsyncGenerator[Any, None]:
    """Yield the symbol's own events, and put the others aside."""
    async with aclosing(events) as told:  # type: ignore[type-var]
        async for event in told:
            if stream_of(event, opened.peer) == "prices":
                yield event
            elif not isinstance(event, FeedGap):
                opened.beside.append(event)


def take(opened: Opened, feed: Feed, after: int, count: int) -> Awaitable[list[Any]]:
    return taken(own(opened, feed.events(after)), count, opened.advance)


def row(event: Event) -> tuple[float, ...]:
    assert not isinstance(event, FeedGap)
    if isinstance(event, Tick):
        return (event.time, event.price)
    return (event.time, event.open, event.high, event.low, event.close)


async def test_events_come_in_order_and_are_what_history_says(opened: Opened) -> None:
    feed, other = opened.feed(), opened.feed()
    assert isinstance(feed, Feed)
    events = await take(opened, feed, opened.after, N)
    times = [event.time for event in events]
    assert all(isinstance(event, opened.kind) for event in events)
    assert {stream_of(event, opened.peer) for event in opened.beside} == opened.streams
    for stream in opened.streams:
        told = [event.time for event in opened.beside if stream_of(event, opened.peer) == stream]
        assert all(a <= b for a, b in pairwise(told)), stream
        # A book may have begun before.
        assert stream == "book" or opened.after < told[0]
    assert opened.after < times[0]
    assert all(a < b for a, b in pairwise(times))
    tape = await other.history(opened.symbol, opened.after + 1, times[-1])
    assert tape.times.tolist() == times
    wanted = [row(event) for event in events]
    if opened.kind is Tick:
        assert list(zip(tape.times.tolist(), tape.close.tolist(), strict=True)) == wanted
    else:
        rows = np.column_stack([tape.values[:, :4]]).tolist()
        assert [(t, *r) for t, r in zip(tape.times.tolist(), rows, strict=True)] == wanted
    assert feed.stats.received == N + len(opened.beside)
    assert feed.stats.bad_frames == sum(feed.stats.reasons.values())


async def test_who_stops_goes_on_without_a_hole_or_a_double(opened: Opened) -> None:
    first, second, whole = opened.feed(), opened.feed(), opened.feed()
    before = await take(opened, first, opened.after, N // 2)
    behind = await take(opened, second, before[-1].time, N // 2)
    assert before + behind == await take(opened, whole, opened.after, N)


async def test_history_has_both_its_ends_and_the_last_of_a_count(opened: Opened) -> None:
    feed = opened.feed()
    tape = await feed.history(opened.symbol, opened.after)
    start, end = int(tape.times[2]), int(tape.times[7])
    assert (await feed.history(opened.symbol, start, end)).times.tolist() == (
        tape.times[2:8].tolist()
    )
    assert (await feed.history(opened.symbol, start, end, 3)).times.tolist() == (
        tape.times[5:8].tolist()
    )
    assert len(await feed.history(opened.symbol, start + 1, int(tape.times[3]) - 1)) == 0


async def test_a_symbol_that_is_not_there_is_refused_by_name(opened: Opened) -> None:
    feed = opened.feed()
    async with asyncio.timeout(20):
        with pytest.raises(PregaoError, match="NOSUCH"):
            await feed.history("NOSUCH", opened.after)


async def test_closing_ends_the_events(opened: Opened) -> None:
    feed = opened.feed()

    async def follow() -> int:
        return len([event async for event in feed.events(opened.after)])

    following = asyncio.create_task(follow())
    async with asyncio.timeout(20):
        started = False
        while not started:
            await asyncio.sleep(0.01)
            started = bool(feed.stats.received) or following.done()
        await feed.close()
        await feed.close()
        assert await following > 0
