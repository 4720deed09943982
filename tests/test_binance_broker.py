import asyncio
import json
import pickle
from contextlib import asynccontextmanager
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import (
    ConfigError,
    DataError,
    OrderUncertain,
    VenueRejected,
    VenueUnreachable,
)
from market.orders import Fill, Order, OrderStatus
from tests.binance_exchange_client import config
from venues.base import VenueBroker
from venues.binance import BinanceConfig
from venues.binance.account import TradingConfig
from venues.binance.answers import Listing
from venues.binance.broker import BinanceBroker
from venues.binance.orders import decode_order, decode_trades_told, order_params
from venues.binance.signing import Keys, Signer, client_order_id
from venues.binance.user_stream import decode_report
from venues.clock import wall_clock
from venues.simulated.binance import BinanceExchange

SYMBOL = "BTCUSDT"
MINE = {"key": "mine", "secret": "my-secret"}
OTHER = {"key": "test-key", "secret": "test-secret"}
MARKETS = pytest.mark.parametrize("market", ["spot", "usdm"])
quick = {"backoff_first": 0.01, "backoff_most": 0.05, "timeout": 5.0}


@pytest.fixture
async def exchange():
    async with BinanceExchange(config(keys=[MINE, OTHER], limits={"spot_messages": 50})) as running:
        yield running


@asynccontextmanager
async def broker(exchange, market, keys=None, since=0, symbols=(SYMBOL,), **settings):
    where = BinanceConfig(
        market=market,
        rest=exchange.url,
        stream=exchange.url.replace("http", "ws"),
        **{**quick, **settings},
    )
    keys = Keys(**MINE) if keys is None else keys
    made = BinanceBroker(
        where, TradingConfig(symbols=symbols), np.random.default_rng(1), keys, since=since
    )
    try:
        yield made
    finally:
        await made.close()


def order(number, units, price=60_000.0, **more):
    return Order(f"o-{number}", SYMBOL, 1, units, price, **more)


def inside(exchange, market):
    """A price inside the spread: orders there rest, and are the first to be executed."""
    bid, _, ask, _ = exchange.markets[market][SYMBOL].top()
    assert ask - bid > 2
    return float(exchange.markets[market][SYMBOL].grid.price(bid + 1))


async def follow(made, told, wanted):
    """Collect what is reported until it is what is wanted."""
    async for one in made.reports():
        told.append(one)
        if wanted(told):
            return


async def within(task):
    async with asyncio.timeout(10):
        return await task


async def connected(made):
    """Wait until the account's events are listened to."""
    async with asyncio.timeout(10):
        await made._stream.connected.wait()


@MARKETS
async def test_a_market_order_is_filled_found_reported_and_held(exchange, market):
    async with broker(exchange, market) as made:
        assert isinstance(made, VenueBroker)
        before = {one.symbol: one.units for one in await made.positions()}
        told = []
        task = asyncio.create_task(
            follow(made, told, lambda t: isinstance(t[-1], OrderStatus) and t[-1].final)
        )
        await connected(made)
        one = order(1, 0.5)
        status = await made.submit(one)
        assert (status.state, status.units, status.order_id) == ("filled", 0.5, "o-1")
        found = await made.find(one)
        assert (found.state, found.units, found.venue_id) == ("filled", 0.5, status.venue_id)
        assert found.price == pytest.approx(status.price, rel=1e-6)
        await within(task)
        fills = [each for each in told if isinstance(each, Fill)]
        assert sum(each.units for each in fills) == pytest.approx(0.5)
        assert {each.order_id for each in fills} == {"o-1"}
        assert len({each.id for each in fills}) == len(fills)
        paid = sum(each.units * each.price for each in fills)
        assert paid / 0.5 == pytest.approx(status.price, rel=1e-6)
        rate = 0.001 if market == "spot" else 0.0005
        assert sum(each.fee for each in fills) == pytest.approx(paid * rate, rel=1e-4)
        assert told[-1].state == "filled"
        held = {each.symbol: each.units for each in await made.positions()}
        gained = 0.5 * (1.0 - rate) if market == "spot" else 0.5
        assert held[SYMBOL] - before.get(SYMBOL, 0.0) == pytest.approx(gained, rel=1e-6)


@MARKETS
async def test_a_resting_order_is_cancelled(exchange, market):
    async with broker(exchange, market) as made:
        one = order(1, -0.01, limit=90_000.0)
        assert (await made.submit(one)).state == "accepted"
        # The same order again is the same order.
        assert (await made.submit(one)).state == "accepted"
        status = await made.cancel(one)
        assert (status.state, status.units) == ("cancelled", 0.0)
        assert isnan(status.price)
        assert (await made.cancel(one)).state == "cancelled"
        with pytest.raises(VenueRejected, match="does not exist"):
            await made.cancel(order(2, 1.0))
        assert await made.find(order(2, 1.0)) is None


@MARKETS
async def test_a_lost_answer_is_uncertain_and_found(exchange, market):
    async with broker(exchange, market) as made:
        await made.find(order(9, 1.0))
        exchange._lose_answer = True
        with pytest.raises(OrderUncertain):
            await made.submit(order(1, 0.01))
        found = await made.find(order(1, 0.01))
        assert (found.state, found.units) == ("filled", 0.01)
        numbers = {one.order.id for one in exchange.clients.accounts[market]["mine"].trades}
        assert len(numbers) == 1


@MARKETS
async def test_what_is_filled_while_the_connection_is_down_is_told_once(exchange, market):
    async with (
        broker(exchange, market) as made,
        broker(exchange, market, Keys(**OTHER)) as other,
    ):
        told = []
        price = inside(exchange, market)
        reports = made.reports()
        first = asyncio.create_task(anext(reports))
        await connected(made)
        one = order(1, 0.02, limit=price)
        assert (await made.submit(one)).state == "accepted"
        told.append(await within(first))
        assert (await other.submit(order(1, -0.005))).state == "filled"
        while not any(isinstance(each, Fill) for each in told):
            told.append(await within(anext(reports)))
        told.append(await within(anext(reports)))
        # Nothing is told from here on: the connection is gone, and the rest is executed.
        await made._stream.drop()
        assert (await other.submit(order(2, -0.015))).state == "filled"
        while not (isinstance(told[-1], OrderStatus) and told[-1].final):
            told.append(await within(anext(reports)))
        fills = [each for each in told if isinstance(each, Fill)]
        assert [each.units for each in fills] == [0.005, 0.015]
        assert {each.order_id for each in fills} == {"o-1"}
        assert made.stats.reconnects == 1
        assert told[-1].state == "filled"
        await reports.aclose()


@MARKETS
async def test_reports_begin_where_they_are_told_to(exchange, market):
    async with broker(exchange, market) as made:
        assert (await made.submit(order(1, 0.01))).state == "filled"
        began = exchange.now_ms
        await exchange.advance(1.0)
        assert (await made.submit(order(2, -0.01))).state == "filled"
    async with broker(exchange, market, since=(began + 1) * 1_000_000) as made:
        told = []
        await within(asyncio.create_task(follow(made, told, lambda told: True)))
    # Another process knows the order by its id, which the venue keeps.
    assert {one.order_id for one in told} == {"o-2"}


@MARKETS
async def test_what_stream_and_history_both_tell_is_told_once(exchange, market):
    async with broker(exchange, market) as made:
        began = exchange.now_ms
        assert (await made.submit(order(1, 0.001))).state == "filled"
    symbols = (SYMBOL, "ETHUSDT")
    async with broker(exchange, market, since=began * 1_000_000, symbols=symbols) as made:
        reports, told = made.reports(), []
        told.append(await within(asyncio.create_task(anext(reports))))
        assert made._stream.connected.is_set()
        # The other symbol's history is not asked for yet, and its events wait in the socket.
        both = Order("o-2", "ETHUSDT", 1, 0.5, 3000.0), Order("o-3", "ETHUSDT", 1, -0.5, 3000.0)
        for one in both:
            assert (await made.submit(one)).state == "filled"
        last = order(4, -0.001)
        assert (await made.submit(last)).state == "filled"
        while not (told[-1].order_id == "o-4" and getattr(told[-1], "state", "") == "filled"):
            told.append(await within(asyncio.create_task(anext(reports))))
        fills = [one for one in told if isinstance(one, Fill)]
        assert len({(one.symbol, one.id) for one in fills}) == len(fills)
        for one in (*both, last):
            executed = sum(fill.units for fill in fills if fill.order_id == one.id)
            assert executed == pytest.approx(one.units)
        await reports.aclose()


@MARKETS
async def test_a_wrong_clock_is_measured_again(exchange, market):
    async with broker(exchange, market) as made:
        # The first order asks for more than is asked for later.
        assert (await made.submit(order(9, 0.01))).state == "filled"
        assert await made.find(order(1, 1.0)) is None
        exchange._skew += 3_600_000
        assert await made.find(order(1, 1.0)) is None
        exchange._skew -= 7_200_000
        with pytest.raises(VenueRejected, match="-1021"):
            await made.submit(order(1, 0.01))
        assert (await made.submit(order(1, 0.01))).state == "filled"


async def test_who_is_not_reached_got_nothing_and_closing_ends_the_reports(exchange):
    async with broker(exchange, "spot", attempts=1) as made:
        task = asyncio.create_task(follow(made, [], lambda told: False))
        await connected(made)
        await made._account.listing(SYMBOL)
        await exchange.stop()
        with pytest.raises(VenueUnreachable) as caught:
            await made.submit(order(1, 0.01))
        assert not isinstance(caught.value, OrderUncertain)
        await made.close()
        await within(task)


async def test_a_wrong_secret_is_refused_and_never_shown(exchange):
    keys = Keys("mine", "a-wrong-secret")
    async with broker(exchange, "spot", keys) as made:
        with pytest.raises(VenueRejected, match="-1022") as caught:
            await made.find(order(1, 1.0))
        assert "wrong-secret" not in str(caught.value) + repr(keys) + repr(vars(made))
        with pytest.raises(VenueRejected, match="-1022"):
            await within(asyncio.create_task(follow(made, [], lambda told: True)))


def test_keys_come_from_the_environment_only(monkeypatch):
    monkeypatch.delenv("BINANCE_API_KEY", raising=False)
    monkeypatch.setenv("BINANCE_API_SECRET", "s3cret")
    with pytest.raises(ConfigError, match="BINANCE_API_KEY: must be set"):
        Keys.from_environment()
    monkeypatch.setenv("BINANCE_API_KEY", "public")
    keys = Keys.from_environment()
    assert keys.headers == {"X-MBX-APIKEY": "public"}
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(keys)


def test_a_signature_is_the_venues_own_example():
    keys = Keys("k", "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j")
    text = (
        "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1"
        "&recvWindow=5000&timestamp=1499827319559"
    )
    wanted = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert keys.sign(text) == wanted
    asked = dict(part.split("=") for part in text.split("&")[:6])
    signer = Signer(keys, lambda: 1_499_827_319_000_000_000, 5000)
    signer.offset = 559_000_000
    assert signer.query(asked) == f"{text}&signature={wanted}"


def test_real_money_takes_a_word():
    for testnet, real in ((False, False), (True, False), (False, True)):
        where, trading = BinanceConfig(testnet=testnet), TradingConfig(symbols=("X",), real=real)
        if testnet or real:
            BinanceBroker(where, trading, np.random.default_rng(1), Keys("k", "s"))
        else:
            with pytest.raises(ConfigError, match="real money"):
                BinanceBroker(where, trading, np.random.default_rng(1), Keys("k", "s"), wall_clock)


LISTED = Listing(SYMBOL, "BTC", "USDT", True, 0.01, 1e-05, 1e-05, 9000.0, 5.0)


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (order(1, 0.123456789), {"type": "MARKET", "side": "BUY", "quantity": "0.12345"}),
        (order(1, 0.1 + 0.2), {"quantity": "0.30000"}),
        (order(1, 0.7 - 0.4), {"quantity": "0.30000"}),
        (order(1, -1.0, limit=60_000.011), {"type": "LIMIT", "side": "SELL", "price": "60000.02"}),
        (order(1, 1.0, limit=60_000.019), {"price": "60000.01", "timeInForce": "GTC"}),
        (order(1, 1.0, stop=61_000.0), {"type": "STOP_LOSS", "stopPrice": "61000.0"}),
        (order(1, 1.0, stop=61_000.0, limit=61_100.0), {"type": "STOP_LOSS_LIMIT"}),
    ],
)
def test_an_order_is_rounded_to_the_venues_steps(one, wanted):
    asked = order_params(one, "spot", LISTED)
    assert {key: asked[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (order(1, 0.000009), "LOT_SIZE"),
        (order(1, 9001.0), "LOT_SIZE"),
        (order(1, 0.0), "LOT_SIZE"),
        (order(1, nan), "LOT_SIZE"),
        (order(1, 0.00008), "NOTIONAL"),
        (order(1, 1.0, limit=-5.0), "PRICE_FILTER"),
        (order(1, 1.0, limit=0.001), "PRICE_FILTER"),
        (order(1, 1.0, take_profit=5.0), "OrderTypeNotOffered"),
        (order(1, 1.0, closes="7"), "OrderTypeNotOffered"),
    ],
)
def test_what_breaks_a_filter_is_refused_by_its_name(one, code):
    with pytest.raises(VenueRejected) as caught:
        order_params(one, "usdm", LISTED)
    assert caught.value.code == code


@given(st.text(max_size=60))
def test_an_id_is_always_one_that_the_venue_takes(text):
    told = client_order_id(text)
    assert 1 <= len(told) <= 36
    assert all(c.isascii() and (c.isalnum() or c in ".:/_-") for c in told)
    assert client_order_id(text) == told


def test_a_report_is_read_in_either_dress():
    report = {"s": "X", "c": "a", "S": "SELL", "x": "TRADE", "X": "FILLED", "i": 5, "l": "2"}
    report |= {"z": "3", "L": "10", "T": 1_700_000_000_000, "t": 7, "n": "0.5", "N": "Y"}
    spot = {"e": "executionReport", "Z": "30", "C": "", **report}
    usdm = {"e": "ORDER_TRADE_UPDATE", "E": 1, "o": {"ap": "10", **report}}
    for event in (spot, usdm, {"stream": "key", "data": usdm}):
        told = decode_report(json.dumps(event))
        status = told.status("b", 0.5)
        assert (status.state, status.units, status.price, status.venue_id) == (
            "filled",
            -3.0,
            10.0,
            "5",
        )
        fill = told.fill("b", LISTED)
        assert (fill.units, fill.price, fill.id) == (-2.0, 10.0, "7")
        assert isnan(fill.fee)  # paid in a third currency
    assert decode_report(b'{"e":"serverShutdown","E":1}') == "serverShutdown"
    assert decode_report(b"{}") == ""
    strange = decode_report(json.dumps({**spot, "X": "ODD"}))
    with pytest.raises(DataError, match="ODD"):
        strange.status("b", 0.0)


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=3,
)
names = st.sampled_from([*"eoscCSxXilzLTtnN", "symbol", "orderId", "status", "side", "price"])


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=60)
    | st.dictionaries(names, values | st.sampled_from(["executionReport", "BUY", "TRADE"])).map(
        lambda one: json.dumps(one).encode()
    )
)
def test_whatever_comes_is_read_or_is_bad_data(data):
    for read in (decode_report, decode_order, decode_trades_told):
        try:
            read(data)
        except DataError:
            continue
