"""Trades, books and quotes of ProfitDLL, from a C library with the same binary interface."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from market.events import SECOND, BookUpdate, FeedGap, Tick
from market.store import TickStore
from tests.profit_dll import TEN, Stub, fresh, opened, take
from venues.base import MarketStream
from venues.library.collecting import collect
from venues.library.config import CollectConfig
from venues.library.sources import sources
from venues.profit import ProfitStream
from venues.profit.prices import ADD, DELETE, DELETE_FROM, EDIT

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


@pytest.fixture(params=["new", "old"])
def stub(request: Any, profit_libraries: dict[str, Path], tmp_path: Path) -> Stub:
    return fresh(profit_libraries[request.param], tmp_path)


@pytest.fixture
def newest(profit_libraries: dict[str, Path], tmp_path: Path) -> Stub:
    return fresh(profit_libraries["new"], tmp_path)


async def test_trades_come_once_and_in_order(stub: Stub) -> None:
    async with opened(stub) as running:
        stream = ProfitStream(running, "WDOFUT")
        assert isinstance(stream, MarketStream)
        events = stream.events(0)
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        stub.trade(1, 0, 5000.5, 3, kind=2, millis=250)
        stub.trade(1, 0, 5000.5, 3, kind=2, millis=250)  # told twice
        stub.trade(1, 0, 4999.0, 3, kind=2, edit=1)  # changed afterwards: nobody can act on that
        stub.trade(2, 1, 5000.0, 2, kind=3)
        stub.trade(3, 1, 5000.0, 9, kind=4)
        stub.trade(4, 2, float("nan"))
        stub.trade(5, 2, 5001.0, 0)
        stub.trade(6, 2, 5001.0, 1, kind=13)
        got = [await first, *await take(events, 3)]
        assert [(t.price, t.size, t.side, t.time - TEN) for t in got] == [
            (5000.5, 3.0, 1, SECOND // 4),
            (5000.0, 2.0, -1, SECOND),
            (5000.0, 9.0, 0, SECOND),
            (5001.0, 1.0, 0, 2 * SECOND),
        ]
        assert [t.id & 0xFFFFFFFF for t in got] == [1, 2, 3, 6]
        assert stream.stats.duplicates + running.stats.duplicates == 2
        assert running.stats.reasons == {"price": 1, "size": 1}
        await stream.close()
        await events.aclose()


async def test_what_was_missed_comes_from_history(stub: Stub) -> None:
    for number in range(1, 7):
        stub.past(number, number, 5000.0 + number)
    async with opened(stub) as running:
        stream = ProfitStream(running, "WDOFUT", clock=lambda: TEN + 60 * SECOND)
        events = stream.events(TEN + 2 * SECOND)
        assert [t.price for t in await take(events, 4)] == [5003.0, 5004.0, 5005.0, 5006.0]
        # The connection goes; two trades happen; it comes back.
        stub.state(2, 0)
        stub.past(7, 7, 5007.0)
        stub.past(8, 8, 5008.0)
        stub.state(2, 4)
        stub.trade(9, 9, 5009.0)
        assert [t.price for t in await take(events, 3)] == [5007.0, 5008.0, 5009.0]
        assert stream.stats.reconnects == 1
        assert stream.stats.filled == 6
        await events.aclose()


async def test_what_history_does_not_give_is_a_gap(newest: Stub) -> None:
    newest.silent(1)
    async with opened(newest, timeout=0.2) as running:
        events = ProfitStream(running, "WDOFUT", clock=lambda: TEN + SECOND).events(TEN)
        assert await anext(events) == FeedGap("WDOFUT", TEN + SECOND, TEN, "trades")
        await events.aclose()


async def test_a_slow_consumer_catches_up_from_history(newest: Stub) -> None:
    total = 500
    for number in range(1, total + 1):
        newest.past(number, number, 5000.0)
    async with opened(newest, backlog=100) as running:
        stream = ProfitStream(running, "WDOFUT", clock=lambda: TEN + 600 * SECOND)
        events = stream.events(0)
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        for number in range(1, total + 1):
            newest.trade(number, number, 5000.0)
        newest.wait()
        got = [await first, *await take(events, total - 1)]
        assert [t.id & 0xFFFFFFFF for t in got] == list(range(1, total + 1))
        await events.aclose()


async def test_history_of_a_range(stub: Stub) -> None:
    for number in range(1, 10):
        stub.past(number, number, 5000.0)
    async with opened(stub) as running:
        past = await running.trades("WDOFUT", TEN + 3 * SECOND, TEN + 5 * SECOND)
    assert [(t.time - TEN) // SECOND for t in past] == [3, 4, 5]


async def test_b3_is_collected_like_any_venue(
    newest: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KEY", "USER", "PASSWORD"):
        monkeypatch.setenv(f"PROFIT_{name}", "x")
    config = CollectConfig(
        profit={"venue": {"library": newest.path}, "symbols": ["WDOFUT"],
                "kinds": ["trades", "ticks"]}
    )  # fmt: skip
    wanted = sources(config)
    store = TickStore(tmp_path / "store")
    collecting = asyncio.create_task(
        collect(store, wanted, 0.05, Console(quiet=True), seconds=30.0)
    )
    async with asyncio.timeout(20):
        for number in range(1, 6):
            newest.past(number, number, 5000.0 + number)
        stored = False
        while not stored:
            newest.trade(9, 9, 5009.0)  # again and again; it counts once
            newest.quote(0, 5008.5)
            newest.quote(1, 5009.5)
            await asyncio.sleep(0.05)
            stored = {"trades", "ticks"} <= set(store.kinds("WDOFUT"))
    os.kill(os.getpid(), signal.SIGINT)
    lines = await collecting
    assert [(line.source.kind, line.failed) for line in lines] == [("trades", ""), ("ticks", "")]
    trades = store.read("WDOFUT", "trades")
    assert trades.columns["price"].tolist() == [5009.0]
    assert store.read("WDOFUT", "ticks").columns["bid"][0] == 5008.5
    assert wanted[0].history is not None
    past = await wanted[0].history(TEN, TEN + 3 * SECOND)
    assert past.columns["price"].tolist() == [5001.0, 5002.0, 5003.0]
    assert len(await wanted[0].history(TEN + 100 * SECOND, TEN + 101 * SECOND)) == 0


async def test_the_book_counts_its_positions_from_the_end(newest: Stub) -> None:
    async with opened(newest) as running:
        stream = ProfitStream(running, "WDOFUT", ("book", "quotes"), clock=lambda: TEN)
        events = stream.events(0)
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        newest.full([(4999.0, 5)], [(5001.5, 4)], last=0)
        newest.full([(4999.5, 7)], [(5000.5, 6)], last=1)
        newest.book(ADD, 0, 0, 2, 5000.0)
        newest.book(EDIT, 1, 0, 9, 4999.5)
        newest.book(DELETE, 0, 1, 0, 0.0)
        newest.book(EDIT, 7, 1, 1, 5000.0)  # there is no such level
        newest.book(DELETE_FROM, 1, 0, 0, 0.0)
        newest.quote(0, 4999.0)
        newest.quote(1, 5001.5)
        whole = await first
        assert whole == BookUpdate(
            "WDOFUT", TEN, 1, 1, ((4999.5, 7.0), (4999.0, 5.0)), ((5000.5, 6.0), (5001.5, 4.0)),
            0, snapshot=True,
        )  # fmt: skip
        rest = await take(events, 5)
        assert [(e.bids, e.asks, e.first, e.previous) for e in rest[:4]] == [
            (((5000.0, 2.0),), (), 2, 1),
            (((4999.5, 9.0),), (), 3, 2),
            ((), ((5000.5, 0.0),), 4, 3),
            (((4999.5, 0.0), (5000.0, 0.0)), (), 5, 4),
        ]
        assert rest[4] == Tick("WDOFUT", TEN, 5000.25, 4999.0, 5001.5)
        assert stream.stats.reasons == {"malformed": 1}
        # Both arrays of both parts were given back: a header, the levels, the flags.
        assert newest.freed() == 4 * (8 + 20 + 4)
        await events.aclose()
