"""Where clients come in: the listening port, REST's answers, and the kinds of sockets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from venues.simulated.binance.calls import Call, Venue
from venues.simulated.binance.clients import Clients
from venues.simulated.binance.connection import Client, Connection
from venues.simulated.binance.limits import Connections, Weights
from venues.simulated.binance.publisher import Publisher
from venues.simulated.binance.refusal import Refusal
from venues.simulated.binance.rest import ROUTES, authorize, signed_part, weight_of
from venues.simulated.binance.socket_api import ApiClient
from venues.simulated.binance.subscriptions import StreamClient

__all__ = ["Door", "House"]

_SPOT = re.compile(r"^(?:/stream)?/(ws|stream)(?:/(.*))?$")
_USDM = re.compile(r"^/(public|market|private)/(ws|stream)(?:/(.*))?$")
_encode = msgspec.json.Encoder().encode


class House(Venue, Protocol):
    """What the door needs of the exchange behind it."""

    clients: Clients
    publisher: Publisher

    @property
    def lose_answer(self) -> bool:
        """Whether the answer to an order is to be lost; asking takes the fault away."""
        ...

    def catch_up(self) -> None:
        """Let everything happen that is due."""
        ...


class _Follower:
    """A socket of futures' events of an account; what it sends is ignored."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self.closed = leave

    def received(self, text: str) -> None:
        """Ignore."""


class Door:
    """The listening port of an exchange.

    Parameters
    ----------
    house
        The exchange.

    Attributes
    ----------
    port
        Where it listens; ``None`` before.
    opened
        How many sockets were let in.
    """

    def __init__(self, house: House) -> None:
        self.port: int | None = None
        self.opened = 0
        self._house = house
        limits = house.config.limits
        self._weights = {
            kind: Weights(limit, limits, monotonic, lambda: house.clock_ms)
            for kind, limit in (("spot", limits.spot_weight), ("usdm", limits.usdm_weight))
        }
        self._admission = Connections(limits.connections, monotonic)
        self._sockets: dict[Connection, bool] = {}
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    async def open(self, host: str, port: int) -> None:
        """Listen; raises :class:`OSError` where that can't be."""
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:(?:api|fapi)/.*}", self._rest)
        app.router.add_get("/{path:.*}", self._socket)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, host, port)
        await self._site.start()
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Break everything and stop listening."""
        if self._runner is not None:
            self._break()
            await asyncio.sleep(0)
            await self._runner.cleanup()
            self._runner = self._site = self.port = None

    def cut_all(self, in_order: bool = False) -> None:
        """Break every socket: now, or after what was queued so far."""
        for socket in list(self._sockets):
            if in_order:
                socket.cut_in_order()
            else:
                socket.cut()

    def mute_all(self, seconds: float) -> None:
        """Let the sockets of this moment fall silent."""
        for socket in self._sockets:
            socket.mute(seconds)

    def refuse_all(self, status: int, seconds: float) -> None:
        """Answer every call with 429 or 418 for a while."""
        for weights in self._weights.values():
            weights.refuse_all(status, seconds)

    async def restart(self, seconds: float) -> None:
        """Tell of a shutdown, break everything, and listen again after real ``seconds``."""
        event = {"e": "serverShutdown", "E": self._house.now_ms}
        for socket, wrapped in self._sockets.items():
            socket.send(_encode({"event": event} if wrapped else event).decode())
            socket.cut_in_order()
        site, self._site = self._site, None
        if site is None or self._runner is None or self.port is None:
            return  # another restart is under way
        await site.stop()
        await asyncio.sleep(0.02)
        self._break()
        await asyncio.sleep(seconds)
        host = self._house.config.host
        self._site = web.TCPSite(self._runner, host, self.port, reuse_address=True)
        await self._site.start()

    def call(self, params: dict[str, str], weight: int, address: str, signed: bool) -> Call:
        """Let a call of the WebSocket API in, or raise :class:`Refusal`."""
        self._house.catch_up()
        self._weights["spot"].count(address, weight)
        account = None
        if signed:
            rows = sorted((name, text) for name, text in params.items() if name != "signature")
            text = "&".join(f"{name}={value}" for name, value in rows)
            accounts = self._house.clients.accounts["spot"]
            account = authorize(self._house, accounts, params.get("apiKey", ""), params, text)
        return Call(self._house, "spot", params, account)

    @property
    def lose_answer(self) -> bool:
        """Whether the answer to an order is to be lost; asking takes the fault away."""
        return self._house.lose_answer

    async def _rest(self, request: web.Request) -> web.Response:
        kind = "usdm" if request.path.startswith("/fapi") else "spot"
        route = ROUTES.get((request.method, request.path))
        if route is None:
            return web.Response(status=404, text="<html><body><h2>404 Not found</h2></body></html>")
        body = (await request.read()).decode(errors="replace")
        text, params = signed_part(request.raw_path.partition("?")[2], body)
        self._house.catch_up()
        headers = {}
        try:
            used = self._weights[kind].count(request.remote or "", weight_of(route, params))
            headers["X-MBX-USED-WEIGHT-1M"] = str(used)
            account = None
            if route.access != "open":
                account = authorize(
                    self._house,
                    self._house.clients.accounts[kind],
                    request.headers.get("X-MBX-APIKEY", ""),
                    params,
                    text if route.access == "signed" else None,
                )
            answer = route.answer(Call(self._house, kind, params, account))
        except Refusal as refusal:
            return _answer(refusal.body, refusal.status, headers | refusal.headers)
        if route.order and self._house.lose_answer and request.transport is not None:
            request.transport.abort()
        return _answer(answer, 200, headers)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        limits = self._house.config.limits
        if not self._admission.admit(request.remote or ""):
            return web.Response(status=429, text="too many connections\n")
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1 << 20)
        if not socket.can_prepare(request):
            return web.Response(status=404, text="nothing here; see the exchange's paths\n")
        kind = "usdm" if _USDM.match(request.path) else "spot"
        connection = Connection(socket, request, limits, limits.messages(kind))
        client = self._client(request, connection)
        if client is None:
            return web.Response(status=404, text="nothing here; see the exchange's paths\n")
        await socket.prepare(request)
        self.opened += 1
        self._sockets[connection] = isinstance(client, ApiClient)
        try:
            await connection.run(client)
        finally:
            del self._sockets[connection]
        return socket

    def _client(self, request: web.Request, connection: Connection) -> Client | None:
        """Return what a path is for, with the streams it names; ``None`` where it is nothing."""
        path = request.path.rstrip("/")
        self._house.catch_up()
        if path == "/ws-api/v3":
            return ApiClient(self, connection, request.remote or "")
        spot, usdm = _SPOT.match(path), _USDM.match(path)
        if spot is not None:
            route, (shape, tail) = "", spot.groups()
        elif usdm is not None:
            route, shape, tail = usdm.groups()
        else:
            return None
        query, limits = parse_qs(request.query_string), self._house.config.limits
        names = [*(tail or "").split("/"), *query.get("streams", [""])[0].split("/")]
        # Clients number their sockets in the path: `/ws/0` has no stream of that name.
        names = [name for name in names if name and not name.isdecimal()]
        if route == "private":
            return self._follower(connection, shape, [*names, *query.get("listenKey", [])])
        client = StreamClient(
            self._house.publisher,
            connection,
            "spot" if spot is not None else "usdm",
            route,
            shape == "stream",
            limits.streams,
        )
        client.subscribe(names[: limits.streams])
        return client

    def _follower(self, connection: Connection, shape: str, keys: list[str]) -> Client:
        clients = self._house.clients

        def teller(key: str) -> Callable[[dict[str, Any]], None]:
            def tell(event: dict[str, Any]) -> None:
                body = {"stream": key, "data": event} if shape == "stream" else event
                connection.send(_encode(body).decode())

            return tell

        def leave() -> None:
            for key in keys:
                clients.leave(key, connection)

        for key in keys:
            clients.follow(key, connection, teller(key))
        return _Follower(leave)

    def _break(self) -> None:
        """Break every connection, those of REST too."""
        self.cut_all()
        server = None if self._runner is None else self._runner.server
        for handler in list(server.connections) if server is not None else []:
            if handler.transport is not None:
                handler.transport.abort()


def _answer(body: Any, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(
        body=_encode(body), status=status, headers=headers, content_type="application/json"
    )
