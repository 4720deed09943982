"""The bundled Binance's sockets and calls: what is subscribed, limited and refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from market.errors import VenueError
from market.events import SECOND
from tests.binance_exchange_client import BOTH, PREFIX, Client, client, config
from venues.simulated import Exchange, ExchangeConfig
from venues.simulated.binance import BinanceExchange


@pytest.fixture
async def exchange() -> AsyncIterator[BinanceExchange]:
    async with BinanceExchange(config()) as running:
        yield running


@pytest.fixture
async def user(exchange: BinanceExchange) -> AsyncIterator[Client]:
    async with client(exchange) as made:
        yield made


async def test_subscriptions_are_made_listed_and_ended(
    exchange: BinanceExchange, user: Client
) -> None:
    async with user.socket("/ws") as socket:
        [answer] = await socket.ask("SUBSCRIBE", ["btcusdt@trade", "nosuch@trade"], 1)
        assert answer == {"result": None, "id": 1}
        [answer] = await socket.ask("LIST_SUBSCRIPTIONS", key="a")
        assert answer == {"result": ["btcusdt@trade", "nosuch@trade"], "id": "a"}
        await exchange.advance(20)
        frames = await socket.drain()
        assert [frame["t"] for frame in frames] == [
            trade["t"] for trade in exchange.sent["spot", "BTCUSDT"].trades
        ]
        await socket.ask("UNSUBSCRIBE", ["btcusdt@trade"], 3)
        await exchange.advance(20)
        await asyncio.sleep(1.0)  # five messages a second are the limit
        assert await socket.drain() == []
        for bad, code in (("{", 3), ("{}", 2), ('{"method":"NO","id":1}', 2)):
            await socket.raw.send_str(bad)
            assert (await socket.json())["code"] == code


async def test_a_socket_is_held_to_its_limits(user: Client) -> None:
    async with user.socket("/ws") as socket:
        for number in range(6):
            await socket.raw.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        while await socket.text() is not None:
            pass
        assert len(socket.texts) <= 5
        assert socket.raw.close_code == 1008


async def test_a_socket_has_so_many_streams() -> None:
    async with (
        BinanceExchange(config(limits={"streams": 2})) as exchange,
        client(exchange) as user,
        user.socket("/ws/btcusdt@trade") as socket,
    ):
        [answer] = await socket.ask("SUBSCRIBE", ["ethusdt@trade", "ethusdt@depth"])
        assert answer["code"] == 2
        [answer] = await socket.ask("SUBSCRIBE", ["ethusdt@trade"])
        assert answer["result"] is None


async def test_a_socket_is_pinged_and_grows_old() -> None:
    limits = {"ping_seconds": 0.05, "pong_seconds": 0.05, "lifetime": 0.5, "spot_messages": 100}
    async with BinanceExchange(config(limits=limits)) as exchange, client(exchange) as user:
        async with user.http.ws_connect(exchange.url + "/ws", autoping=False) as silent:
            first = await silent.receive()
            assert first.type.name == "PING"
            while (message := await silent.receive()).type.name == "PING":
                pass
            assert message.type.name in ("CLOSED", "ERROR", "CLOSE")
            assert silent.close_code != 1001, "broken for silence, not closed for age"
        async with user.socket("/ws") as socket:
            assert await socket.text() is None
            assert socket.raw.close_code == 1001


async def test_futures_routes_carry_their_streams(exchange: BinanceExchange, user: Client) -> None:
    names = "/".join(f"btcusdt@{s}" for s in ("trade", "aggTrade", "bookTicker", "depth@100ms"))
    for route, kinds in (
        ("public", {"trade", "bookTicker", "depthUpdate"}),
        ("market", {"aggTrade"}),
    ):
        async with user.socket(f"/{route}/ws/0/{names}") as socket:
            await exchange.advance(20)
            assert {frame["e"] for frame in await socket.drain()} == kinds


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("depth", {"symbol": "NOSUCH"}, -1121),
        ("depth", {}, -1102),
        ("depth", {"symbol": "BTCUSDT", "limit": "x"}, -1100),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "startTime": "-1"}, -1100),
        ("aggTrades", {"symbol": "BTCUSDT", "limit": "0"}, -1130),
    ],
)
async def test_a_wrong_call_is_refused_by_code(
    user: Client, path: str, params: dict[str, str], code: int
) -> None:
    status, body = await user.call("GET", f"/api/v3/{path}", **params)
    assert (status, body["code"]) == (400, code)
    assert body["msg"]


async def test_weights_turn_into_429_and_then_a_ban() -> None:
    limits = {"spot_weight": 30, "ban_after": 2, "ban_seconds": 5}
    async with BinanceExchange(config(limits=limits)) as exchange, client(exchange) as user:
        url = exchange.url + "/api/v3/depth?symbol=BTCUSDT&limit=100"
        seen = []
        for _ in range(10):
            async with user.http.get(url) as answer:
                headers = answer.headers
                seen.append((answer.status, int(headers["X-MBX-USED-WEIGHT-1M"])))
                if answer.status != 200:
                    assert (await answer.json())["code"] == -1003
                    assert 1 <= int(headers["Retry-After"]) <= 60
        assert seen[:6] == [(200, 5 * n) for n in range(1, 7)]
        assert [status for status, _ in seen[6:]] == [429, 429, 418, 418]
        assert (await user.get("/fapi/v1/ping")) == {}, "futures count on their own"


@BOTH
async def test_exchange_info_lists_steps_and_limits(
    exchange: BinanceExchange, user: Client, kind: str
) -> None:
    info = await user.get(f"{PREFIX[kind]}/exchangeInfo")
    limits = exchange.config.limits
    weight = limits.spot_weight if kind == "spot" else limits.usdm_weight
    assert info["rateLimits"][0]["limit"] == weight
    for row, listing in zip(info["symbols"], getattr(exchange.config, kind), strict=True):
        filters = {f["filterType"]: f for f in row["filters"]}
        assert Decimal(filters["PRICE_FILTER"]["tickSize"]) == listing.tick
        assert Decimal(filters["LOT_SIZE"]["stepSize"]) == listing.lot
        assert row["baseAsset"] + row["quoteAsset"] == row["symbol"] == listing.symbol


async def test_it_runs_beside_the_other_venues() -> None:
    plan = ExchangeConfig.model_validate(
        {"deriv": {"port": 0}, "binance": {"port": 0, "history_seconds": 60}}
    )
    assert plan.ports == {"exchange.deriv.port": 0, "exchange.binance.port": 0}
    async with Exchange(plan) as exchange:
        assert set(exchange.urls) == {"deriv", "binance"}
        assert exchange.binance is not None
        async with client(exchange.binance) as user:
            told = (await user.get("/api/v3/time"))["serverTime"]
        assert abs(told - exchange.binance.now // (SECOND // 1000)) < 1000
        taken = config(port=exchange.binance.port)
        with pytest.raises(VenueError, match="is taken"):
            await BinanceExchange(taken).start()


@pytest.mark.parametrize(
    "settings",
    [
        {"faults": [{"kind": "gap", "symbol": "NOSUCH", "event": 1}]},
        {"faults": [{"kind": "gap"}]},
        {"spot": [], "usdm": []},
        {"history_seconds": 3600, "start_epoch": 10},
        {"spot": [{"symbol": "AUSDT", "base": "A", "price": 1, "tick": "1e-9", "lot": 1}]},
        {"spot": [{"symbol": "A1", "base": "A", "price": 9, "tick": 1, "lot": 1, "law": "NONE"}]},
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**settings)
