"""A bare client of the bundled exchange, for tests of the protocol itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from market.events import SECOND
from venues.simulated.deriv.config import DerivExchangeConfig
from venues.simulated.deriv.exchange import PATH, DerivExchange

SYMBOLS = ("R_75", "BOOM500", "1HZ75V")


def config(**changed: Any) -> DerivExchangeConfig:
    """A quiet exchange whose clock only the test moves."""
    settled: dict[str, Any] = {
        "port": 0,
        "speed": 0.0,
        "symbols": SYMBOLS,
        "history_seconds": 20_000,
    }
    return DerivExchangeConfig(**settled | changed)


class Client:
    """A bare client that checks what every frame must carry."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._id = 0

    async def next(self) -> dict[str, Any]:
        frame = json.loads(await asyncio.wait_for(self.socket.recv(), 5))
        assert {"echo_req", "msg_type"} <= frame.keys()
        return dict(frame)

    async def call(self, **request: Any) -> dict[str, Any]:
        self._id += 1
        request["req_id"] = self._id
        await self.socket.send(json.dumps(request))
        frame = await self.next()
        assert frame["req_id"] == self._id
        if "authorize" not in request:
            assert frame["echo_req"] == request
        return frame

    async def ticks(self, n: int) -> list[tuple[int, float]]:
        frames = [await self.next() for _ in range(n)]
        return [(frame["tick"]["epoch"], frame["tick"]["quote"]) for frame in frames]

    async def quiet(self) -> bool:
        """Whether nothing more is on its way: a ping is answered first."""
        return bool((await self.call(ping=1))["msg_type"] == "ping")


@asynccontextmanager
async def client(exchange: DerivExchange) -> AsyncIterator[Client]:
    # Unread frames must not hold up the closing handshake, so the client reads on regardless.
    async with connect(f"{exchange.url}{PATH}?app_id=1089", max_queue=None) as socket:
        yield Client(socket)


def sent(exchange: DerivExchange, symbol: str) -> list[tuple[int, float]]:
    tape = exchange.sent[symbol]
    return list(zip((tape.times // SECOND).tolist(), tape.close.tolist(), strict=True))
