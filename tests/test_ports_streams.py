"""What every stream for collecting must do, whatever venue it is of; none can be left out."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from market.errors import PregaoError
from market.events import SECOND, Bar, BookUpdate, FeedGap, MarketEvent, Tick, Trade
from tests.binance_exchange_client import client
from tests.profit_dll import TEN, fresh, session
from tests.venue_ports import Advance, classes_with, rng, taken
from venues.base import MarketStream
from venues.binance import BinanceConfig, BinanceStream
from venues.profit import ProfitStream
from venues.profit.prices import EDIT
from venues.simulated.binance import BinanceExchange, BinanceExchangeConfig

N = 8
Row = tuple[float, ...]


@dataclass
class Opened:
    """A venue that runs, how to make a stream on it, and what it told in truth."""

    make: Callable[[str], MarketStream]
    symbol: str
    kind: type[MarketEvent]
    advance: Advance
    ledger: Callable[[], Awaitable[list[Row]]]
    numbered: bool
    made: list[MarketStream] = field(default_factory=list)

    def stream(self, symbol: str = "") -> MarketStream:
        """Make a stream; it is closed when the test ends."""
        self.made.append(self.make(symbol or self.symbol))
        return self.made[-1]


Opener = Callable[[dict[str, Path], Path], AbstractAsyncContextManager[Opened]]


def row(event: MarketEvent) -> Row:
    """An event as the ledgers have it; time first where the venue gives one."""
    if isinstance(event, Trade):
        return (event.time, event.price, event.size)
    if isinstance(event, Bar):
        return (event.time, event.open, event.high, event.low, event.close, event.volume)
    if isinstance(event, Tick):
        return (event.bid, event.ask)
    assert isinstance(event, BookUpdate), event
    return (event.first, event.last)


KINDS = {
    "trades": (Trade, 2.0), "single_trades": (Trade, 2.0), "bars": (Bar, 60.0),
    "quotes": (Tick, 1.0), "book": (BookUpdate, 1.0),
}  # fmt: skip


def binance(market: str, kind: Any) -> Opener:
    event, step = KINDS[kind]

    @asynccontextmanager
    async def opened(_: dict[str, Path], __: Path) -> AsyncIterator[Opened]:
        config = BinanceExchangeConfig(port=0, speed=0.0, history_seconds=600)
        route = "/stream" if market == "spot" else "/public/stream"
        names = "btcusdt@bookTicker/btcusdt@depth@100ms"
        async with (
            BinanceExchange(config) as running,
            client(running) as bare,
            bare.socket(f"{route}?streams={names}") as socket,
        ):
            where = BinanceConfig(
                market=market, rest=running.url, stream=running.url.replace("http", "ws"),
                backoff_first=0.02,
            )  # fmt: skip
            frames: list[Any] = []

            async def ledger() -> list[Row]:
                sent, ms = running.sent[market, "BTCUSDT"], 1_000_000
                if kind == "trades":
                    return [(r["T"] * ms, float(r["p"]), float(r["q"])) for r in sent.aggregates]
                if kind == "single_trades":
                    return [(r["T"] * ms, float(r["p"]), float(r["q"])) for r in sent.trades]
                if kind == "bars":
                    return [((r[6] + 1) * ms, *map(float, r[1:6])) for r in sent.bars("1m")]
                told = [f for f in await socket.drain() if "stream" in f]
                frames.extend(frame["data"] for frame in told)
                if kind == "quotes":
                    return [(float(f["b"]), float(f["a"])) for f in frames if "B" in f]
                return [(f["U"], f["u"]) for f in frames if "U" in f]

            yield Opened(
                lambda symbol: BinanceStream(where, symbol, (kind,), rng()),
                "BTCUSDT", event, lambda: running.advance(step), ledger,
                kind not in ("quotes", "book"),
            )  # fmt: skip

    return opened


def profit(version: str, kind: str) -> Opener:
    @asynccontextmanager
    async def opened(libraries: dict[str, Path], folder: Path) -> AsyncIterator[Opened]:
        stub = fresh(libraries[version], folder)
        login = session(stub)
        told: list[Row] = []
        wholes = number = 0

        async def advance() -> None:
            nonlocal wholes, number
            number += 1
            if kind == "trades":
                # Two of a time, the second of them told twice.
                for one, second in ((2 * number, number), (2 * number + 1, number)):
                    stub.past(one, second, 5000.0 + one)
                    stub.trade(one, second, 5000.0 + one)
                    told.append((TEN + second * SECOND, 5000.0 + one, 1.0))
                stub.trade(one, second, 5000.0 + one)
            elif kind == "quotes":
                for side in (0, 1):
                    stub.quote(side, 5000.0 + 1000 * side + number)
                    told.append((5000.0 + number, 6000.0 + number - 1 + side))
            elif stub.books() > wholes:
                wholes = stub.books()
                stub.full([(4999.0, 5)], [(5001.5, 4)])
                told.append((len(told) + 1, len(told) + 1))
            else:
                stub.book(EDIT, 0, 0, number, 4999.0)
                told.append((len(told) + 1, len(told) + 1))

        async def ledger() -> list[Row]:
            return told

        yield Opened(
            lambda symbol: ProfitStream(
                login, symbol, (kind,), clock=lambda: TEN + 3600 * SECOND
            ),
            "WDOFUT", KINDS[kind][0], advance, ledger, kind == "trades",
        )  # fmt: skip
        assert stub.violations() == 0

    return opened


STREAMS: dict[str, tuple[type[Any], Opener]] = {
    **{
        f"Binance {market} {kind}": (BinanceStream, binance(market, kind))
        for market in ("spot", "usdm")
        for kind in KINDS
    },
    **{
        f"Profit {version} {kind}": (ProfitStream, profit(version, kind))
        for version in ("new", "old")
        for kind in ("trades", "quotes", "book")
    },
}


def test_every_stream_is_checked_here() -> None:
    feeds = classes_with("events", "history", "close")
    assert classes_with("events", "close") - feeds == {one for one, _ in STREAMS.values()}


@pytest.fixture(params=STREAMS, ids=list(STREAMS))
async def opened(request: Any, tmp_path: Path) -> AsyncIterator[Opened]:
    libraries = {}
    if STREAMS[request.param][0] is ProfitStream:
        if shutil.which("gcc") is None:
            pytest.skip("gcc is not installed")
        libraries = request.getfixturevalue("profit_libraries")
    async with STREAMS[request.param][1](libraries, tmp_path) as made:
        yield made
        for stream in made.made:
            await stream.close()


def told(events: list[MarketEvent]) -> list[Row]:
    """The rows of events; a book begins with the whole of it, which is no change."""
    whole = isinstance(events[0], BookUpdate) and events[0].snapshot
    return [row(event) for event in events[whole:]]


async def test_events_come_as_the_venue_told_them_each_once(opened: Opened) -> None:
    stream = opened.stream()
    assert isinstance(stream, MarketStream)
    events = await taken(stream.events(0), N, opened.advance)
    assert all(isinstance(event, opened.kind) for event in events)
    assert all(event.symbol == opened.symbol for event in events)
    assert all(a.time <= b.time for a, b in pairwise(events))
    if opened.kind is Trade:
        assert all(a.id < b.id for a, b in pairwise(events))
    rows, ledger = told(events), await opened.ledger()
    first = ledger.index(rows[0])
    assert rows == ledger[first : first + len(rows)]
    assert stream.stats.received == N
    assert stream.stats.gaps == 0
    assert stream.stats.bad_frames == sum(stream.stats.reasons.values()) == 0


async def test_who_stops_goes_on_without_a_hole_or_a_double(opened: Opened) -> None:
    before = await taken(opened.stream().events(0), N // 2, opened.advance)
    last = before[-1].time
    for _ in range(3):
        await opened.advance()
    behind = await taken(opened.stream().events(last), N, opened.advance)
    assert all(event.time > last for event in behind)
    if not opened.numbered:
        # What was missed of it can't be had; that it was is told once.
        assert [isinstance(event, FeedGap) for event in behind] == [True] + [False] * (N - 1)
        assert behind[0].start == last
        return
    ledger = await opened.ledger()
    assert told(behind) == [one for one in ledger if one[0] > last][:N]


async def test_closing_ends_the_events(opened: Opened) -> None:
    stream = opened.stream()

    async def follow() -> int:
        return len([event async for event in stream.events(0)])

    following = asyncio.create_task(follow())
    async with asyncio.timeout(20):
        while not stream.stats.received:
            await opened.advance()
            await asyncio.sleep(0.05)
        await stream.close()
        await stream.close()
        assert await following > 0


async def test_who_was_closed_before_it_began_tells_nothing(opened: Opened) -> None:
    stream = opened.stream()
    await stream.close()
    async with asyncio.timeout(20):
        assert [event async for event in stream.events(0)] == []


async def test_a_symbol_that_is_not_there_is_refused_by_name(opened: Opened) -> None:
    stream = opened.stream("NOSUCH")
    with pytest.raises(PregaoError, match="NOSUCH"):
        await taken(stream.events(0), 1, opened.advance)
