"""One client's socket: outgoing frames in order, pings, and the limits a socket is held to."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Protocol

from aiohttp import WSMsgType, web

from venues.simulated.binance.config import Limits

__all__ = ["Client", "Connection"]

_POLICY = 1008
"""Close code of a socket that broke a limit."""


class Client(Protocol):
    """What a socket is used for."""

    def received(self, text: str) -> None:
        """Take a frame the client sent."""

    def closed(self) -> None:
        """Forget the socket."""


@dataclass(frozen=True)
class _Silence:
    """Holds back the frames queued behind it."""

    seconds: float


class Connection:
    """The server's side of one socket.

    Parameters
    ----------
    socket
        Prepared, with pings left to us.
    request
        That it came from.
    limits
        Pings, lifetime, backlog.
    messages
        How many it may send a second.
    """

    def __init__(
        self, socket: web.WebSocketResponse, request: web.Request, limits: Limits, messages: int
    ) -> None:
        self._socket, self._request, self._limits = socket, request, limits
        self._outgoing: asyncio.Queue[str | _Silence | None] = asyncio.Queue()
        self._messages: deque[float] = deque()
        self._most = messages
        self._answered = monotonic()

    async def run(self, client: Client) -> None:
        """Serve the client until it leaves, breaks a limit, is too old, or is cut off."""
        tasks = [asyncio.create_task(job) for job in (self._write(), self._ping())]
        try:
            async with asyncio.timeout(self._limits.lifetime):
                while await self._read(client):
                    pass
        except (TimeoutError, ConnectionError):
            pass
        finally:
            client.closed()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not self._socket.closed:
            await self._socket.close(code=_POLICY if self._over() else 1001)

    def send(self, text: str) -> None:
        """Queue a frame; a client too slow to take its frames is cut off."""
        if self._outgoing.qsize() >= self._limits.backlog:
            self.cut()
        else:
            self._outgoing.put_nowait(text)

    def mute(self, seconds: float) -> None:
        """After what was queued so far, send nothing for real ``seconds``; for ever if 0."""
        self._outgoing.put_nowait(_Silence(seconds))

    def cut(self) -> None:
        """Break the socket now, as a failing network does: no closing handshake."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def cut_in_order(self) -> None:
        """Break the socket once what was queued so far is out."""
        self._outgoing.put_nowait(None)

    async def _read(self, client: Client) -> bool:
        """Take one message; return whether more may come."""
        message = await self._socket.receive()
        if message.type not in (WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG):
            return False
        self._messages.append(monotonic())
        if self._over():
            return False
        if message.type is WSMsgType.TEXT:
            client.received(message.data)
        elif message.type is WSMsgType.PING:
            await self._socket.pong(message.data)
        else:
            self._answered = monotonic()
        return True

    def _over(self) -> bool:
        """Whether there came too many messages within a second."""
        while self._messages and self._messages[-1] - self._messages[0] >= 1.0:
            self._messages.popleft()
        return len(self._messages) > self._most

    async def _ping(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(self._limits.ping_seconds)
            number += 1
            if monotonic() - self._answered > self._limits.ping_seconds + self._limits.pong_seconds:
                self.cut()
                return
            try:
                await self._socket.ping(str(number).encode())
            except ConnectionError:
                return

    async def _write(self) -> None:
        while True:
            item = await self._outgoing.get()
            if isinstance(item, _Silence):
                await asyncio.sleep(item.seconds or inf)
            elif item is None:
                self.cut()
            else:
                try:
                    await self._socket.send_str(item)
                except ConnectionError:
                    return
