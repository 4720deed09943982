"""ProfitDLL's adapter against a C library with the same binary interface."""

from __future__ import annotations

import asyncio
import ctypes as c
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import isnan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from market.errors import (
    ConfigError,
    DataError,
    OrderUncertain,
    UnknownSymbol,
    VenueRejected,
    VenueUnreachable,
)
from market.events import SECOND, BookUpdate, FeedGap, Tick
from market.orders import Fill, Order, OrderStatus
from market.store import TickStore
from tests.profit_dll import Stub, compiled, fresh, session
from venues.base import MarketStream, VenueBroker
from venues.library.collecting import collect
from venues.library.config import CollectConfig
from venues.library.sources import sources
from venues.profit import ProfitBroker, ProfitConfig, ProfitSession, ProfitStream, abi
from venues.profit.config import credentials
from venues.profit.library import load
from venues.profit.moments import of_text
from venues.profit.prices import ADD, DELETE, DELETE_FROM, EDIT, PriceList, levels_of

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")

TEN = of_text("02/01/2024 10:00:00")
ORDERS = {"routing": True, "broker": 3, "account": "12345"}


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("profit")
    return {"new": compiled(folder), "old": compiled(folder, old=True)}


@pytest.fixture(params=["new", "old"])
def stub(request: Any, libraries: dict[str, Path], tmp_path: Path) -> Stub:
    return fresh(libraries[request.param], tmp_path)


@pytest.fixture
def newest(libraries: dict[str, Path], tmp_path: Path) -> Stub:
    return fresh(libraries["new"], tmp_path)


@asynccontextmanager
async def opened(stub: Stub, **changed: Any) -> AsyncIterator[ProfitSession]:
    made = session(stub, **changed)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
        assert stub.violations() == 0, "functions were called on the DLL's thread"


async def take(stream: Any, count: int) -> list[Any]:
    async with asyncio.timeout(10):
        return [await anext(stream) for _ in range(count)]


async def settled(stub: Stub) -> None:
    """Wait until the DLL's thread has said all, and the loop has heard it."""
    stub.wait()
    await asyncio.sleep(0)


# ---------------------------------------------------------------- the binary interface


def test_structures_have_the_sizes_that_a_c_compiler_gives_them(newest: Stub) -> None:
    kinds = (
        abi.AssetID, abi.AssetIdentifier, abi.AccountIdentifier, abi.ConnectorTrade,
        abi.SendOrder, abi.OrderIdentifier, abi.ConnectorOrder, abi.OrderOut,
        abi.AccountPosition, abi.CancelOrder, abi.SystemTime,
    )  # fmt: skip
    sizes = [c.sizeof(kind) for kind in kinds]
    assert sizes == [newest.sizes(i) for i in range(len(kinds))]
    assert sizes[:5] == [24, 32, 32, 64, 112]


def test_off_windows_the_dll_is_refused_with_a_remedy() -> None:
    with pytest.raises(VenueUnreachable, match="runs on Windows only"):
        load(Path("ProfitDLL64.dll"))


def test_a_library_that_is_not_there_or_another(tmp_path: Path) -> None:
    with pytest.raises(VenueUnreachable, match="can't be loaded"):
        load(tmp_path / "none.so")
    empty = tmp_path / "other.c"
    empty.write_text("int nothing(void) { return 0; }\n")
    other = tmp_path / "other.so"
    import subprocess

    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(other), str(empty)], check=True)
    with pytest.raises(ConfigError, match="has no DLLInitializeLogin; take ProfitDLL 4"):
        load(other)


def test_credentials_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFIT_KEY", "k")
    monkeypatch.delenv("PROFIT_USER", raising=False)
    monkeypatch.setenv("PROFIT_PASSWORD", "p")
    with pytest.raises(ConfigError, match="PROFIT_USER"):
        credentials()
    monkeypatch.setenv("PROFIT_USER", "u")
    assert credentials() == ("k", "u", "p")


# ---------------------------------------------------------------- login


@pytest.mark.parametrize(("code", "reason"), [(2, "wrong password"), (4, "licence expired")])
async def test_a_refused_login_says_why(newest: Stub, code: int, reason: str) -> None:
    newest.login(code, 4)
    with pytest.raises(VenueRejected, match=reason):
        await session(newest).open()


async def test_a_market_that_does_not_come_is_named(newest: Stub) -> None:
    newest.login(0, 3)
    with pytest.raises(VenueUnreachable, match="no market data in"):
        await session(newest, timeout=0.2).open()


async def test_an_unknown_ticker(newest: Stub) -> None:
    async with opened(newest) as running:
        with pytest.raises(UnknownSymbol, match="B3 has no 'WDOX99'"):
            await anext(ProfitStream(running, "WDOX99").events(0))
        assert not running._listeners


# ---------------------------------------------------------------- trades


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
        assert await anext(events) == FeedGap("WDOFUT", TEN + SECOND, TEN)
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


# ---------------------------------------------------------------- book and quotes


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


@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(-2, 9), st.integers(1, 99))))
def test_a_price_list_is_the_list_python_would_keep(
    actions: list[tuple[int, int, int]],
) -> None:
    kept, mirror = PriceList(), []
    for action, position, size in actions:
        before = kept.levels
        try:
            kept.change(action, position, 100.0 + size, float(size))
        except DataError:
            assert kept.levels == before
            continue
        if action == ADD:
            mirror.insert(position, (100.0 + size, float(size)))
        elif action == EDIT:
            mirror[position] = (100.0 + size, float(size))
        elif action == DELETE:
            del mirror[position]
        else:
            del mirror[: position + 1]
        assert kept.levels == tuple(mirror)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_book_or_refused(packed: bytes) -> None:
    try:
        levels, _ = levels_of(packed)
    except DataError:
        return
    assert len(levels) * 20 + 8 <= len(packed)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        assert of_text(text) > 0 or "19" in text
    except DataError:
        return


# ---------------------------------------------------------------- orders


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFIT_ORDER_PASSWORD", "1234")


def order(key: str, units: float, **changed: float) -> Order:
    return Order(key, "WDOFUT", TEN, units, 5000.0, **changed)


@pytest.mark.usefixtures("password")
async def test_the_life_of_an_order(newest: Stub) -> None:
    async with opened(newest, **ORDERS) as running:
        broker = ProfitBroker(running, ("WDOFUT",))
        assert isinstance(broker, VenueBroker)
        assert await broker.positions() == []
        sent = await broker.submit(order("one", -5.0))
        assert (sent.state, sent.order_id) == ("accepted", "one")
        await settled(newest)
        newest.fill(sent.venue_id, 2, 5000.0)
        await settled(newest)
        newest.again(sent.venue_id)  # told twice
        await settled(newest)
        newest.fill(sent.venue_id, 3, 5001.0)
        reports = broker.reports()
        got = await take(reports, 5)
        fills = [one for one in got if isinstance(one, Fill)]
        assert [(f.order_id, f.units, f.price, f.id) for f in fills] == [
            ("one", -2.0, 5000.0, "BR000000:2"),
            ("one", -3.0, 5001.0, "BR000000:5"),
        ]
        states = [one for one in got if isinstance(one, OrderStatus)]
        assert [one.state for one in states] == ["accepted", "partial", "filled"]
        assert states[-1].units == -5.0
        assert states[-1].price == pytest.approx(5000.6)
        (held,) = await broker.positions()
        assert (held.symbol, held.units, held.price) == ("WDOFUT", -5.0, 5001.0)
        await broker.close()
        assert [one async for one in reports] == []


@pytest.mark.usefixtures("password")
async def test_a_rejection_carries_the_brokers_words(newest: Stub) -> None:
    async with opened(newest, **ORDERS) as running:
        broker = ProfitBroker(running, ("WDOFUT",))
        sent = await broker.submit(order("one", 1.0, limit=4990.5))
        await settled(newest)
        newest.reject(sent.venue_id, "Garantia insuficiente")
        *_, last = await take(broker.reports(), 2)
        assert (last.state, last.reason, last.final) == ("rejected", "Garantia insuficiente", True)
        assert isnan(last.price)


@pytest.mark.usefixtures("password")
async def test_cancelling(newest: Stub) -> None:
    async with opened(newest, **ORDERS) as running:
        broker = ProfitBroker(running, ("WDOFUT",))
        resting = order("one", 4.0, limit=4990.0, stop=4995.0)
        await broker.submit(resting)
        assert (await broker.cancel(resting)).state == "cancelled"
        with pytest.raises(VenueRejected, match="no order other to cancel"):
            await broker.cancel(order("other", 1.0))


@pytest.mark.usefixtures("password")
async def test_an_order_from_before_a_restart_is_recognised(newest: Stub) -> None:
    ours, other = order("ours", 3.0, limit=4990.0), order("other", 3.0, limit=4985.0)
    async with opened(newest, **ORDERS) as running:
        before = ProfitBroker(running, ("WDOFUT",))
        await before.submit(ours)
        # Another broker object knows nothing of it, as after a restart.
        after = ProfitBroker(running, ("WDOFUT",))
        found = await after.find(ours)
        assert found is not None
        assert (found.order_id, found.state, found.venue_id) == ("ours", "accepted", "BR000000")
        assert await after.find(other) is None
        await before.submit(ours)
        with pytest.raises(OrderUncertain, match="2 orders at the broker could be ours"):
            await after.find(ours)


@pytest.mark.usefixtures("password")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (order("a", 1.5), "contracts must be whole, was 1.5"),
        (order("a", 0.0), "contracts must be whole, was 0"),
        (order("a", 1.0, stop=5001.0), "give `limit` too"),
    ],
)
async def test_orders_that_are_refused_before_they_are_sent(
    newest: Stub, wrong: Order, message: str
) -> None:
    async with opened(newest, **ORDERS) as running:
        with pytest.raises(VenueRejected, match=message):
            await ProfitBroker(running, ("WDOFUT",)).submit(wrong)


async def test_orders_need_routing_and_a_password(
    newest: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROFIT_ORDER_PASSWORD", raising=False)
    async with opened(newest, **ORDERS) as running:
        with pytest.raises(ConfigError, match="PROFIT_ORDER_PASSWORD"):
            await ProfitBroker(running, ("WDOFUT",)).submit(order("a", 1.0))
        plain = ProfitConfig(library=newest.path)
        running.config = plain
        with pytest.raises(ConfigError, match="routing: true"):
            ProfitBroker(running, ("WDOFUT",))
