"""The broker against the bundled exchange, in both dialects: the ledger is what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from market.errors import ConfigError, OrderUncertain, UnknownSymbol, VenueRejected
from market.orders import Fill, Order, OrderStatus
from tests.deriv_feeds import exchange
from tests.deriv_trading import SYMBOL, TOKEN, Ear, broker, now, order
from venues.base import VenueBroker
from venues.deriv import DerivBroker, RiseFall
from venues.deriv.limits import Limiter
from venues.simulated.deriv.contracts import Terms
from venues.simulated.deriv.exchange import DerivExchange
from venues.simulated.deriv.fault import Fault
from venues.simulated.deriv.house import House

DIALECTS = pytest.mark.parametrize("dialect", ["v3", "options"])


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIV_TOKEN", TOKEN)


@pytest.fixture
async def venue() -> AsyncIterator[DerivExchange]:
    async with exchange(speed=0.0) as running:
        yield running


async def ticked(venue: DerivExchange, seconds: float = 1.0) -> None:
    await venue.advance(seconds)


async def surely(it: DerivBroker, sent: Order) -> OrderStatus:
    """Submit as one must: after a lost answer only what the venue never got is sent again."""
    try:
        return await it.submit(sent)
    except OrderUncertain:
        with pytest.raises(OrderUncertain, match="was sent before"):
            await it.submit(sent)
        found = await it.find(sent)
        return await it.submit(sent) if found is None else found


@DIALECTS
async def test_an_order_opens_is_filled_at_the_next_tick_and_closes(
    venue: DerivExchange, dialect: str
) -> None:
    async with broker(venue, dialect) as it:
        assert isinstance(it, VenueBroker)
        ear = Ear(it)
        sent = order(venue, units=-2.0)
        first = await it.submit(sent)
        assert first.state == "accepted"
        assert (await it.submit(sent)).venue_id == first.venue_id
        (waiting,) = await it.positions()
        assert (waiting.venue_id, waiting.symbol) == (first.venue_id, SYMBOL)
        await ticked(venue)
        (opened,) = await ear.until(1)
        (held,) = venue.trading.account(TOKEN).contracts.values()
        entry = float(venue.tape(SYMBOL).close[-1])
        stake = held.terms.stake / 100
        assert (held.terms.kind, held.terms.multiplier) == ("MULTDOWN", 50)
        assert 0.0 <= 2.0 * sent.price / 50 - stake < 0.01
        assert opened == Fill(
            "one",
            SYMBOL,
            now(venue),
            -stake * 50 / entry,
            entry,
            held.terms.commission / 100,
            str(held.buy_id),
        )
        (position,) = await it.positions()
        assert (position.units, position.price) == (opened.units, entry)
        await ticked(venue, 5.0)
        closing = Order("two", SYMBOL, now(venue), -position.units, entry, closes=first.venue_id)
        status = await it.submit(closing)
        assert (status.state, status.order_id, status.units) == ("filled", "two", -opened.units)
        fills = await ear.until(2)
        assert (fills[1].order_id, fills[1].id) == ("two", str(held.sell_id))
        # Fills add up to the account's money, to the cent.
        made = sum(-fill.units * fill.price - fill.fee for fill in fills)
        account = venue.trading.account(TOKEN)
        assert made == pytest.approx((account.balance - 1_000_000) / 100, abs=1e-9)
        spot = float(venue.tape(SYMBOL).close[-1])
        assert fills[1].price == pytest.approx(spot, rel=0.005 / (stake * 50) * 1.01)
        assert await it.positions() == ()
        assert (await it.submit(closing)).state == "filled"
        assert len(account.contracts) == 1
        await ear.stop()


@DIALECTS
async def test_levels_become_amounts_and_the_venue_s_own_closing_is_told(
    venue: DerivExchange, dialect: str
) -> None:
    async with broker(venue, dialect) as it:
        ear = Ear(it)
        price = float(venue.tape(SYMBOL).close[-1])
        sent = order(venue, units=5.0, stop_loss=price * 0.99999, take_profit=price * 1.01)
        with pytest.raises(VenueRejected, match="LimitOrderAmountTooLow"):
            await it.submit(order(venue, units=5.0, stop_loss=price * 1.01))
        await it.submit(sent)
        (held,) = venue.trading.account(TOKEN).contracts.values()
        stake, fee = held.terms.stake / 100, held.terms.commission / 100
        assert held.stop_loss is not None
        assert held.take_profit is not None
        assert held.stop_loss.amount / 100 == pytest.approx(stake * 50 * 1e-5 + fee, abs=0.006)
        assert held.take_profit.amount / 100 == pytest.approx(stake * 50 * 0.01 - fee, abs=0.006)
        await ticked(venue, 1.0)
        await ear.until(1)
        (position,) = await it.positions()
        await it.protect(position, stop_loss=position.price * 0.9995, take_profit=None)
        assert held.take_profit is None
        level = held.barrier(-held.stop_loss.amount) / 100
        assert float(level) == pytest.approx(position.price * 0.9995, rel=1e-5)
        while held.status == "open":
            await ticked(venue, 10.0)
        fills = await ear.until(2)
        assert fills[1].order_id == ""
        told = [report for report in ear.heard if isinstance(report, OrderStatus)][-1]
        assert (told.order_id, told.reason, told.venue_id) == ("", "stop loss", str(held.id))
        await ear.stop()


@DIALECTS
async def test_bets_beside_the_port(venue: DerivExchange, dialect: str) -> None:
    async with broker(venue, dialect) as it:
        ear = Ear(it)
        bet = RiseFall("bet", SYMBOL, now(venue), True, 10.55, 5, "ticks")
        assert (await it.rise_fall(bet)).state == "accepted"
        await ticked(venue)
        (opened,) = await ear.until(1)
        (held,) = venue.trading.account(TOKEN).contracts.values()
        assert (held.terms.kind, held.terms.stake, held.terms.ticks) == ("CALL", 1055, 5)
        assert (opened.symbol, opened.units, opened.price) == (f"{SYMBOL}/CALL", 1.0, 10.55)
        await ticked(venue, 6.0)
        fills = await ear.until(2)
        assert (fills[1].units, fills[1].price) == (-1.0, held.sold_for / 100)
        found = await it.find(bet)
        assert found is not None
        assert (found.state, found.venue_id) == ("filled", str(held.id))
        with pytest.raises(VenueRejected, match="rise/fall on 1HZ75V lasts"):
            await it.rise_fall(RiseFall("long", SYMBOL, now(venue), True, 10.0, 5000, "ticks"))
        await ear.stop()


async def test_what_can_t_be_done_is_said_before_anything_is_sent(venue: DerivExchange) -> None:
    async with broker(venue) as it:
        for wrong, error, words in (
            (order(venue, units=1e-9), VenueRejected, "InvalidMinStake"),
            (order(venue, units=float("nan")), VenueRejected, "must be numbers"),
            (order(venue, limit=5.0), VenueRejected, "at market only"),
            (order(venue, symbol="R_57"), UnknownSymbol, "did you mean R_75"),
            (order(venue, closes="x1"), VenueRejected, "no contract is called 'x1'"),
            (order(venue, closes="1"), VenueRejected, "ContractNotFound"),
            (order(venue, units=1e9), VenueRejected, "stake|balance"),
        ):
            with pytest.raises(error, match=words):
                await it.submit(wrong)
    async with broker(venue, multiplier=7) as it:
        with pytest.raises(ConfigError, match=r"multiplier: must be one of \(50, .*, was 7"):
            await it.submit(order(venue))
    assert not venue.trading.account(TOKEN).contracts


async def test_nobody_trades_without_a_token(
    venue: DerivExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DERIV_TOKEN")
    for dialect in ("v3", "options"):
        async with broker(venue, dialect) as it:
            with pytest.raises(ConfigError, match="DERIV_TOKEN: must hold"):
                await it.positions()


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


async def test_what_a_lost_connection_had_not_taken_goes_over_a_new_one(
    venue: DerivExchange,
) -> None:
    limiter = Limiter()
    async with broker(venue, limiter=limiter) as it:
        await it.positions()
        await it.find(order(venue, "nothing"))
        limiter.refused("buy", 0.3, 1.0)
        submitting = asyncio.create_task(it.submit(order(venue, "one")))
        await asyncio.sleep(0.1)  # it waits for its turn
        await venue.drop_all()
        assert (await submitting).state == "accepted"
        assert len(venue.trading.account(TOKEN).contracts) == 1


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


async def test_find_knows_an_order_again(venue: DerivExchange) -> None:
    sent = order(venue, "one")
    async with broker(venue) as old:
        assert await old.find(sent) is None
        assert (await old.cancel(sent)).state == "cancelled"
        status = await old.submit(sent)
    await ticked(venue, 3.0)
    async with broker(venue) as new:
        found = await new.find(sent)
        assert found is not None
        assert (found.state, found.venue_id) == ("filled", status.venue_id)
        assert await new.find(order(venue, "other side", units=-2.0, price=sent.price)) is None
        assert await new.find(order(venue, "later", price=sent.price)) is None
        await new.submit(Order("end", SYMBOL, now(venue), -2.0, 1.0, closes=status.venue_id))
    async with broker(venue) as third:
        again = await third.find(sent)
        assert again == found
        ended = await third.find(Order("end", SYMBOL, 1, -2.0, 1.0, closes=status.venue_id))
        assert ended is not None
        assert ended.state == "filled"


async def test_two_that_could_be_the_order_need_a_person(venue: DerivExchange) -> None:
    sent = order(venue, "one")
    async with broker(venue) as one, broker(venue) as two:
        await one.submit(sent)
        await two.submit(order(venue, "twin", time=sent.time, price=sent.price))
        async with broker(venue) as new:
            with pytest.raises(OrderUncertain, match=r"could be any of contracts .* a person"):
                await new.find(sent)
        # Who sent them knows which is whose.
        mine = await one.find(sent)
        assert mine is not None
        assert mine.venue_id == str(min(venue.trading.account(TOKEN).contracts))


def test_close_before_anything() -> None:
    async def run() -> None:
        async with exchange() as venue, broker(venue) as it:
            await it.close()
            assert [report async for report in it.reports()] == []

    asyncio.run(run())


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


async def settled(it: DerivBroker, sent: Order) -> OrderStatus:
    """Submit until it is known that the order is in, never while it is not known."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await it.submit(sent)
            except OrderUncertain:
                found = await it.find(sent)
                if found is not None:
                    return found
            except VenueRejected as error:
                if error.code != "RateLimit":
                    raise
