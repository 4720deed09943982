"""Orders through ProfitDLL, to a C library with the same binary interface."""

from __future__ import annotations

import shutil
from math import isnan, nan
from pathlib import Path

import pytest

from market.errors import (
    ConfigError,
    OrderUncertain,
    UnknownSymbol,
    VenueRejected,
)
from market.orders import Fill, Order, OrderStatus
from tests.profit_dll import ORDERS, TEN, Stub, fresh, opened, settled, take
from venues.base import VenueBroker
from venues.profit import ProfitBroker, ProfitConfig

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


@pytest.fixture
def newest(profit_libraries: dict[str, Path], tmp_path: Path) -> Stub:
    return fresh(profit_libraries["new"], tmp_path)


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFIT_ORDER_PASSWORD", "1234")


def order(key: str, contracts: float, limit: float = nan, stop: float = nan) -> Order:
    return Order(key, "WDOFUT", TEN, 10.0 * contracts, 5000.0, limit, stop)


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
            ("one", -20.0, 5000.0, "BR000000:20"),
            ("one", -30.0, pytest.approx(5001.0), "BR000000:50"),
        ]
        states = [one for one in got if isinstance(one, OrderStatus)]
        assert [one.state for one in states] == ["accepted", "partial", "filled"]
        assert states[-1].units == -50.0
        assert states[-1].price == pytest.approx(5000.6)
        (held,) = await broker.positions()
        assert (held.symbol, held.units, held.price) == ("WDOFUT", -50.0, 5001.0)
        assert newest.held() == -5  # of units ten are a contract
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
        await before.submit(order("twin", 3.0, limit=4990.0))
        with pytest.raises(OrderUncertain, match="2 orders at the broker could be ours"):
            await after.find(ours)


@pytest.mark.usefixtures("password")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (order("a", 1.5), "contracts must be whole, 15 units of WDOFUT are 1.5"),
        (order("a", 0.0), "contracts must be whole, 0 units of WDOFUT are 0"),
        (order("a", 1.0, stop=5001.0), "give `limit` too"),
    ],
)
async def test_orders_that_are_refused_before_they_are_sent(
    newest: Stub, wrong: Order, message: str
) -> None:
    async with opened(newest, **ORDERS) as running:
        with pytest.raises(VenueRejected, match=message):
            await ProfitBroker(running, ("WDOFUT",)).submit(wrong)


@pytest.mark.usefixtures("password")
async def test_a_future_whose_contract_is_not_known_is_not_sent(newest: Stub) -> None:
    async with opened(newest, **ORDERS) as running:
        with pytest.raises(UnknownSymbol, match="'CCMFUT' is none of the futures known here"):
            await ProfitBroker(running, ()).submit(Order("a", "CCMFUT", TEN, 1.0, 60.0))


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
