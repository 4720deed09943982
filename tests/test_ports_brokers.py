"""What every venue's broker must do, whatever venue it is of; none can be left out."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from math import nan
from typing import Any

import pytest

from market.errors import PregaoError
from market.orders import Fill, Order, OrderStatus, Position
from tests.binance_exchange_client import config
from tests.deriv_feeds import exchange
from tests.deriv_trading import SYMBOL as DERIV
from tests.deriv_trading import TOKEN, Ear, settings
from tests.profit_dll import ORDERS, TEN, fresh, session
from tests.venue_ports import classes_with, rng
from venues.base import VenueBroker
from venues.binance import BinanceConfig
from venues.binance.account import TradingConfig
from venues.binance.broker import BinanceBroker
from venues.binance.signing import Keys
from venues.deriv import DerivBroker
from venues.profit import ProfitBroker
from venues.simulated.binance import BinanceExchange


@dataclass
class Opened:
    """A venue that runs, and how to make a broker on it."""

    make: Callable[[], VenueBroker]
    symbol: str
    units: float
    now: Callable[[], int]
    price: Callable[[], float]
    execute: Callable[[OrderStatus], Awaitable[object]]
    fee: float = 0.0
    contracts: bool = False
    made: list[VenueBroker] = field(default_factory=list)

    def broker(self) -> VenueBroker:
        """Make a broker; it is closed when the test ends."""
        self.made.append(self.make())
        return self.made[-1]

    def order(self, id: str, units: float = nan, **changed: Any) -> Order:
        """Make an order, of the venue's usual size unless told another."""
        given = {"symbol": self.symbol, "time": self.now(), "price": self.price()} | changed
        return Order(id=id, units=self.units if units != units else units, **given)

    async def held(self, broker: VenueBroker) -> float:
        """The units of the symbol."""
        return sum(one.units for one in await broker.positions() if one.symbol == self.symbol)

    async def opens(self, broker: VenueBroker, order: Order) -> OrderStatus:
        """Submit an order and have the venue execute it."""
        status = await broker.submit(order)
        await self.execute(status)
        return status

    def closing(self, id: str, position: Position) -> Order:
        """Make the order that closes a position."""
        return self.order(id, -position.units, closes=position.venue_id if self.contracts else "")


Opener = Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[Opened]]


def deriv(dialect: str) -> Opener:
    @asynccontextmanager
    async def opened(_: pytest.FixtureRequest) -> AsyncIterator[Opened]:
        async with exchange(speed=0.0) as venue:
            yield Opened(
                lambda: DerivBroker(settings(venue, dialect), rng()),
                DERIV, 2.0, lambda: int(venue.now) * 1_000_000_000,
                lambda: float(venue.tape(DERIV).close[-1]),
                lambda _: venue.advance(2.0),  # a contract is entered at the next tick
                contracts=True,
            )  # fmt: skip

    return opened


def binance(market: str) -> Opener:
    @asynccontextmanager
    async def opened(_: pytest.FixtureRequest) -> AsyncIterator[Opened]:
        keys = Keys("mine", "my-secret")
        plan = config(keys=[{"key": "mine", "secret": "my-secret"}], limits={"spot_messages": 50})
        async with BinanceExchange(plan) as venue:
            where = BinanceConfig(
                market=market, rest=venue.url, stream=venue.url.replace("http", "ws"),
                backoff_first=0.01, backoff_most=0.05,
            )  # fmt: skip
            trading = TradingConfig(symbols=("BTCUSDT",))

            async def nothing(_: OrderStatus) -> None:
                """A market order is executed when it comes."""

            yield Opened(
                lambda: BinanceBroker(where, trading, rng(), keys),
                "BTCUSDT", 0.02, lambda: venue.now_ms * 1_000_000,
                lambda: float(venue.markets[market]["BTCUSDT"].top()[0]), nothing,
                fee=0.001 if market == "spot" else 0.0,  # spot takes it from what is bought
            )  # fmt: skip

    return opened


@asynccontextmanager
async def profit(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    libraries = request.getfixturevalue("profit_libraries")
    stub = fresh(libraries["new"], request.getfixturevalue("tmp_path"))
    login = session(stub, **ORDERS)
    await login.open()

    async def execute(status: OrderStatus) -> None:
        stub.fill(status.venue_id, 2, 5000.0)  # two contracts of ten
        stub.wait()
        await asyncio.sleep(0)

    try:
        yield Opened(
            lambda: ProfitBroker(login, ("WDOFUT",)),
            "WDOFUT", 20.0, lambda: TEN, lambda: 5000.0, execute,
        )  # fmt: skip
    finally:
        await login.close()
        assert stub.violations() == 0


BROKERS: dict[str, tuple[type[Any], Opener]] = {
    **{f"Deriv, {dialect}": (DerivBroker, deriv(dialect)) for dialect in ("v3", "options")},
    **{f"Binance {market}": (BinanceBroker, binance(market)) for market in ("spot", "usdm")},
    "Profit": (ProfitBroker, profit),
}


def test_every_broker_is_checked_here() -> None:
    port = ("submit", "cancel", "find", "positions", "reports", "close")
    assert classes_with(*port) == {one for one, _ in BROKERS.values()}
    assert classes_with("submit", "reports") == classes_with(*port)


@pytest.fixture(params=BROKERS, ids=list(BROKERS))
async def opened(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Opened]:
    monkeypatch.setenv("DERIV_TOKEN", TOKEN)
    monkeypatch.setenv("PROFIT_ORDER_PASSWORD", "1234")
    async with BROKERS[request.param][1](request) as made:
        yield made
        for broker in made.made:
            await broker.close()


async def executed(broker: VenueBroker, ear: Ear, order: Order) -> list[Fill]:
    """The fills of an order, once they are what the venue says it is filled with."""
    found = await broker.find(order)
    assert found is not None
    assert (found.order_id, found.state) == (order.id, "filled")

    def fills() -> list[Fill]:
        return [fill for fill in ear.fills if fill.order_id == order.id]

    await ear.until(lambda: abs(sum(fill.units for fill in fills()) - found.units) < 1e-9)
    return fills()


def statuses(ear: Ear) -> list[OrderStatus]:
    return [one for one in ear.heard if isinstance(one, OrderStatus)]


async def test_an_order_that_nobody_sent_is_not_found(opened: Opened) -> None:
    broker = opened.broker()
    assert isinstance(broker, VenueBroker)
    assert await broker.find(opened.order("never")) is None


@pytest.mark.parametrize("side", [1, -1], ids=["bought", "sold"])
@pytest.mark.parametrize("listens", ["first", "late"])
async def test_a_market_order_is_filled_told_once_found_and_held(
    opened: Opened, side: int, listens: str
) -> None:
    broker = opened.broker()
    ear = Ear(broker) if listens == "first" else None
    before = await opened.held(broker)
    order = opened.order("one", side * opened.units)
    first = await opened.opens(broker, order)
    assert (first.order_id, first.symbol) == (order.id, opened.symbol)
    assert first.state in ("accepted", "partial", "filled")
    assert first.venue_id
    ear = ear or Ear(broker)
    fills = await executed(broker, ear, order)
    units = sum(fill.units for fill in fills)
    assert 0.9 < units / order.units <= 1.0 + 1e-9  # Deriv rounds the stake down
    assert all(fill.units * side > 0.0 and fill.price > 0.0 for fill in fills)
    assert all(fill.symbol == opened.symbol and fill.time > 0 for fill in fills)
    found = await broker.find(order)
    assert found is not None
    assert (found.order_id, found.state, found.venue_id) == (order.id, "filled", first.venue_id)
    assert found.units == pytest.approx(units)
    held = await broker.positions()
    gained = await opened.held(broker) - before
    assert gained == pytest.approx(units, rel=1.5 * opened.fee + 1e-6)
    mine = [one for one in held if one.symbol == opened.symbol]
    (position,) = mine if opened.contracts or not before else (None,)
    if position is not None:
        assert not opened.contracts or position.venue_id == first.venue_id
        assert position.price > 0.0
    # What is sold again is gone, and each execution was told once.
    taken = Position(opened.symbol, units, fills[0].price, position.venue_id if position else "")
    end = opened.closing("two", taken)
    await opened.opens(broker, end)
    out = await executed(broker, ear, end)
    assert sum(fill.units for fill in out) == pytest.approx(-units)
    assert await opened.held(broker) == pytest.approx(before, abs=1.5 * opened.fee * abs(units))
    ids = [fill.id for fill in ear.fills]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    assert {fill.order_id for fill in ear.fills} == {"one", "two"}
    if listens == "first":  # who comes late may hear of what is done by its fills alone
        await ear.until(
            lambda: {one.order_id for one in statuses(ear) if one.final} == {"one", "two"}
        )
    ours = [one for one in statuses(ear) if one.order_id == "one"]
    assert {one.venue_id for one in ours} <= {first.venue_id}
    await ear.stop()


async def test_an_order_sent_again_is_the_same_order(opened: Opened) -> None:
    broker = opened.broker()
    ear = Ear(broker)
    before = await opened.held(broker)
    order = opened.order("one")
    first = await broker.submit(order)
    again = await broker.submit(order)
    assert again.venue_id == first.venue_id
    await opened.execute(first)
    fills = await executed(broker, ear, order)
    last = await broker.submit(order)
    assert (last.order_id, last.state, last.venue_id) == ("one", "filled", first.venue_id)
    units = sum(fill.units for fill in fills)
    assert units == pytest.approx(order.units, rel=0.1)
    gained = await opened.held(broker) - before
    assert gained == pytest.approx(units, rel=1.5 * opened.fee + 1e-6)
    # A closing sent again opens nothing, either.
    (position,) = [one for one in await broker.positions() if one.symbol == opened.symbol]
    end = opened.closing("two", Position(opened.symbol, units, 1.0, position.venue_id))
    ended = await opened.opens(broker, end)
    await executed(broker, ear, end)
    assert (await broker.submit(end)).venue_id == ended.venue_id
    assert await opened.held(broker) == pytest.approx(before, abs=1.5 * opened.fee * abs(units))
    await ear.stop()


@pytest.mark.parametrize(
    ("units", "changed", "words"),
    [
        (0.0, {}, "."),
        (float("inf"), {}, "."),
        (-float("inf"), {}, "."),
        (1e-9, {}, "."),
        (0.0, {"limit": 1.0}, "."),
        (1.0, {"limit": -1.0}, "."),
        (None, {"symbol": "NOSUCH"}, "NOSUCH"),
        (None, {"symbol": ""}, "."),
    ],
)
async def test_an_order_that_can_not_be_is_refused(
    opened: Opened, units: float | None, changed: dict[str, Any], words: str
) -> None:
    broker = opened.broker()
    before = [(one.symbol, one.units) for one in await broker.positions()]
    order = opened.order("wrong", opened.units if units is None else units, **changed)
    for _ in range(2):
        with pytest.raises(PregaoError, match=words):
            await broker.submit(order)
    assert [(one.symbol, one.units) for one in await broker.positions()] == before


async def test_closing_ends_the_reports_and_a_second_time_does_nothing(opened: Opened) -> None:
    broker, other = opened.broker(), opened.broker()
    ear = Ear(broker)
    order = opened.order("one")
    if not isinstance(broker, ProfitBroker):  # a login has one that is told of orders
        await opened.opens(broker, order)
        await executed(broker, ear, order)
    await broker.close()
    await broker.close()
    await ear.ended()
    async with asyncio.timeout(10):
        assert [one async for one in broker.reports() if one not in ear.heard] == []
        assert [one async for one in broker.reports()] == []
    # Another broker goes on.
    second = Ear(other)
    again = opened.order("other", 1.5 * opened.units if opened.contracts else opened.units)
    await opened.opens(other, again)
    assert await executed(other, second, again)
    await broker.close()
    assert await other.find(again) is not None
    await second.stop()


async def test_closing_before_anything(opened: Opened) -> None:
    broker = opened.broker()
    await broker.close()
    async with asyncio.timeout(10):
        assert [one async for one in broker.reports()] == []
