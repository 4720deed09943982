"""The broker at a futures venue that does what a test tells it: late, strange, silent, closed."""

import asyncio
import json
from contextlib import aclosing, asynccontextmanager
from math import isnan

import numpy as np
import pytest

from market.errors import ConfigError, DataError, OrderUncertain, VenueUnreachable
from market.orders import Fill, Order, OrderStatus
from tests.binance_account import DAY, SYMBOL, broker, now
from venues.binance import BinanceConfig
from venues.binance.account import TradingConfig
from venues.binance.answers import Listing
from venues.binance.broker import BinanceBroker
from venues.binance.signing import Keys
from venues.binance.user_stream import decode_report


def bought(units=1.0):
    return Order("o-1", SYMBOL, 1, units, 60_000.0)


@asynccontextmanager
async def reporting(made):
    """Give what the next report is; it is listened for from now on."""
    async with aclosing(made.reports()) as reports:
        first = asyncio.ensure_future(anext(reports))

        async def following():
            nonlocal first
            told, first = await first, None
            first = asyncio.ensure_future(anext(reports))
            return told

        await made._stream.connected.wait()
        try:
            yield following
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)


async def test_what_an_account_did_long_ago_is_no_news_to_it():
    async with broker() as (venue, made):
        for number in (1, 2, 3):
            venue.trade(number, now() - 30 * DAY)
        venue.order("o-1")
        async with reporting(made) as following:
            venue.trade(4, now())
            await venue.drop()
            told = await following()
            assert isinstance(told, Fill)
            assert told.id == "4"


async def test_what_was_missed_for_weeks_is_told():
    async with broker(since=(now() - 25 * DAY) * 1_000_000) as (venue, made):
        venue.order("o-1")
        venue.trade(1, now() - 30 * DAY)
        venue.trade(2, now() - 12 * DAY)
        venue.trade(3, now() - 3 * DAY)
        async with reporting(made) as following:
            assert [(await following()).id for _ in range(2)] == ["2", "3"]


async def test_an_order_on_its_way_is_not_taken_for_one_that_never_came():
    async with broker(window=200) as (venue, made):
        venue.lose, venue.arrives = True, 1
        with pytest.raises(OrderUncertain):
            await made.submit(bought())
        # The first question is asked before the order has come.
        found = await made.find(bought())
        assert found is not None
        assert found.state == "accepted"


async def test_an_answer_in_words_unknown_leaves_the_order_uncertain():
    async with broker() as (venue, made):
        told = {"symbol": SYMBOL, "orderId": 1, "clientOrderId": "o-1", "status": "STRANGE"}
        told |= {"side": "BUY", "executedQty": "0"}
        venue.answers = [("order", 200, json.dumps(told))]
        with pytest.raises(OrderUncertain, match="STRANGE"):
            await made.submit(bought())


async def test_what_was_never_sent_is_not_asked_for():
    async with broker(attempts=1) as (venue, made):
        venue.answers = [("time", 503, "")]
        with pytest.raises(VenueUnreachable) as caught:
            await made.submit(bought())
        assert not isinstance(caught.value, OrderUncertain)
        assert not made._open


async def test_the_end_of_an_order_is_told_though_history_told_its_execution_first():
    async with broker() as (venue, made), reporting(made) as following:
        assert (await made.submit(bought())).state == "accepted"
        # The venue's orders are a moment behind its trades.
        venue.trade(1, now(), size="1")
        await venue.drop()
        fill, stands = await following(), await following()
        assert (fill.id, stands.state) == ("1", "accepted")
        await venue.tell("FILLED", "1", "TRADE", trade=1, size="1")
        end = await following()
        assert isinstance(end, OrderStatus)
        assert (end.state, end.units, end.fee) == ("filled", 1.0, pytest.approx(0.1))


async def test_a_state_older_than_one_told_is_not_told():
    async with broker() as (venue, made):
        async with reporting(made) as following:
            await made.submit(bought())
            venue.order("o-1", "FILLED", "1")
            venue.trade(1, now(), size="1")
            await venue.drop()
            fill, end = await following(), await following()
            assert (fill.id, end.state, end.fee) == ("1", "filled", pytest.approx(0.1))
            await venue.tell("NEW", "0")
            await venue.tell("PARTIALLY_FILLED", "0.5", "TRADE", trade=1, size="0.5")
            await venue.tell("FILLED", "2", "TRADE", trade=2, size="2", client_id="o-2")
            assert (await following()).id == "2"
        # Of what commission an order was filled its own answer doesn't say.
        found = await made.find(bought())
        assert isnan(found.fee)


async def test_a_limit_met_while_asking_what_was_missed_is_sat_out():
    async with broker(attempts=1) as (venue, made):
        venue.order("o-1")
        venue.trade(1, now() - DAY)
        async with reporting(made) as following:
            venue.trade(2, now())
            venue.answers = [("userTrades", 429, '{"code":-1003,"msg":"slow"}')]
            venue.headers = {"Retry-After": "0"}
            await venue.drop()
            assert (await following()).id == "2"


async def test_what_stays_unreadable_is_an_error_in_the_end():
    async with broker() as (venue, made), reporting(made) as following:
        venue.answers = [("userTrades", 200, "[{}]")] * 50
        await venue.drop()
        with pytest.raises(DataError, match="own trades"):
            await following()


@pytest.mark.parametrize("body", ["[{}]", "<html>"])
async def test_a_history_that_can_not_be_read_is_asked_for_again(body):
    async with broker() as (venue, made):
        venue.order("o-1")
        venue.trade(1, now() - DAY)
        async with reporting(made) as following:
            venue.trade(2, now())
            venue.answers = [("userTrades", 200, body)]
            await venue.drop()
            assert (await following()).id == "2"
            assert made.stats.bad_frames == 1


async def test_a_venue_that_is_down_at_first_is_waited_for():
    async with broker(attempts=1) as (venue, made):
        venue.answers = [("time", 503, "")] * 3
        async with reporting(made):
            assert len(venue.sockets) == 1


async def test_a_connection_that_is_taken_and_not_answered_is_given_up():
    async with broker(connect_timeout=0.2) as (venue, made):
        venue.deaf = 1
        async with reporting(made):
            assert venue.knocks == 2


async def test_connections_are_counted_where_all_are():
    async with broker(connections=1) as (_, made), reporting(made):
        assert made._account.rest.limits.connections.wait > 0.0


def test_an_address_of_ones_own_is_no_play_money():
    trading, keys = TradingConfig(symbols=(SYMBOL,)), Keys("k", "s")
    for given in ({"rest": "https://api.binance.com"}, {"stream": "wss://stream.binance.com"}):
        with pytest.raises(ConfigError, match="real money"):
            BinanceBroker(
                BinanceConfig(testnet=True, **given), trading, np.random.default_rng(1), keys
            )


def test_a_liquidation_is_an_execution():
    body = {"s": SYMBOL, "c": "autoclose-1", "S": "SELL", "x": "CALCULATED", "X": "FILLED", "i": 5,
            "l": "2", "z": "2", "L": "10", "T": 1_700_000_000_000, "t": 7}  # fmt: skip
    event = {"e": "ORDER_TRADE_UPDATE", "o": body}
    listing = Listing(SYMBOL, "BTC", "USDT", True)
    assert decode_report(json.dumps(event)).fill("", listing).units == -2.0
