"""Executions at the bundled Deriv: each told once, whatever breaks; the ledger is what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from market.errors import OrderUncertain
from market.orders import Fill, Order, OrderStatus
from tests.deriv_feeds import exchange
from tests.deriv_trading import (
    DIALECTS,
    SYMBOL,
    TOKEN,
    Ear,
    broker,
    now,
    order,
    settled,
    surely,
    ticked,
)
from venues.deriv.limits import Limiter
from venues.simulated.deriv.contracts import Terms
from venues.simulated.deriv.exchange import DerivExchange
from venues.simulated.deriv.fault import Fault
from venues.simulated.deriv.house import House


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIV_TOKEN", TOKEN)


@pytest.fixture
async def venue() -> AsyncIterator[DerivExchange]:
    async with exchange(speed=0.0) as running:
        yield running


@DIALECTS
async def test_executions_are_told_once_over_lost_connections(dialect: str) -> None:
    async with exchange(speed=0.0) as venue, broker(venue, dialect, timeout=0.5) as it:
        ear = Ear(it)
        await it.submit(order(venue, "a"))
        await ticked(venue)
        await ear.until(1)
        # Bought, and another closed, while nobody listens.
        await venue.drop_all()
        await surely(it, order(venue, "b", units=-1.0))
        await venue.drop_all()
        await ticked(venue, 3.0)
        await ear.until(2)
        await venue.drop_all()
        first = next(key for key, owner in it._claims.opened.items() if owner == "a")
        await surely(it, Order("c", SYMBOL, now(venue), -2.0, 1.0, closes=str(first)))
        await venue.drop_all()
        fills = await ear.until(3)
        assert [fill.order_id for fill in fills] == ["a", "b", "c"]
        assert len({fill.id for fill in fills}) == 3
        assert it.stats.reconnects >= 1
        await ear.stop()


@DIALECTS
async def test_what_began_and_ended_while_nobody_listened_is_told(dialect: str) -> None:
    async with exchange(speed=0.0) as venue, broker(venue, dialect, backoff_first=0.2) as it:
        ear = Ear(it)
        await it.submit(order(venue, "one"))
        await ticked(venue)
        await ear.until(1)
        account = venue.trading.account(TOKEN)
        await venue.drop_all()
        made = venue.trading.buy(
            account, Terms(SYMBOL, "MULTUP", 1000, multiplier=50), 2, venue.now
        )
        await ticked(venue)
        await ticked(venue)
        assert made.contract is not None
        venue.trading.sell(account, made.contract.id, 0.0, venue.now)
        fills = (await ear.until(3))[1:]
        assert [(fill.order_id, fill.id) for fill in fills] == [
            ("", str(made.contract.buy_id)),
            ("", str(made.contract.sell_id)),
        ]
        await ear.stop()


async def test_a_restarted_broker_tells_only_what_is_new(venue: DerivExchange) -> None:
    async with broker(venue) as old:
        status = await old.submit(order(venue, "old"))
    await ticked(venue, 2.0)
    async with broker(venue) as new:
        ear = Ear(new)
        await new.submit(order(venue, "new"))
        await ticked(venue)
        assert [fill.order_id for fill in await ear.until(1)] == ["new"]
        await new.submit(Order("end", SYMBOL, now(venue), -2.0, 1.0, closes=status.venue_id))
        assert [fill.order_id for fill in await ear.until(2)] == ["new", "end"]
        await ear.stop()


async def test_who_stops_listening_in_between_misses_nothing(venue: DerivExchange) -> None:
    async with broker(venue) as it:
        await it.submit(order(venue, "one"))
        await ticked(venue)
        first = it.reports()
        assert isinstance(await anext(first), Fill)
        await first.aclose()
        second = it.reports()
        async with asyncio.timeout(5):
            status = await anext(second)
        assert isinstance(status, OrderStatus)
        assert (status.order_id, status.state) == ("one", "filled")
        await second.aclose()


@DIALECTS
async def test_a_lost_answer_is_uncertain_and_nothing_is_sent_twice(dialect: str) -> None:
    lost = (Fault(kind="lost_answer", tick=1, count=2), Fault(kind="skew", tick=1, seconds=300.0))
    async with (
        exchange(speed=0.0, faults=lost) as venue,
        broker(venue, dialect, timeout=0.5) as it,
    ):
        await ticked(venue)
        ear = Ear(it)
        await it.positions()
        sent = order(venue, "one")
        with pytest.raises(OrderUncertain, match="buy was sent, but"):
            await it.submit(sent)
        account = venue.trading.account(TOKEN)
        (held,) = account.contracts.values()
        await ticked(venue, 2.0)
        found = await it.find(sent)
        assert found is not None
        assert (found.state, found.venue_id, found.order_id) == ("filled", str(held.id), "one")
        fills = await ear.until(1)
        assert [(fill.order_id, fill.id) for fill in fills] == [("one", str(held.buy_id))]
        assert (await it.submit(sent)).venue_id == str(held.id)
        closing = Order("two", SYMBOL, now(venue), -2.0, 1.0, closes=str(held.id))
        with pytest.raises(OrderUncertain, match="sell was sent, but"):
            await it.submit(closing)
        ended = await it.find(closing)
        assert ended is not None
        assert ended.state == "filled"
        fills = await ear.until(2)
        assert [fill.order_id for fill in fills] == ["one", "two"]
        assert len(account.contracts) == 1
        await ear.stop()


async def test_what_may_be_an_order_s_waits_until_it_is_settled() -> None:
    lost = (Fault(kind="lost_answer", tick=1),)
    async with exchange(speed=0.0, faults=lost) as venue, broker(venue, timeout=0.5) as it:
        await ticked(venue)
        ear = Ear(it)
        with pytest.raises(OrderUncertain):
            await it.submit(order(venue, "unsure"))
        sure = await it.submit(order(venue, "sure", units=-3.0))
        await ticked(venue, 2.0)
        assert [fill.order_id for fill in await ear.until(1)] == ["sure"]
        unsure = min(venue.trading.account(TOKEN).contracts)
        with pytest.raises(OrderUncertain):
            await it.submit(order(venue, "unsure"))
        await it.find(order(venue, "unsure", time=venue.config.start_epoch * 10**9,
                            price=float(venue.tape(SYMBOL).close[-3])))  # fmt: skip
        assert [fill.order_id for fill in await ear.until(2)] == ["sure", "unsure"]
        assert {sure.venue_id, str(unsure)} == {p.venue_id for p in await it.positions()}
        await ear.stop()


@DIALECTS
async def test_a_closing_nobody_heard_of_is_told(dialect: str) -> None:
    async with exchange(speed=0.0) as venue, broker(venue, dialect) as it:
        ear = Ear(it)
        status = await it.submit(order(venue, "one"))
        await ticked(venue, 2.0)
        await ear.until(1)
        account = venue.trading.account(TOKEN)
        await venue.drop_all()
        venue.trading.sell(account, int(status.venue_id), 0.0, venue.now)
        fills = await ear.until(2)
        assert (fills[1].order_id, fills[1].units) == ("", -fills[0].units)
        await ear.stop()


BUSY = tuple(
    Fault(kind=kind, tick=tick)
    for tick, kind in (
        (2, "lost_answer"), (3, "drop_all"), (4, "lost_answer"), (5, "rate_limit"),
        (7, "drop_all"), (8, "lost_answer"), (10, "rate_limit"), (11, "lost_answer"),
        (12, "drop_all"), (13, "drop_all"), (14, "lost_answer"),
    )
)  # fmt: skip


@DIALECTS
async def test_whatever_breaks_the_fills_are_the_ledger(dialect: str) -> None:
    # So many lost connections in a minute would have to wait for the venue's limits.
    house, limiter = House(outcome_per_minute=500), Limiter()
    limiter.learn({"outcome": (500, 5000)})
    async with (
        exchange(speed=0.0, faults=BUSY, house=house) as venue,
        broker(venue, dialect, limiter=limiter, timeout=0.3) as it,
    ):
        ear = Ear(it)
        ids = []
        for k in range(12):
            await ticked(venue)
            # Different sizes: two alike would need a person where an answer is lost.
            sent = order(venue, f"o{k}", units=(1.0 + 0.1 * k) * (-1) ** k)
            ids.append((await settled(it, sent)).venue_id)
            if k % 3 == 2:
                await ticked(venue, 2.0)
                await settled(it, Order(f"c{k}", SYMBOL, now(venue), 0.0, 1.0, closes=ids[k - 1]))
        await ticked(venue, 3.0)
        account = venue.trading.account(TOKEN)
        wanted = {str(contract.buy_id) for contract in account.contracts.values()}
        wanted |= {str(c.sell_id) for c in account.contracts.values() if c.status != "open"}
        fills = await ear.until(len(wanted))
        assert sorted(fill.id for fill in fills) == sorted(wanted)
        assert len(account.contracts) == len(set(ids)) == 12
        owned = {fill.order_id for fill in fills}
        assert owned == {f"o{k}" for k in range(12)} | {f"c{k}" for k in (2, 5, 8, 11)}
        await ear.stop()
