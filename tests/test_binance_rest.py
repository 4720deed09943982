"""Requests to Binance: within its limits, with a time limit each, repeated only where harmless."""

import asyncio
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from market.errors import ConfigError, OrderUncertain, VenueRejected, VenueUnreachable
from market.events import SECOND
from tests.binance_venue import SYMBOL, T0, rng, venue
from venues.base import FeedStats
from venues.binance import BinanceConfig, BinanceRest
from venues.binance.config import _REST, _STREAM
from venues.binance.history import trade_history
from venues.binance.limits import Limits, Pace, Weights
from venues.binance.socket import Socket


class Seconds:
    """A monotonic clock that stands still unless told otherwise."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"rest": "http://api.binance.com"}, "encrypted"),
        ({"stream": "ws://stream.binance.com:9443"}, "encrypted"),
        ({"rest": "https://user:secret@api.binance.com"}, "rest"),
        ({"rest": "https://api.binance.com/api"}, "rest"),
        ({"rest": "ftp://127.0.0.1"}, "rest"),
        ({"market": "usdm", "depth": 5000}, "depth"),
        ({"backoff_first": 99.0}, "backoff"),
        ({"lifetime": 86_400.0}, "lifetime"),
        ({"typo": 1}, "typo"),
    ],
)
def test_settings_that_can_not_be_are_refused(wrong, word):
    with pytest.raises(ValidationError, match=word):
        BinanceConfig(**wrong)


def test_the_defaults_are_the_venues_own_and_encrypted():
    for market in ("spot", "usdm"):
        for testnet in (False, True):
            config = BinanceConfig(market=market, testnet=testnet)
            assert config.rest_url == _REST[market, testnet]
            assert config.rest_url.startswith("https://")
            assert config.stream_url("market").startswith(_STREAM[market, testnet] + "/")
            assert config.stream_url("market").startswith("wss://")
            assert not config.local
            assert ("testnet" in config.rest_url) is testnet
    assert BinanceConfig().stream_url("public") == BinanceConfig().stream_url("market")


async def test_weight_is_spent_up_to_our_share_and_the_venues_count_is_believed():
    clock = Seconds()
    weights = Weights(100, 0.5, clock)
    await weights.take(30)
    weights.read(20)  # something of ours is still on its way
    assert weights.used == 30
    weights.read(45)  # others use it too
    assert weights.used == 45
    waiting = asyncio.create_task(weights.take(6))
    await asyncio.sleep(0)
    assert not waiting.done()
    waiting.cancel()
    weights.read(3)  # a new minute of the venue's
    await weights.take(47)
    clock.now += 61
    await weights.take(50)
    assert weights.used == 50
    weights.learn(200)
    assert weights.allowed == 100
    with pytest.raises(ConfigError, match="weight_share"):
        await weights.take(101)


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 2.0), max_size=40))
def test_no_more_messages_than_allowed_in_any_second(steps):
    clock = Seconds()
    pace, sent = Pace(5, 1.0, clock), []
    for step in steps:
        clock.now += step
        clock.now += pace.wait
        pace._taken.append(clock.now)
        sent.append(clock.now)
    for i in range(len(sent) - 5):
        assert sent[i + 5] - sent[i] >= 1.0 - 1e-9


async def test_a_ban_silences_everything_until_it_ends():
    clock = Seconds()
    async with venue() as (made, config):
        limits = Limits(config, clock)
        async with BinanceRest(config, rng(), limits) as rest:
            made.answers = [(418, '{"code":-1003,"msg":"banned"}', {"Retry-After": "120"})]
            with pytest.raises(VenueRejected, match="another 120 s") as caught:
                await rest.time()
            assert caught.value.code == "418"
            clock.now += 100
            with pytest.raises(VenueRejected, match="another 20 s"):
                await rest.time()
            with pytest.raises(VenueRejected, match="another 20 s"):
                await Socket.open(config, "market", limits, FeedStats(), lambda: 0)
            assert (made.asked.total(), made.opened) == (1, 0)
            assert limits.retry(config, rng()).seconds() >= 20
            clock.now += 21
            assert await rest.time() == T0 * 1_000_000


async def test_too_many_requests_are_waited_for_as_long_as_is_said():
    async with venue() as (made, config), BinanceRest(config, rng()) as rest:
        made.answers = [(429, '{"code":-1003,"msg":"Too many"}', {"Retry-After": "1"})]
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await rest.time() == T0 * 1_000_000
        assert loop.time() - began >= 1.0
        assert made.asked["time"] == 2


async def test_a_ban_is_known_though_its_words_are_lost_and_long_words_are_cut():
    async def banned(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 418 Teapot\r\nRetry-After: 120\r\nContent-Length: 99\r\n\r\n{")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(banned, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = BinanceConfig(rest=f"http://127.0.0.1:{port}", attempts=1)
    async with server, BinanceRest(config, rng()) as rest:
        with pytest.raises(VenueUnreachable, match="no answer"):
            await rest.time()
        with pytest.raises(VenueRejected, match="banned"):
            await rest.time()
    async with venue(attempts=1) as (made, config), BinanceRest(config, rng()) as rest:
        made.answers = [(503, f'{{"code":-1,"msg":"{"x" * 10_000}"}}', {})]
        with pytest.raises(VenueUnreachable, match="503") as caught:
            await rest.time()
        assert len(str(caught.value)) < 400


async def test_used_weight_and_limits_are_read_from_the_answers():
    async with venue() as (made, config), BinanceRest(config, rng()) as rest:
        made.queries += [None] * 500
        found = await rest.exchange(SYMBOL)
        assert found.listings[SYMBOL].open
        assert rest.limits.weights.used == 501
        assert rest.limits.weights.allowed == 6000
        with pytest.raises(VenueRejected, match="-1121"):
            await rest.exchange("NOPE")
        with pytest.raises(VenueRejected, match=rf"; did you mean {SYMBOL}\?"):
            await rest.exchange(SYMBOL[:-1])
        with pytest.raises(VenueRejected, match=rf"; did you mean {SYMBOL}\?"):
            await rest.exchange(SYMBOL.lower())
        made.answers = [(400, '{"code":-1100,"msg":"Illegal characters in \'symbol\'"}', {})]
        with pytest.raises(VenueRejected, match=r"-1121: .*; did you mean ETHBTC\?"):
            await rest.klines("ethbtc", "1m")


async def test_what_may_pass_is_asked_again_and_what_may_not_is_not():
    async with venue(attempts=3) as (made, config), BinanceRest(config, rng()) as rest:
        made.answers = [(502, "<html>", {}), (400, '{"code":-1001,"msg":"internal"}', {})]
        assert await rest.time()
        made.answers = [(400, '{"code":-1100,"msg":"Illegal"}', {})]
        with pytest.raises(VenueRejected, match="-1100: Illegal"):
            await rest.time()
        assert made.asked["time"] == 4
        made.answers = [(503, "", {})] * 3
        with pytest.raises(VenueUnreachable, match="503"):
            await rest.time()
        made.answers = [(403, "blocked", {})]
        with pytest.raises(VenueRejected, match="403"):
            await rest.time()
        made.answers = [(302, "", {"Location": "http://127.0.0.1:1/"})]
        with pytest.raises(VenueRejected, match="302"):
            await rest.time()


async def test_a_request_without_an_answer_ends_and_an_order_is_never_sent_twice():
    async def silent(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        asked.append(1)
        await reader.read()
        writer.close()

    asked, secret = [], f"signature={7**20}"
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    config = BinanceConfig(rest=f"http://127.0.0.1:{port}", timeout=0.1, backoff_first=0.01)
    async with server, BinanceRest(config, rng()) as rest:
        with pytest.raises(VenueUnreachable, match="no answer"):
            await rest.time()
        assert len(asked) == config.attempts
        with pytest.raises(OrderUncertain, match="may have been executed") as caught:
            await rest.request("POST", "/api/v3/order", secret, headers={"X-MBX-APIKEY": secret})
        assert len(asked) == config.attempts + 1
        assert secret not in "".join(traceback.format_exception(caught.value))
    async with BinanceRest(config, rng()) as rest:
        told = (
            rf"no connection to 127\.0\.0\.1:{URL(config.rest_url).port} .*; is the address right"
        )
        with pytest.raises(VenueUnreachable, match=told) as refused:
            await rest.request("POST", "/api/v3/order", secret)
        assert not isinstance(refused.value, OrderUncertain)
        assert secret not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    "answer",
    [
        (504, "", {}),
        (400, '{"code":-1007,"msg":"Timeout"}', {}),
        (400, '{"code":-1000,"msg":"An unknown error occurred"}', {}),
    ],
)
async def test_an_order_whose_fate_the_venue_does_not_know_is_uncertain(answer):
    async with venue() as (made, config), BinanceRest(config, rng()) as rest:
        made.answers = [answer]
        with pytest.raises(OrderUncertain):
            await rest.request("DELETE", "/api/v3/order")


async def test_a_client_that_was_closed_asks_nothing():
    async with venue() as (_, config):
        rest = BinanceRest(config, rng())
        await rest.time()
        await rest.close()
        await rest.close()
        with pytest.raises(VenueUnreachable, match="closed"):
            await rest.time()


async def test_past_trades_of_a_range_come_in_pages():
    async with venue(page=10) as (made, config), BinanceRest(config, rng()) as rest:
        for number in [*range(40), *range(42, 60)]:
            made.trade(number)
        heard = []
        start, end = (T0 + 5) * 1_000_000, (T0 + 50) * 1_000_000
        series = await trade_history(rest, SYMBOL, start, end, lambda *now: heard.append(now))
        assert series.columns["id"].tolist() == [*range(5, 40), *range(42, 51)]
        assert series.columns["id"][series.fresh].tolist() == [42]
        assert heard[-1] == (44, 1.0)
        assert made.asked["aggTrades"] == 5
        empty = await trade_history(rest, SYMBOL, end + 999 * SECOND, None)
        assert len(empty) == 0


async def test_a_socket_subscribes_and_unsubscribes_and_keeps_to_its_number_of_streams():
    async with venue(streams=2) as (made, config):
        socket = await Socket.open(config, "market", Limits(config), FeedStats(), lambda: 7)
        await socket.subscribe(["a@trade"])
        await socket.subscribe(["b@trade"])
        with pytest.raises(ConfigError, match="2 streams"):
            await socket.subscribe(["c@trade"])
        await socket.unsubscribe(["a@trade"])
        await socket.subscribe(["c@trade"])
        assert list(made.sockets.values()) == [{"b@trade", "c@trade"}]
        assert [call["id"] for _, call in made.messages] == [1, 2, 3, 4]
        await made.push("b@trade", {"x": 1})
        arrival = await socket.next(5.0)
        assert (arrival.stream, bytes(arrival.data), arrival.receipt) == ("b@trade", b'{"x": 1}', 7)
        with pytest.raises(TimeoutError):
            await socket.next(0.01)
        await socket.close()
        with pytest.raises(VenueUnreachable):
            await socket.subscribe(["b@trade"])


async def test_a_ping_is_answered_with_what_it_carries():
    async with venue() as (made, config):
        socket = await Socket.open(config, "market", Limits(config), FeedStats(), lambda: 7)
        await socket.subscribe(["a@trade"])
        (server,) = made.sockets
        await server.ping(b"1770123456789")
        await made.until(lambda: made.pongs == [b"1770123456789"])
        await socket.close()


async def test_a_socket_that_is_not_answered_or_refused_is_given_up():
    async with venue(timeout=0.1) as (made, config):
        socket = await Socket.open(config, "market", Limits(config), FeedStats(), lambda: 7)
        made.mute = True
        with pytest.raises(VenueUnreachable, match="SUBSCRIBE"):
            await socket.subscribe(["a@trade"])
        made.mute = False
        await socket.subscribe(["a@trade"])
        made.mute = True
        asking = asyncio.create_task(socket.subscribe(["b@trade"]))
        await made.until(lambda: len(made.messages) == 3)
        await made.say('{"code":2,"msg":"Invalid request"}')
        with pytest.raises(VenueRejected, match="Invalid request"):
            await asking
        await socket.close()


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_a_lost_connection_says_whose_it_was(market):
    async with venue(market) as (made, config):
        socket = await Socket.open(config, "market", Limits(config), FeedStats(), lambda: 7)
        await socket.subscribe([f"{name}@trade" for name in "abcde"])
        await made.drop()
        told = rf"^Binance {market}: connection lost \(code \d+\): a@trade, b@trade, c@trade and 2"
        with pytest.raises(VenueUnreachable, match=told):
            await socket.next(5.0)
        await socket.close()
    told = r"Binance's streams at ws://127\.0\.0\.1:\d+/.* is the address right"
    with pytest.raises(VenueUnreachable, match=told):
        await Socket.open(config, "market", Limits(config), FeedStats(), lambda: 7)


async def test_a_slow_reader_loses_the_connection_and_not_the_memory():
    async with venue(backlog=100) as (made, config):
        socket = await Socket.open(config, "market", Limits(config), FeedStats(), lambda: 7)
        await socket.subscribe(["a@trade"])
        for number in range(101):
            await made.push("a@trade", number)
        async with asyncio.timeout(10):
            await socket._reading
        for number in range(100):
            assert bytes((await socket.next(5.0)).data) == b"%d" % number
        with pytest.raises(VenueUnreachable, match="100 frames"):
            await socket.next(5.0)
        await socket.close()
