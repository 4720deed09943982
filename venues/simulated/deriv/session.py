"""One client's connection: its subscriptions, its limits, its outgoing frames in order."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from venues.simulated.deriv import answers, history
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.config import DerivExchangeConfig
from venues.simulated.deriv.corrupt import corrupted
from venues.simulated.deriv.dialect import Dialect
from venues.simulated.deriv.fault import Corruption
from venues.simulated.deriv.ledger import Account, Transaction
from venues.simulated.deriv.limits import FREE, Limits
from venues.simulated.deriv.record import Record
from venues.simulated.deriv.trading import Trading

__all__ = ["Host", "Session", "Subscription", "envelope"]

_OF_AN_ACCOUNT = frozenset({"balance", "proposal_open_contract", "transaction"})
_encode = msgspec.json.Encoder().encode


class Host(Protocol):
    """What a session needs of the exchange it belongs to."""

    config: DerivExchangeConfig
    records: dict[str, Record]
    trading: Trading

    @property
    def now(self) -> float:
        """Venue time, epoch seconds."""
        ...

    @property
    def told_time(self) -> float:
        """What the venue says its time is."""
        ...

    def catch_up(self) -> float:
        """Publish what is due, and return venue time: when a request meets the market."""
        ...

    def refuses_call(self) -> bool:
        """Whether the next call is to be answered ``RateLimit``, however few there were."""
        ...

    def loses_answer(self) -> bool:
        """Whether what is executed now is to go unanswered, and its connection to break."""
        ...


@dataclass(frozen=True)
class Subscription:
    """A stream a client asked for.

    Parameters
    ----------
    id
        Given to the client, who may ``forget`` it.
    kind
        ``ticks``, ``candles``, ``balance``, ``proposal``... as ``forget_all`` calls it.
    symbol
        Of the first two; else empty.
    length
        Seconds of a candle; 0 for ticks.
    envelope
        What every frame of the stream carries besides its body.
    subject
        What the stream is about besides: a contract's id, or what a price is asked for.
    """

    id: str
    kind: str
    symbol: str
    length: int
    envelope: Mapping[str, Any]
    subject: object = None


@dataclass(frozen=True)
class _Silence:
    """Holds back the frames queued behind it."""

    seconds: float


class Session:
    """The server's side of one connection.

    Parameters
    ----------
    host
        The exchange.
    connection
        The open socket.
    number
        Which connection of the exchange this is; its subscriptions' ids follow from it.
    clock
        Monotonic real seconds: rate limits and stalls are about the network, not the market.
    answer
        Called with the session and each frame received; it queues all that the frame causes
        before it returns, so that no tick slips between a history and its stream.
    told
        Called with the session and each transaction of the account it uses.
    dialect
        What the client speaks.

    Attributes
    ----------
    account
        The one in use; ``None`` before ``authorize``.
    moment
        Venue time of the request in hand: every tick up to then is published, none after.
    prices
        By proposal id, what a price was quoted for.
    quoted
        How many prices were, other than by streams.
    """

    def __init__(
        self,
        host: Host,
        connection: ServerConnection,
        number: int,
        clock: Callable[[], float],
        answer: Callable[[Session, str | bytes], None],
        told: Callable[[Session, Transaction], None],
        dialect: Dialect,
    ) -> None:
        self.host = host
        self.dialect = dialect
        self.subscriptions: dict[str, Subscription] = {}
        self.account: Account | None = None
        self.moment = host.now
        self.prices: dict[str, Mapping[str, Any]] = {}
        self.quoted = 0
        self.number = number
        self._connection = connection
        self._made = 0
        self._answer = answer
        self._told = told
        self._outgoing: asyncio.Queue[str | _Silence | None] = asyncio.Queue()
        self._limits = Limits(dialect.rates, clock)

    async def run(self) -> None:
        """Serve the client until it leaves, is idle too long, or is cut off."""
        writer = asyncio.create_task(self._write())
        try:
            while True:
                async with asyncio.timeout(self.host.config.idle_seconds):
                    frame = await self._connection.recv()
                self._answer(self, frame)
        except (ConnectionClosed, TimeoutError):
            pass
        finally:
            self.leave()
            self.subscriptions.clear()
            writer.cancel()

    def enter(self, account: Account) -> None:
        """Use ``account`` from now on, and hear of its transactions; the one before is left."""
        if account is not self.account:
            self.leave()
            self.account = account
            account.followers.append(self._hear)

    def leave(self) -> None:
        """Let go of the account in use, and of the streams of it."""
        if self.account is not None:
            self.account.followers.remove(self._hear)
            self.account = None
        for key in [k for k, made in self.subscriptions.items() if made.kind in _OF_AN_ACCOUNT]:
            del self.subscriptions[key]

    def _hear(self, transaction: Transaction) -> None:
        self._told(self, transaction)

    def cut(self) -> None:
        """Break the connection now, as a failing network does: no closing handshake."""
        self.subscriptions.clear()
        self._connection.transport.abort()

    def cut_in_order(self) -> None:
        """Break the connection once what was queued so far is out, and queue nothing more."""
        self.subscriptions.clear()
        self._outgoing.put_nowait(None)

    def mute(self, seconds: float) -> None:
        """After what was queued so far, send nothing for real ``seconds``; for ever if 0."""
        self._outgoing.put_nowait(_Silence(seconds))

    def listens(self, symbol: str) -> bool:
        """Whether a stream of ``symbol``'s ticks or candles is open."""
        return bool(self.streams(symbol))

    def streams(self, symbol: str) -> list[Subscription]:
        """Return the open streams of ``symbol``'s ticks and candles."""
        made = self.subscriptions.values()
        return [one for one in made if one.symbol == symbol and one.kind in ("ticks", "candles")]

    def emit(self, stream: Subscription, i: int, wrong: Corruption | None = None) -> None:
        """Send tick ``i``, or the candle it is in, on one stream; wrong if so asked."""
        record = self.host.records[stream.symbol]
        if stream.kind == "ticks":
            name, body = "tick", answers.tick(record, i)
        else:
            candle = history.candle_of(record, i, stream.length)
            name, body = "ohlc", answers.ohlc(record, i, candle, stream.length)
        body["id"] = stream.id
        if wrong is None:
            self.send(stream.envelope, **{name: body})
        else:
            # Unlike msgspec, json writes a NaN as such.
            frame = {**stream.envelope, name: corrupted(body, wrong)}
            self.send_text(json.dumps(self.dialect.frame(frame)))

    def send(self, envelope: Mapping[str, Any], **body: Any) -> None:
        """Queue a frame, given in v3's shape."""
        self.send_text(_encode(self.dialect.frame({**envelope, **body})).decode())

    def send_text(self, frame: str) -> None:
        """Queue a raw frame; a client too slow to take its frames is cut off."""
        if self._outgoing.qsize() >= self.host.config.backlog:
            self.cut()
        else:
            self._outgoing.put_nowait(frame)

    def count(self, call: str) -> None:
        """Count a call; raises :class:`Refusal` above a limit, or where a fault says so."""
        if call not in FREE and self.host.refuses_call():
            raise Refusal("RateLimit", f"You have reached the rate limit for {call}.")
        self._limits.count(call)

    def subscribe(
        self,
        request: dict[str, Any],
        msg_type: str,
        symbol: str = "",
        length: int = 0,
        subject: object = None,
    ) -> Subscription:
        """Open a stream of ``msg_type`` frames; raises :class:`Refusal` if it is open already."""
        kind = {"tick": "ticks", "ohlc": "candles"}.get(msg_type, msg_type)
        asked = (kind, symbol, length, subject)
        for other in self.subscriptions.values():
            if (other.kind, other.symbol, other.length, other.subject) == asked:
                text = f"You are already subscribed to {symbol or kind}."
                raise Refusal("AlreadySubscribed", text)
        self.need_room()
        self._made += 1
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.number}/{self._made}"))
        carried = {**envelope(request, msg_type), "subscription": {"id": key}}
        made = Subscription(key, kind, symbol, length, carried, subject)
        self.subscriptions[key] = made
        return made

    def need_room(self) -> None:
        """Raise :class:`Refusal` where the connection may have no more streams."""
        if len(self.subscriptions) >= self.dialect.subscriptions:
            text = f"You may have {self.dialect.subscriptions:.0f} subscriptions."
            raise Refusal("RateLimit", text)

    async def _write(self) -> None:
        try:
            while True:
                item = await self._outgoing.get()
                if isinstance(item, str):
                    await self._connection.send(item)
                elif item is None:
                    self.cut()
                else:
                    await asyncio.sleep(item.seconds or inf)
        except ConnectionClosed:
            return


def envelope(request: Mapping[str, Any], msg_type: str) -> dict[str, Any]:
    """Return what every answer carries: the request as understood, its id and its passthrough."""
    carried = {"echo_req": request, "msg_type": msg_type}
    return carried | {key: request[key] for key in ("req_id", "passthrough") if key in request}
