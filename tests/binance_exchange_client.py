"""A bare client of the bundled Binance for its tests: REST, signatures, sockets."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from venues.simulated.binance import BinanceExchange, BinanceExchangeConfig

KEY, SECRET = "test-key", "test-secret"
PREFIX = {"spot": "/api/v3", "usdm": "/fapi/v1"}
BOTH = pytest.mark.parametrize("kind", ["spot", "usdm"])


def config(**settings: Any) -> BinanceExchangeConfig:
    """A still exchange on a free port with an hour of past."""
    settings = {"port": 0, "speed": 0.0, "history_seconds": 3600, **settings}
    return BinanceExchangeConfig.model_validate(settings)


def path(kind: str, *streams: str) -> str:
    """Of one combined socket; futures' streams of the public route."""
    return ("/stream" if kind == "spot" else "/public/stream") + "?streams=" + "/".join(streams)


def sign(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


class Socket:
    """A WebSocket that keeps what it received."""

    def __init__(self, raw: ClientWebSocketResponse) -> None:
        self.raw = raw
        self.texts: list[str] = []

    async def text(self) -> str | None:
        """The next frame; ``None`` once the socket is closed."""
        async with asyncio.timeout(10):
            message = await self.raw.receive()
        if message.type is not WSMsgType.TEXT:
            return None
        self.texts.append(message.data)
        return str(message.data)

    async def json(self) -> Any:
        text = await self.text()
        assert text is not None, "the socket is closed"
        return json.loads(text)

    async def ask(self, method: str, params: Any = None, key: Any = 7) -> list[Any]:
        """Send a control message; return the frames up to its answer, the answer last."""
        await self.raw.send_json({"method": method, "id": key, "params": params or []})
        frames = []
        while True:
            frames.append(await self.json())
            if frames[-1].get("id") == key:
                return frames

    async def drain(self) -> list[Any]:
        """All frames that were sent before now."""
        return (await self.ask("LIST_SUBSCRIPTIONS", key="drained"))[:-1]


class Client:
    """Calls of one client."""

    def __init__(self, exchange: BinanceExchange, http: ClientSession) -> None:
        self.exchange, self.http = exchange, http

    async def call(self, method: str, path: str, **params: Any) -> tuple[int, Any]:
        async with self.http.request(method, self.exchange.url + path, params=params) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str, **params: Any) -> Any:
        status, body = await self.call("GET", path, **params)
        assert status == 200, body
        return body

    async def signed(self, method: str, path: str, **params: Any) -> tuple[int, Any]:
        params.setdefault("timestamp", self.exchange.clock_ms)
        query = urlencode(params)
        url = f"{self.exchange.url}{path}?{query}&signature={sign(query)}"
        async with self.http.request(method, url, headers={"X-MBX-APIKEY": KEY}) as answer:
            return answer.status, await answer.json()

    async def order(self, prefix: str = "/api/v3", **params: Any) -> Any:
        defaults = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01"}
        params = {**defaults, **params}
        if params["type"] == "LIMIT":
            params.setdefault("timeInForce", "GTC")
        status, body = await self.signed("POST", f"{prefix}/order", **params)
        assert status == 200, body
        return body

    async def refused(self, prefix: str = "/api/v3", **params: Any) -> int:
        defaults = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01"}
        params = {k: v for k, v in {**defaults, **params}.items() if v is not None}
        status, body = await self.signed("POST", f"{prefix}/order", **params)
        assert status == 400, body
        return int(body["code"])

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[Socket]:
        async with self.http.ws_connect(self.exchange.url + path) as raw:
            yield Socket(raw)


@asynccontextmanager
async def client(exchange: BinanceExchange) -> AsyncIterator[Client]:
    async with ClientSession() as http:
        yield Client(exchange, http)
