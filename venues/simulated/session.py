"""One client's connection: its requests, its subscriptions, its outgoing frames in order."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from venues.simulated import answers, history
from venues.simulated.calls import Refusal, call_of, check
from venues.simulated.config import ExchangeConfig
from venues.simulated.record import Record

__all__ = ["Host", "Session", "Subscription"]

_FREE = frozenset({"ping", "time"})
_encode = msgspec.json.Encoder().encode


class Host(Protocol):
    """What a session needs of the exchange it belongs to."""

    config: ExchangeConfig
    records: dict[str, Record]

    @property
    def now(self) -> float:
        """Venue time, epoch seconds."""
        ...


@dataclass(frozen=True)
class Subscription:
    """A stream a client asked for.

    Parameters
    ----------
    id
        Given to the client, who may ``forget`` it.
    kind
        ``ticks``, ``candles``, ``balance`` or ``website_status``.
    symbol
        Of the first two; else empty.
    length
        Seconds of a candle; 0 for ticks.
    envelope
        What every frame of the stream carries besides its body.
    """

    id: str
    kind: str
    symbol: str
    length: int
    envelope: Mapping[str, Any]


class Session:
    """The server's side of one connection.

    Parameters
    ----------
    host
        The exchange.
    connection
        The open socket.
    clock
        Monotonic real seconds: rate limits and stalls are about the network, not the market.
    """

    def __init__(
        self, host: Host, connection: ServerConnection, clock: Callable[[], float]
    ) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self._host = host
        self._connection = connection
        self._clock = clock
        self._frames: asyncio.Queue[str] = asyncio.Queue()
        self._speaks = asyncio.Event()
        self._speaks.set()
        self._calls: deque[float] = deque()
        self._account: dict[str, Any] | None = None

    async def run(self) -> None:
        """Serve the client until it leaves, is idle too long, or is cut off."""
        writer = asyncio.create_task(self._write())
        try:
            while True:
                async with asyncio.timeout(self._host.config.idle_seconds):
                    frame = await self._connection.recv()
                self._answer(frame)
        except (ConnectionClosed, TimeoutError):
            pass
        finally:
            self.subscriptions.clear()
            writer.cancel()

    def cut(self) -> None:
        """Break the connection as a failing network does: no closing handshake."""
        self.subscriptions.clear()
        self._connection.transport.abort()

    def mute(self, seconds: float) -> None:
        """Hold every frame back for real ``seconds``; for ever if 0."""
        self._speaks.clear()
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._speaks.set)

    def stream(self, symbol: str, i: int) -> int:
        """Send tick ``i`` of ``symbol`` on every stream that wants it; return how many did."""
        sent = 0
        for subscription in list(self.subscriptions.values()):
            if subscription.symbol == symbol:
                self._emit(subscription, i)
                sent += 1
        return sent

    def listens(self, symbol: str) -> bool:
        """Whether a stream of ``symbol`` is open."""
        return any(made.symbol == symbol for made in self.subscriptions.values())

    def send_text(self, frame: str) -> None:
        """Queue a raw frame; a client too slow to take its frames is cut off."""
        if self._frames.qsize() >= self._host.config.backlog:
            self.cut()
        else:
            self._frames.put_nowait(frame)

    async def _write(self) -> None:
        try:
            while True:
                frame = await self._frames.get()
                await self._speaks.wait()
                await self._connection.send(frame)
        except ConnectionClosed:
            return

    def _answer(self, frame: str | bytes) -> None:
        """Answer one request; everything it causes is queued before this returns."""
        try:
            request = msgspec.json.decode(frame)
        except msgspec.DecodeError:
            request = None
        if not isinstance(request, dict):
            self._send({"echo_req": {}, "msg_type": "error"}, error=_error("BadRequest"))
            return
        call = ""
        try:
            call = call_of(request)
            self._count(call)
            check(call, request)
            getattr(self, f"_on_{call}")(request)
        except Refusal as refusal:
            error = _error(refusal.code, refusal.message, refusal.details)
            self._send(_envelope(request, call or "error"), error=error)

    def _send(self, envelope: Mapping[str, Any], **body: Any) -> None:
        self.send_text(_encode({**envelope, **body}).decode())

    def _reply(self, request: dict[str, Any], msg_type: str, body: Any) -> None:
        self._send(_envelope(request, msg_type), **{msg_type: body})

    def _count(self, call: str) -> None:
        if call in _FREE:
            return
        now = self._clock()
        while self._calls and now - self._calls[0] >= 60.0:
            self._calls.popleft()
        if len(self._calls) >= self._host.config.calls_per_minute:
            raise Refusal("RateLimit", f"You have reached the rate limit for {call}.")
        self._calls.append(now)

    def _record(self, symbol: str) -> Record:
        try:
            return self._host.records[symbol]
        except KeyError:
            raise Refusal("InvalidSymbol", f"Symbol {symbol} is invalid.") from None

    def _subscribe(
        self, request: dict[str, Any], msg_type: str, symbol: str = "", length: int = 0
    ) -> Subscription:
        kind = {"tick": "ticks", "ohlc": "candles"}.get(msg_type, msg_type)
        for other in self.subscriptions.values():
            if (other.kind, other.symbol, other.length) == (kind, symbol, length):
                raise Refusal(
                    "AlreadySubscribed", f"You are already subscribed to {symbol or kind}."
                )
        key = str(uuid.uuid4())
        envelope = {**_envelope(request, msg_type), "subscription": {"id": key}}
        made = Subscription(key, kind, symbol, length, envelope)
        self.subscriptions[key] = made
        return made

    def _emit(self, subscription: Subscription, i: int) -> None:
        record = self._host.records[subscription.symbol]
        if subscription.kind == "ticks":
            body = answers.tick(record, i) | {"id": subscription.id}
            self._send(subscription.envelope, tick=body)
        else:
            candle = history.last_candle(record, subscription.length)
            body = answers.ohlc(record, candle, subscription.length) | {"id": subscription.id}
            self._send(subscription.envelope, ohlc=body)

    def _on_ping(self, request: dict[str, Any]) -> None:
        self._reply(request, "ping", "pong")

    def _on_time(self, request: dict[str, Any]) -> None:
        self._reply(request, "time", int(self._host.now))

    def _on_website_status(self, request: dict[str, Any]) -> None:
        body = answers.website_status(self._host.config.calls_per_minute)
        self._first(request, "website_status", body)

    def _on_active_symbols(self, request: dict[str, Any]) -> None:
        full = request["active_symbols"] == "full"
        records = self._host.records.values()
        body = [answers.active_symbol(record, k, full) for k, record in enumerate(records)]
        self._reply(request, "active_symbols", body)

    def _on_contracts_for(self, request: dict[str, Any]) -> None:
        self._reply(
            request, "contracts_for", answers.contracts(self._record(request["contracts_for"]))
        )

    def _on_ticks(self, request: dict[str, Any]) -> None:
        """Stream from the last tick on; the venue streams even where ``subscribe`` is left out."""
        asked = request["ticks"]
        symbols = asked if isinstance(asked, list) else [asked]
        records = [self._record(symbol) for symbol in symbols]
        for record in records:
            subscription = self._subscribe(request, "tick", record.symbol)
            if record.latest() >= 0:
                self._emit(subscription, record.latest())

    def _on_ticks_history(self, request: dict[str, Any]) -> None:
        record = self._record(request["ticks_history"])
        if record.latest() < 0:
            raise Refusal("NoRealtimeQuotes", f"No quotes of {record.symbol} yet.")
        style = request.get("style", "candles" if "granularity" in request else "ticks")
        if style == "ticks":
            name, stream, length = "history", "tick", 0
            body: Any = history.ticks(record, request)
        else:
            name, stream, length = "candles", "ohlc", int(request.get("granularity", 60))
            body = history.candles(record, request)
        extra: dict[str, Any] = {"pip_size": record.index.decimals}
        if "subscribe" in request:
            made = self._subscribe(request, stream, record.symbol, length)
            extra["subscription"] = {"id": made.id}
        self._send(_envelope(request, name), **{name: body}, **extra)

    def _on_forget(self, request: dict[str, Any]) -> None:
        known = self.subscriptions.pop(request["forget"], None)
        self._reply(request, "forget", int(known is not None))

    def _on_forget_all(self, request: dict[str, Any]) -> None:
        asked = request["forget_all"]
        kinds = asked if isinstance(asked, list) else [asked]
        ids = [key for key, made in self.subscriptions.items() if made.kind in kinds]
        for key in ids:
            del self.subscriptions[key]
        self._reply(request, "forget_all", ids)

    def _on_authorize(self, request: dict[str, Any]) -> None:
        token = request["authorize"]
        request = request | {"authorize": "<not shown>"}
        if "tokens" in request:
            request["tokens"] = ["<not shown>"]
        if token in self._host.config.refused_tokens:
            error = _error("InvalidToken", "The token is invalid.")
            self._send(_envelope(request, "authorize"), error=error)
            return
        self._account = answers.account(token, self._host.config.start_epoch)
        self._reply(request, "authorize", self._account)

    def _on_balance(self, request: dict[str, Any]) -> None:
        if self._account is None:
            raise Refusal("AuthorizationRequired", "Please log in.")
        body = {name: self._account[name] for name in ("balance", "currency", "loginid")}
        self._first(request, "balance", body)

    def _first(self, request: dict[str, Any], call: str, body: dict[str, Any]) -> None:
        """Answer a call whose stream, if one is asked for, starts with the answer."""
        if not request.get("subscribe"):
            self._reply(request, call, body)
            return
        made = self._subscribe(request, call)
        if call == "balance":
            body = body | {"id": made.id}
        self._send(made.envelope, **{call: body})


def _envelope(request: Mapping[str, Any], msg_type: str) -> dict[str, Any]:
    """Return what every answer carries: the request as understood, its id and its passthrough."""
    envelope = {"echo_req": request, "msg_type": msg_type}
    return envelope | {key: request[key] for key in ("req_id", "passthrough") if key in request}


def _error(
    code: str, message: str = "Not a JSON object.", details: dict[str, str] | None = None
) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    return error | ({"details": details} if details else {})
