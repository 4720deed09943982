"""What Binance tells of an account as it happens, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from math import nan
from typing import Any

import aiohttp
import msgspec

from market.errors import DataError, VenueError, VenueRejected, VenueUnreachable
from market.orders import Fill, OrderStatus
from venues.base import FeedStats
from venues.binance.account import BinanceAccount
from venues.binance.answers import Listing
from venues.binance.codec import Moment, Size, Trouble, decode, nanoseconds
from venues.binance.orders import STATES, average, commission
from venues.retry import Retry

__all__ = ["Report", "UserStream"]

_API = {False: "wss://ws-api.binance.com:443", True: "wss://ws-api.testnet.binance.vision"}
_RENEW = 1_500.0
"""Seconds after which a listenKey, which lives for an hour, is renewed."""

_ENDS = frozenset({"eventStreamTerminated", "listenKeyExpired", "serverShutdown"})

_log = logging.getLogger(__name__)


class Report(msgspec.Struct, frozen=True):
    """A change of an order, by the venue's letters; spot and futures share them."""

    s: str
    c: str
    S: str
    x: str
    X: str
    i: int
    l: Size  # noqa: E741 (the venue's name)
    z: Size
    L: Size
    T: Moment
    t: int = -1
    n: float = 0.0
    N: str | None = None
    C: str = ""
    Z: float = nan
    ap: float = nan
    r: str = "NONE"

    @property
    def client_id(self) -> str:
        """Our id of the order; a cancel has one of its own."""
        return self.C or self.c

    def fill(self, order_id: str, listing: Listing) -> Fill | None:
        """Return the execution it tells, if it tells one."""
        # A liquidation is an execution like any other, by another name.
        if self.x not in ("TRADE", "CALCULATED") or self.l == 0.0:
            return None
        paid = commission(listing, self.n, self.N or listing.quote, self.L)
        units = self._signed(self.l)
        return Fill(order_id, self.s, nanoseconds(self.T), units, self.L, paid, str(self.t))

    def status(self, order_id: str, fee: float, tick: float = 0.0) -> OrderStatus:
        """Return where the order stands; ``tick`` is the price's, 0 if unknown."""
        known = STATES.get(self.X)
        if known is None:
            raise DataError(f"{self.s}: an order's state was {self.X!r:.40}")
        price = self.ap
        if price != price and self.z:
            price = average(self.Z, self.z, tick)
        return OrderStatus(
            order_id,
            self.s,
            nanoseconds(self.T),
            known,
            self._signed(self.z),
            price if self.z else nan,
            fee,
            str(self.i),
            "" if self.r == "NONE" else self.r[:200],
        )

    def _signed(self, units: float) -> float:
        if self.S not in ("BUY", "SELL"):
            raise DataError(f"{self.s}: side must be BUY or SELL, was {self.S!r:.20}")
        return units if self.S == "BUY" else -units


class _Event(msgspec.Struct, frozen=True):
    e: str = ""
    o: msgspec.Raw = msgspec.Raw(b"")


class _Frame(msgspec.Struct, frozen=True):
    event: msgspec.Raw = msgspec.Raw(b"")
    id: int | str | None = None
    error: Trouble | None = None
    status: int = 200


_REPORT = msgspec.json.Decoder(Report, strict=False)
_EVENT = msgspec.json.Decoder(_Event)
_TAGGED = msgspec.json.Decoder(dict[str, msgspec.Raw])
_FRAME = msgspec.json.Decoder(_Frame)


def decode_report(text: Any) -> Report | str:
    """Return the change of an order that an event tells, or the name of any other event."""
    names = decode(_TAGGED, text, "event")
    if "data" in names and "e" not in names:  # as a combined stream wraps it
        text = bytes(names["data"])
        names = decode(_TAGGED, text, "event")
    name = decode(_EVENT, msgspec.json.encode({"e": names.get("e", "")}), "event").e
    if name == "executionReport":
        return decode(_REPORT, text, "order report")
    if name == "ORDER_TRADE_UPDATE":
        return decode(_REPORT, bytes(names.get("o", b"")), "order report")
    return name


class UserStream:
    """The events of one account.

    Parameters
    ----------
    account
        Whose.
    stats
        What the connections went through.

    Attributes
    ----------
    connected
        Set while a connection is told the account's events.
    """

    def __init__(self, account: BinanceAccount, stats: FeedStats) -> None:
        self.stats = stats
        self.connected = asyncio.Event()
        self._account = account
        self._config = account.config
        self._closing = asyncio.Event()
        self._wire: aiohttp.ClientWebSocketResponse | None = None

    async def reports(
        self, retry: Retry, begin: Callable[[], Awaitable[None]]
    ) -> AsyncGenerator[Report | None, None]:
        """Yield ``None`` for each new connection, then what it tells; ends with :meth:`close`.

        ``begin`` is awaited before the first connection, again until it succeeds.

        Raises
        ------
        VenueRejected
            The venue will not tell, and asking again would not help.
        """
        begun = before = False
        while not self._closing.is_set():
            try:
                if not begun:
                    await begin()
                    begun = True
                async with self._connected() as wire:
                    self.stats.reconnects += before
                    before = True
                    yield None
                    if not wire.closed:  # else what was missed could not be asked for
                        retry.succeeded()
                    async for report in self._read(wire):
                        yield report
                raise VenueUnreachable("the connection of the account's events was lost")
            except (VenueError, DataError) as error:
                if self._closing.is_set():
                    return
                retry.failed(error)
            await retry.pause(self._closing)

    async def _read(self, wire: aiohttp.ClientWebSocketResponse) -> AsyncIterator[Report]:
        async for message in wire:
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            try:
                text: Any = message.data
                if self._config.market == "spot":
                    text = bytes(decode(_FRAME, text, "frame").event) or b"{}"
                report = decode_report(text)
            except DataError as error:
                _log.warning("%s", error)
                self.stats.refuse(error.reason)
                # What it told is unknown: a new connection asks for it.
                return
            if isinstance(report, Report):
                yield report
            elif report in _ENDS:
                return

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a connection that is told the account's events."""
        spot, config = self._config.market == "spot", self._config
        if spot:
            await self._account.measure()
            url = f"{config.stream or _API[config.testnet]}/ws-api/v3"
        else:
            url = config.stream_url("public").removesuffix("/public/stream")
            url += f"/private/ws/{await self._account.listen_key()}"
        limits = self._account.rest.limits
        limits.check()
        await limits.connections.take()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
            try:
                async with asyncio.timeout(config.connect_timeout):
                    wire = await session.ws_connect(url, heartbeat=config.stale_after)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                # The address of the futures' stream is a secret.
                raise VenueUnreachable(
                    f"the account's events: no connection ({type(error).__name__})"
                ) from None
            self._wire = wire
            renewing = None if spot else asyncio.create_task(self._renew(wire))
            try:
                if spot:
                    await self._subscribe(wire)
                self.connected.set()
                yield wire
            finally:
                self.connected.clear()
                if renewing is not None:
                    renewing.cancel()
                    with suppress(asyncio.CancelledError):
                        await renewing
                self._wire = None
                await wire.close()

    async def _subscribe(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        asked = {
            "id": 1,
            "method": "userDataStream.subscribe.signature",
            "params": self._account.signer.params({}),
        }
        try:
            await wire.send_json(asked)
            async with asyncio.timeout(self._config.timeout):
                message = await wire.receive()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise VenueUnreachable(
                f"the account's events: no answer ({type(error).__name__})"
            ) from None
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise VenueUnreachable("the account's events: the connection was closed")
        told = decode(_FRAME, message.data, "subscription")
        if told.error is not None:
            raise VenueRejected(str(told.error.code), told.error.msg[:200])
        if told.id != 1 or told.status != 200:
            raise DataError("subscription: must be answered before anything is told")

    async def _renew(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        """Keep the listenKey alive; where that fails, let a new connection have a new one."""
        while True:
            await asyncio.sleep(_RENEW)
            try:
                await self._account.listen_key("PUT")
            except (VenueError, DataError) as error:
                _log.warning("the listenKey could not be renewed: %s", error)
                await wire.close()
                return

    async def close(self) -> None:
        """Let go of the connection and end :meth:`reports`; a second call does nothing."""
        self._closing.set()
        await self.drop()

    async def drop(self) -> None:
        """Give up the connection; :meth:`reports` makes a new one."""
        if self._wire is not None:
            await self._wire.close()
