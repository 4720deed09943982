"""One connection to Binance's combined streams: it gives frames, or it is lost.

It is not mended: :mod:`venues.binance.line` makes a new one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from time import monotonic
from typing import NamedTuple

import aiohttp
import msgspec

from market.errors import ConfigError, DataError, VenueError, VenueRejected, VenueUnreachable
from venues.base import FeedStats
from venues.binance.codec import Frame, decode_frame
from venues.binance.config import BinanceConfig, Route
from venues.binance.limits import Limits, Pace

__all__ = ["Arrival", "Socket"]

_TEXT = aiohttp.WSMsgType.TEXT
_BINARY = aiohttp.WSMsgType.BINARY

_log = logging.getLogger(__name__)


class Arrival(NamedTuple):
    """An event of a stream, not read yet, and when it came: nanoseconds of our clock."""

    stream: str
    data: msgspec.Raw
    receipt: int


class Socket:
    """An open connection; make it with :meth:`open`, inside the loop that uses it.

    The venue's pings are answered as they come, with what they carry.

    Parameters
    ----------
    session, wire
        The connection; both are closed with this.
    config
        Time limits.
    stats
        Of whoever reads it: frames that are none of Binance's are refused there.
    clock
        Nanoseconds, for the times of receipt.

    Attributes
    ----------
    ending
        Whether the venue has said that it will end this connection soon.
    agreed_at, lost_at
        Monotonic real seconds of the last subscription that was agreed to, and of when the
        connection was lost; infinite before.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        wire: aiohttp.ClientWebSocketResponse,
        config: BinanceConfig,
        stats: FeedStats,
        clock: Callable[[], int],
    ) -> None:
        self.ending = False
        self.agreed_at = self.lost_at = inf
        self._session = session
        self._wire = wire
        self._config = config
        self._stats = stats
        self._clock = clock
        self._pace = Pace(config.messages, 1.0)
        self._frames: asyncio.Queue[Arrival | None] = asyncio.Queue()
        self._calls: dict[int, asyncio.Future[Frame]] = {}
        self._calls_made = 0
        self._streams: set[str] = set()
        self._lost: VenueError | None = None
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(
        cls,
        config: BinanceConfig,
        route: Route,
        limits: Limits,
        stats: FeedStats,
        clock: Callable[[], int],
    ) -> Socket:
        """Connect, when the limits allow it.

        Raises
        ------
        VenueError
            The venue can't be reached, or refuses; also while we are banned.
        """
        limits.check()
        await limits.connections.take()
        # No limit on the whole: a connection lives for a day.
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        try:
            async with asyncio.timeout(config.connect_timeout):
                wire = await session.ws_connect(config.stream_url(route))
        except BaseException as error:
            await session.close()
            if isinstance(error, aiohttp.WSServerHandshakeError):
                limits.answered(error.status, error.headers or {})
                if error.status in (418, 429):
                    raise VenueRejected(str(error.status), "no new connection now") from None
            if isinstance(error, aiohttp.ClientError | TimeoutError | OSError):
                status = getattr(error, "status", None)
                name = type(error).__name__ if status is None else f"status {status}"
                where = config.stream_url(route)
                raise VenueUnreachable(
                    f"no connection to Binance's streams at {where} ({name}); is the address "
                    "right, and the venue up?"
                ) from None
            raise
        return cls(session, wire, config, stats, clock)

    @property
    def waiting(self) -> bool:
        """Whether something has come that was not taken yet."""
        return not self._frames.empty()

    async def subscribe(self, streams: Sequence[str]) -> None:
        """Ask for streams, and wait until the venue has agreed.

        Raises
        ------
        VenueError
            It refuses, doesn't answer, or the connection is lost.
        ConfigError
            One connection may not carry so many.
        """
        if len(self._streams | set(streams)) > self._config.streams:
            raise ConfigError(
                f"one connection must not carry more than {self._config.streams} streams",
                key="streams",
            )
        await self._call("SUBSCRIBE", streams)
        self.agreed_at = monotonic()
        self._streams.update(streams)

    async def unsubscribe(self, streams: Sequence[str]) -> None:
        """Ask for streams no longer; raises as :meth:`subscribe`."""
        await self._call("UNSUBSCRIBE", streams)
        self._streams.difference_update(streams)

    async def next(self, patience: float) -> Arrival | None:
        """Return the next event; ``None`` after :meth:`wake`.

        What came before the connection was lost is still given out first.

        Raises
        ------
        TimeoutError
            None came within ``patience`` real seconds.
        VenueError
            The connection is lost.
        """
        if self._frames.empty():
            if self._lost is not None:
                raise self._lost
            async with asyncio.timeout(patience):
                arrival = await self._frames.get()
        else:
            arrival = self._frames.get_nowait()
        if arrival is None and self._lost is not None and self._frames.empty():
            raise self._lost
        return arrival

    def wake(self, _: object = None) -> None:
        """Let :meth:`next` return without an event."""
        self._frames.put_nowait(None)

    async def close(self) -> None:
        """Close the connection; a second call does nothing."""
        self._fail(VenueUnreachable("connection closed"))
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._wire.close()
        await self._session.close()

    async def _call(self, method: str, streams: Sequence[str]) -> None:
        await self._pace.take()
        if self._lost is not None:
            raise self._lost
        self._calls_made += 1
        number = self._calls_made
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        try:
            async with asyncio.timeout(self._config.timeout):
                await self._wire.send_json(
                    {"method": method, "params": list(streams), "id": number}
                )
                frame = await answer
        except TimeoutError:
            raise VenueUnreachable(f"no answer to {method} in {self._config.timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(type(error).__name__) from None
        finally:
            self._calls.pop(number, None)
        if frame.trouble is not None:
            raise VenueRejected(str(frame.trouble.code), frame.trouble.msg[:200])

    async def _read(self) -> None:
        """Read until the connection is lost."""
        try:
            async for message in self._wire:
                self._stats.receipt = monotonic()
                if message.type in (_TEXT, _BINARY):
                    self._take(message.data)
                    if self._lost is not None:
                        return
            reason = f"code {self._wire.close_code}"
        except (aiohttp.ClientError, OSError) as error:
            reason = type(error).__name__
        self._fail(self._broken(reason))

    def _take(self, text: str | bytes) -> None:
        try:
            frame = decode_frame(text)
        except DataError as error:
            _log.warning("%s", error)
            self._stats.refuse(error.reason)
            return
        if frame.shutdown:
            self.ending = True
            self.wake()
        elif frame.stream:
            if self._frames.qsize() >= self._config.backlog:
                backlog = self._config.backlog
                self._fail(VenueUnreachable(f"{backlog} frames were not taken in time"))
            else:
                self._frames.put_nowait(Arrival(frame.stream, frame.data, self._clock()))
        elif isinstance(frame.id, int) and (answer := self._calls.get(frame.id)) is not None:
            if not answer.done():
                answer.set_result(frame)
        elif frame.trouble is not None:
            # It doesn't say whose call was wrong.
            self._refuse(VenueRejected(str(frame.trouble.code), frame.trouble.msg[:200]))

    def _broken(self, reason: str) -> VenueUnreachable:
        names = sorted(self._streams)
        some = ", ".join(names[:3]) or "before any stream was agreed to"
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        market = self._config.market
        return VenueUnreachable(f"Binance {market}: connection lost ({reason}): {some}{more}")

    def _fail(self, error: VenueError) -> None:
        if self._lost is None:
            self._lost = error
            self.lost_at = monotonic()
            self._refuse(error)
            self._frames.put_nowait(None)

    def _refuse(self, error: VenueError) -> None:
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(error)
