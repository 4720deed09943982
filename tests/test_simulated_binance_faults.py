"""What the bundled Binance does wrong when told to: at its place, once, and the same every time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ServerDisconnectedError

from tests.binance_exchange_client import KEY, Client, client, config, sign
from venues.simulated.binance import BinanceExchange


@asynccontextmanager
async def faulty(*faults: dict[str, Any], **settings: Any) -> AsyncIterator[Client]:
    """A client of an exchange that commits ``faults``."""
    plan = config(faults=faults, limits={"spot_messages": 50}, **settings)
    async with BinanceExchange(plan) as exchange, client(exchange) as user:
        yield user


async def aggregates(user: Client, seconds: float = 30) -> tuple[list[str], list[int]]:
    """Frames of a stream of aggregates, and the ids that were sent in truth."""
    async with user.socket("/ws/btcusdt@aggTrade") as socket:
        await user.exchange.advance(seconds)
        await socket.raw.send_json({"method": "LIST_SUBSCRIPTIONS", "id": "drained"})
        while '"drained"' not in (text := await socket.text() or ""):
            assert text, "the socket is closed"
        texts = socket.texts[:-1]
    return texts, [row["a"] for row in user.exchange.sent["spot", "BTCUSDT"].aggregates]


def ids(texts: list[str]) -> list[int]:
    return [json.loads(text)["a"] for text in texts]


async def test_a_gap_is_in_rest_alone() -> None:
    async with faulty({"kind": "gap", "event": 3, "count": 2}) as user:
        texts, sent = await aggregates(user)
        assert ids(texts) == sent[:2] + sent[4:]
        rows = await user.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=sent[2], limit=2)
        assert [row["a"] for row in rows] == sent[2:4]


async def test_duplicate_reorder_and_delay() -> None:
    async with faulty({"kind": "duplicate", "event": 3, "count": 2}) as user:
        texts, sent = await aggregates(user)
        assert ids(texts) == [*sent[:2], sent[2], sent[2], sent[3], sent[3], *sent[4:]]
    async with faulty({"kind": "reorder", "event": 3}) as user:
        texts, sent = await aggregates(user)
        assert ids(texts) == [*sent[:2], sent[3], sent[2], *sent[4:]]
    async with faulty({"kind": "delay", "event": 3, "seconds": 10}) as user:
        texts, sent = await aggregates(user)
        got = ids(texts)
        assert sorted(got) == sent
        times = {json.loads(text)["a"]: json.loads(text)["T"] for text in texts}
        at = got.index(sent[2])
        assert times[got[at - 1]] <= times[sent[2]] + 10_050 <= times[got[at + 1]] + 100


async def test_corrupt_and_garbage() -> None:
    async with faulty({"kind": "corrupt", "event": 3}) as user:
        texts, sent = await aggregates(user)
        assert ids(texts) == sent
        assert json.loads(texts[2])["p"] == json.loads(texts[2])["q"] == "NaN"
        assert "NaN" not in texts[1] + texts[3]
    async with faulty({"kind": "garbage", "event": 3}) as user:
        texts, sent = await aggregates(user)
        with pytest.raises(json.JSONDecodeError):
            json.loads(texts.pop(2))
        assert ids(texts) == sent


@pytest.mark.parametrize(
    ("stream", "name"), [("depth", "btcusdt@depth@100ms"), ("kline", "btcusdt@kline_1m")]
)
async def test_other_streams_have_faults_of_their_own(stream: str, name: str) -> None:
    async def frames(*faults: dict[str, Any]) -> list[str]:
        async with faulty(*faults) as user, user.socket(f"/ws/{name}") as socket:
            await user.exchange.advance(200)
            await socket.ask("LIST_SUBSCRIPTIONS", key="drained")
            kept = socket.texts[:-1]
            return [text for text in kept if stream == "depth" or '"x":true' in text]

    whole = await frames()
    assert len(whole) >= 3
    assert await frames({"kind": "gap", "stream": stream, "event": 2}) == whole[:1] + whole[2:]


async def test_drop_breaks_the_oldest_listener_and_drop_all_everybody() -> None:
    async with (
        faulty({"kind": "drop", "event": 3}) as user,
        user.socket("/ws/btcusdt@aggTrade") as one,
        user.socket("/ws/btcusdt@aggTrade") as two,
    ):
        await user.exchange.advance(30)
        while await one.text() is not None:
            pass
        assert len(one.texts) == 2, "what came before the fault came whole"
        assert one.raw.close_code == 1006
        assert len(await two.drain()) == len(user.exchange.sent["spot", "BTCUSDT"].aggregates)
    async with (
        faulty({"kind": "drop_all", "frames": 5}) as user,
        user.socket("/ws/btcusdt@aggTrade") as one,
        user.socket("/market/ws/btcusdt@aggTrade") as two,
    ):
        await user.exchange.advance(30)
        for socket in (one, two):
            while await socket.text() is not None:
                pass
            assert socket.raw.close_code == 1006


async def test_a_stall_holds_frames_back() -> None:
    async with (
        faulty({"kind": "stall", "event": 3, "seconds": 0.3}) as user,
        user.socket("/ws/btcusdt@aggTrade") as socket,
    ):
        await user.exchange.advance(30)
        got = [(await socket.json())["a"] for _ in range(2)]
        started = asyncio.get_running_loop().time()
        got.append((await socket.json())["a"])
        assert asyncio.get_running_loop().time() - started > 0.2
        got += [frame["a"] for frame in await socket.drain()]
        sent = user.exchange.sent["spot", "BTCUSDT"].aggregates
        assert got == [row["a"] for row in sent]


async def test_a_restart_is_told_and_ends() -> None:
    async with (
        faulty({"kind": "restart", "event": 3, "seconds": 0.2}) as user,
        user.socket("/ws/btcusdt@aggTrade") as socket,
        user.socket("/ws-api/v3") as api,
    ):
        await user.exchange.advance(30)
        assert (await api.json())["event"]["e"] == "serverShutdown"
        assert await api.text() is None
        while await socket.text() is not None:
            pass
        assert "serverShutdown" in [json.loads(text)["e"] for text in socket.texts]
        refused = 0
        async with asyncio.timeout(5):
            while True:
                try:
                    await user.get("/api/v3/ping")
                    break
                except ClientConnectionError:
                    refused += 1
                    await asyncio.sleep(0.02)
        assert refused
        async with user.socket("/ws/btcusdt@aggTrade") as again:
            before = len(user.exchange.sent["spot", "BTCUSDT"].aggregates)
            await user.exchange.advance(30)
            sent = user.exchange.sent["spot", "BTCUSDT"].aggregates
            assert [f["a"] for f in await again.drain()] == [row["a"] for row in sent[before:]]


async def test_rest_is_refused_for_a_while() -> None:
    for kind, status in (("rate_limit", 429), ("ban", 418)):
        async with faulty({"kind": kind, "event": 1, "seconds": 0.4}) as user:
            assert (await user.call("GET", "/api/v3/ping"))[0] == 200
            await user.exchange.advance(30)
            url = user.exchange.url + "/fapi/v1/ping"
            async with user.http.get(url) as answer:
                assert answer.status == status
                assert answer.headers["Retry-After"] == "1"
                assert (await answer.json())["code"] == -1003
            async with asyncio.timeout(5):
                while (await user.call("GET", "/fapi/v1/ping"))[0] != 200:
                    pass


async def test_a_skewed_clock_refuses_calls_until_it_is_measured_again() -> None:
    async with faulty({"kind": "skew", "event": 1, "seconds": 30}) as user:
        await user.exchange.advance(30)
        venue = user.exchange.now_ms
        status, body = await user.signed("GET", "/api/v3/account", timestamp=venue)
        assert (status, body["code"]) == (400, -1021)
        told = (await user.get("/api/v3/time"))["serverTime"]
        assert told - venue == 30_000
        assert (await user.signed("GET", "/api/v3/account", timestamp=told))[0] == 200


@pytest.mark.parametrize("prefix", ["/api/v3", "/fapi/v1"])
async def test_an_answer_is_lost_once_and_the_order_is_not(prefix: str) -> None:
    order = {"type": "MARKET", "newClientOrderId": "mine"}
    async with faulty({"kind": "lost_answer", "event": 1}) as user:
        await user.exchange.advance(30)
        with pytest.raises(ServerDisconnectedError):
            await user.order(prefix, **order)
        status, found = await user.signed(
            "GET", f"{prefix}/order", symbol="BTCUSDT", origClientOrderId="mine"
        )
        assert (status, found["status"]) == (200, "FILLED")
        # The trap a client must not walk into: a filled order's id is taken again.
        again = await user.order(prefix, **order)
        assert again["orderId"] != found["orderId"]


async def test_an_answer_of_the_socket_api_is_lost_too() -> None:
    async with faulty({"kind": "lost_answer", "event": 1}) as user:
        await user.exchange.advance(30)
        async with user.socket("/ws-api/v3") as socket:
            params = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
            params |= {"apiKey": KEY, "timestamp": str(user.exchange.clock_ms)}
            text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
            params["signature"] = sign(text)
            await socket.raw.send_json({"id": 1, "method": "order.place", "params": params})
            assert await socket.text() is None
        _, mine = await user.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")
        assert mine


async def test_the_same_script_gives_the_same_frames() -> None:
    faults = [
        {"kind": "duplicate", "frames": 4},
        {"kind": "gap", "event": 9},
        {"kind": "reorder", "event": 12},
        {"kind": "corrupt", "event": 15},
    ]
    runs = []
    for _ in range(2):
        async with faulty(*faults) as user:
            runs.append((await aggregates(user, 60))[0])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) < len(runs[0])
