"""Orders at the bundled Deriv, in both dialects: sent, filled, closed, refused, found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from market.errors import ConfigError, OrderUncertain, UnknownSymbol, VenueRejected
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
    ticked,
)
from venues.base import VenueBroker
from venues.deriv import RiseFall
from venues.deriv.limits import Limiter
from venues.simulated.deriv.exchange import DerivExchange


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIV_TOKEN", TOKEN)


@pytest.fixture
async def venue() -> AsyncIterator[DerivExchange]:
    async with exchange(speed=0.0) as running:
        yield running


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
