"""What the tests of python-deriv-api share: a server that is told its answers, and both clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from venues.base import FeedStats
from venues.deriv import DerivConfig
from venues.deriv.client import Connection
from venues.deriv.limits import Limiter
from venues.deriv.official import DerivAPI

Request = dict[str, Any]
Answer = Callable[[Request], "list[Any]"]


class Server:
    """Answers each request with the frames told; keeps what it got, as it was written."""

    def __init__(self, answer: Answer) -> None:
        self.got: list[str] = []
        self.url = ""
        self._answer = answer

    async def serve(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for frame in connection:
                self.got.append(str(frame))
                for reply in self._answer(json.loads(frame)):
                    if reply is None:
                        connection.transport.abort()
                        return
                    await connection.send(reply if isinstance(reply, str) else json.dumps(reply))

    @property
    def requests(self) -> list[Request]:
        return [json.loads(frame) for frame in self.got]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[Server]:
    made = Server(answer)
    async with serve(made.serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        made.url = f"ws://127.0.0.1:{port}"
        yield made


@asynccontextmanager
async def opened(url: str, **changed: Any) -> AsyncIterator[Connection]:
    limiter = Limiter()
    limiter.learned = True
    config = DerivConfig(endpoint=url, **({"timeout": 0.5, "backoff_first": 0.01} | changed))
    connection = await Connection.open(config, FeedStats(), limiter)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[Any]:
    """The library alone, over a connection of ours; what it leaves behind is swept away."""
    before = asyncio.all_tasks()
    socket = await connect(url, ping_interval=None)
    try:
        yield DerivAPI(connection=socket)
    finally:
        for _ in range(5):
            await asyncio.sleep(0)  # what it has begun must have started to be cancelled
        socket.transport.abort()
        left = asyncio.all_tasks() - before
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def reply(request: Request, kind: str = "time", **body: Any) -> Request:
    told = {"echo_req": request, "msg_type": kind, kind: 7, "req_id": request["req_id"]}
    return told | body


def stream(request: Request, kind: str = "tick", count: int = 3) -> list[Request]:
    named = {"subscription": {"id": "a" * 36}}
    return [reply(request, kind, **{kind: {"n": n}}, **named) for n in range(count)]


async def hangs(pending: Any) -> bool:
    try:
        async with asyncio.timeout(0.2):
            await pending
    except TimeoutError:
        return True
    return False
