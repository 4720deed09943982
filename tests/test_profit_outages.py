"""ProfitDLL while the market, the broker or their answers are away: nothing is made up."""

from __future__ import annotations

import asyncio
import ctypes as c
import shutil
from math import nan
from pathlib import Path

import pytest

from market.errors import OrderUncertain, VenueUnreachable
from market.events import SECOND, BookUpdate, FeedGap, Tick
from market.orders import Fill, Order
from tests.profit_dll import ORDERS, TEN, Stub, fresh, opened, session, settled, take
from venues.profit import ProfitBroker, ProfitStream
from venues.profit.prices import ADD

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


@pytest.fixture
def newest(profit_libraries: dict[str, Path], tmp_path: Path) -> Stub:
    return fresh(profit_libraries["new"], tmp_path)


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFIT_ORDER_PASSWORD", "1234")


def order(key: str, contracts: float, limit: float = nan) -> Order:
    return Order(key, "WDOFUT", TEN, 10.0 * contracts, 5000.0, limit)


# ---------------------------------------------------------------- quotes and book


async def test_quotes_missed_are_a_gap_and_no_mid_is_made_over_it(newest: Stub) -> None:
    async with opened(newest) as running:
        events = ProfitStream(running, "WDOFUT", ("quotes",), clock=lambda: TEN).events(TEN - 9)
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        newest.quote(0, 4999.0)
        newest.quote(1, 5000.0)
        newest.quote(1, 5001.0)
        # Before the beginning something was lost; two quotes of one clock reading are two.
        assert [await first, *await take(events, 2)] == [
            FeedGap("WDOFUT", TEN, TEN - 9),
            Tick("WDOFUT", TEN, 4999.5, 4999.0, 5000.0),
            Tick("WDOFUT", TEN + 1, 5000.0, 4999.0, 5001.0),
        ]
        newest.state(2, 0)
        newest.state(2, 4)
        newest.quote(1, 5011.0)  # the bid from before the outage is none any more
        newest.quote(0, 5010.0)
        assert await take(events, 2) == [
            FeedGap("WDOFUT", TEN + 2, TEN + 1),
            Tick("WDOFUT", TEN + 2, 5010.5, 5010.0, 5011.0),
        ]
        await events.aclose()


async def test_a_book_is_told_again_whole_after_an_outage(newest: Stub) -> None:
    async with opened(newest) as running:
        events = ProfitStream(running, "WDOFUT", ("book",), clock=lambda: TEN).events(0)
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        newest.full([(4999.0, 5)], [(5001.0, 4)])
        assert isinstance(await first, BookUpdate)
        newest.state(2, 0)
        newest.state(2, 4)
        newest.book(ADD, 0, 0, 2, 5000.0)  # on a book nobody knows
        newest.full([(4998.0, 6)], [(5000.0, 3)])
        newest.book(ADD, 0, 0, 2, 4999.0)
        gap, whole, change = await take(events, 3)
        assert gap == FeedGap("WDOFUT", TEN + 1, TEN, "book")
        assert (whole.snapshot, whole.bids) == (True, ((4998.0, 6.0),))
        assert (change.snapshot, change.bids) == (False, ((4999.0, 2.0),))
        assert newest.books() == 2
        await events.aclose()


# ---------------------------------------------------------------- login and history


async def test_who_gives_up_waiting_for_the_login_is_logged_out(newest: Stub) -> None:
    newest.login(0, 3)  # the market never comes
    waiting = session(newest)
    logging_in = asyncio.create_task(waiting.open())
    await asyncio.sleep(0)
    await settled(newest)
    assert waiting._states
    logging_in.cancel()
    with pytest.raises(asyncio.CancelledError):
        await logging_in
    assert newest.running() == 0


async def test_history_goes_to_the_end_of_the_last_second(newest: Stub) -> None:
    newest._dll.stub_past(1, 5, 250, c.c_double(5000.0), 1, 3)
    newest._dll.stub_past(2, 5, 750, c.c_double(5001.0), 1, 3)
    async with opened(newest) as running:
        past = await running.trades("WDOFUT", TEN, TEN + 5 * SECOND + SECOND // 2)
    assert [one.price for one in past] == [5000.0]


async def test_a_long_history_leaves_others_their_turn(newest: Stub) -> None:
    async with opened(newest) as running:
        stream = ProfitStream(running, "WDOFUT")
        events = stream.events(0)
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        for number in range(1, 5001):
            newest.trade(number, 0, 5000.0)
        newest.wait()
        await asyncio.sleep(0)
        assert 0 < len(stream._waiting) <= 1000
        await first
        assert len(await take(events, 4999)) == 4999
        await events.aclose()


# ---------------------------------------------------------------- orders


@pytest.mark.usefixtures("password")
async def test_without_the_broker_nothing_is_sent_found_or_held(newest: Stub) -> None:
    async with opened(newest, **ORDERS) as running:
        broker = ProfitBroker(running, ("WDOFUT",))
        newest.state(2, 0)  # the market data alone may be away
        await settled(newest)
        sent = order("one", 1.0)
        await broker.submit(sent)
        newest.state(1, 3)
        await settled(newest)
        # Its lists are empty now: "there is no such order" would have it sent a second time.
        for call in (broker.submit(sent), broker.find(order("two", 2.0)), broker.positions()):
            with pytest.raises(VenueUnreachable, match="the broker is not connected"):
                await call


@pytest.mark.usefixtures("password")
async def test_an_order_the_broker_has_not_stamped_yet_may_be_ours(newest: Stub) -> None:
    ours = order("ours", 3.0, limit=4990.0)
    async with opened(newest, **ORDERS) as running:
        before = ProfitBroker(running, ("WDOFUT",))
        sent = await before.submit(ours)
        newest.unstamped(c.c_int64(int(sent.venue_id)))
        after = ProfitBroker(running, ("WDOFUT",))
        found = await after.find(ours)
        assert found is not None
        assert (found.state, found.time) == ("accepted", 0)
        await before.submit(
            order("twin", 3.0, limit=4990.0)
        )  # behind one without a time, the next is seen too
        with pytest.raises(OrderUncertain, match="2 orders at the broker could be ours"):
            await after.find(ours)


@pytest.mark.usefixtures("password")
async def test_a_fill_told_before_the_broker_named_the_order_is_told_once(newest: Stub) -> None:
    async with opened(newest, **ORDERS) as running:
        broker = ProfitBroker(running, ("WDOFUT",))
        newest.nameless(1)
        sent = await broker.submit(order("one", 5.0))
        newest.fill(sent.venue_id, 2, 5000.0)
        await settled(newest)
        newest.nameless(0)
        newest.fill(sent.venue_id, 3, 5001.0)
        await settled(newest)
        await broker.close()
        fills = [one async for one in broker.reports() if isinstance(one, Fill)]
        assert [one.units for one in fills] == [20.0, 30.0]


@pytest.mark.usefixtures("password")
async def test_what_was_filled_while_the_broker_was_away_is_reported(newest: Stub) -> None:
    async with opened(newest, **ORDERS) as running:
        broker = ProfitBroker(running, ("WDOFUT",))
        sent = await broker.submit(order("one", 5.0))
        await settled(newest)
        newest.state(1, 3)
        newest.fill_unheard(c.c_int64(int(sent.venue_id)), 5, c.c_double(5000.0))
        newest.state(1, 5)
        await settled(newest)
        await broker.close()
        reports = [one async for one in broker.reports()]
        assert [one.units for one in reports if isinstance(one, Fill)] == [50.0]
        assert reports[-1].state == "filled"  # type: ignore[union-attr]
