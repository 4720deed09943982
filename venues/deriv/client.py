"""One connection to Deriv through python-deriv-api, supervised: it answers, or it is lost.

The library never notices a lost connection by itself: pending calls hang, streams fall silent.
Here every call has a time limit, a ping runs beside the calls, and the first sign of failure ends
the connection for all who wait on it. It is not mended: whoever uses it makes a new one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed

from market.errors import (
    ConfigError,
    DataError,
    OrderUncertain,
    VenueError,
    VenueRejected,
    VenueUnreachable,
)
from market.shown import without_secrets
from venues.base import FeedStats
from venues.deriv.config import DerivConfig, token
from venues.deriv.dialect import KNOWS, normalised, translated
from venues.deriv.limits import Limiter, category, decode_limits
from venues.deriv.official import ResponseError, build
from venues.deriv.otp import trading_address
from venues.deriv.wire import Wire

__all__ = ["UNSURE", "Connection"]

Frame = Mapping[str, Any]

UNSURE = frozenset(
    {"CallError", "DisconnectError", "GetProposalFailure", "InternalServerError", "WrongResponse"}
)
"""Errors of the venue's own machinery: they don't say that a deal was not done."""

_TURNS = 4
"""Of the event loop, that the library's tasks take to end."""

_TRIES = 5
"""Of a call that the venue refuses for its rate."""

_log = logging.getLogger(__name__)


class Connection:
    """An open connection; make it with :meth:`open`, inside the loop that uses it.

    Only two of the library's methods are used: ``send`` and ``subscribe``, each with a dict of
    its own. Its typed methods cut fractions off numbers, and it writes into what it is given.
    Requests and answers are in one shape, whatever the dialect (:mod:`venues.deriv.dialect`).

    Parameters
    ----------
    wire
        The socket.
    config
        Time limits.
    limiter
        Makes calls wait for the venue's rate limits.
    """

    def __init__(self, wire: Wire, config: DerivConfig, limiter: Limiter) -> None:
        self._config = config
        self._wire = wire
        self._limiter = limiter
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._lost: asyncio.Future[VenueError] = asyncio.get_running_loop().create_future()
        self._api = build(wire)
        self._api.sanity_errors.subscribe(self._on_trouble)
        self._beside = [asyncio.create_task(self._ping())]

    @classmethod
    async def open(
        cls,
        config: DerivConfig,
        stats: FeedStats,
        limiter: Limiter | None = None,
        trading: bool = False,
    ) -> Connection:
        """Connect, and log in: in v3 where a token is set, else where it is for ``trading``.

        Raises
        ------
        VenueError
            The venue can't be reached, or refuses.
        ConfigError
            The token would go over the network in plain text, or is missing for ``trading``.
        DataError
            The venue's answer to the log-in is malformed.
        """
        secret = token()
        options = config.dialect == "options"
        if not options and trading and secret is None:
            raise ConfigError("must hold the account's token to trade", key="DERIV_TOKEN")
        plain = not (config.local or config.endpoint.startswith("wss://"))
        if not options and secret is not None and plain:
            raise ConfigError(
                f"must be wss:// where DERIV_TOKEN is set, was {without_secrets(config.endpoint)}",
                key="endpoint",
            )
        address = await trading_address(config, secret) if options and trading else ""
        wire = await Wire.open(config, stats, address)
        connection = cls(wire, config, Limiter() if limiter is None else limiter)
        if secret is not None and "authorize" in KNOWS[config.dialect]:
            try:
                await connection.call({"authorize": secret})
            except BaseException:
                await connection.close()
                raise
        if "website_status" in KNOWS[config.dialect] and not connection._limiter.learned:
            connection._beside.append(asyncio.create_task(connection._learn()))
        return connection

    @property
    def waiting(self) -> bool:
        """Whether frames of the streams have come that were not taken yet."""
        return not self._frames.empty()

    @property
    def lost(self) -> bool:
        """Whether the connection has failed."""
        return self._lost.done()

    async def call(self, request: Frame, patience: float | None = None) -> Frame:
        """Send a request that may be repeated, and return its answer.

        Refused for its rate, it rests and is sent again, a few times.

        Raises
        ------
        VenueRejected
            The venue answered with an error.
        VenueUnreachable
            The connection is lost, or no answer came within ``patience`` (the config's
            ``timeout`` if left out) real seconds.
        """
        waited = self._config.timeout if patience is None else patience
        return await self._admitted(request, lambda: self._exchange(request, waited))

    async def deal(self, request: Frame) -> Frame:
        """Send a request that must **not** be repeated, such as ``buy``, and return its answer.

        Raises
        ------
        VenueRejected
            The venue refused it: nothing was done. Or our own limits would have held it up for
            more than ``timeout`` real seconds: a market order is not for later.
        OrderUncertain
            It was sent, and no answer came that says what became of it.
        VenueUnreachable
            It was not sent.
        """
        name = next(iter(request))
        try:
            async with asyncio.timeout(self._config.timeout):
                await self._limiter.admit(name)
        except TimeoutError:
            raise VenueRejected(
                "RateLimit",
                f"{name} was not sent: the venue's limits would have held it up for more than "
                f"{self._config.timeout:g} s",
            ) from None
        if self._lost.done():
            raise VenueUnreachable(f"{name} was not sent: {self._lost.result()}")
        try:
            return await self._exchange(request, self._config.timeout)
        except VenueUnreachable as error:
            raise OrderUncertain(f"{name} was sent, but: {error}; find() it first") from error
        except VenueRejected as error:
            if error.code == "RateLimit":
                self._refused(name)
            if error.code in UNSURE:
                raise OrderUncertain(f"{name} was sent, but: {error}; find() it first") from error
            raise

    async def subscribe(self, request: Frame) -> Frame:
        """Open a stream and return its first frame; :meth:`next` has the rest of every stream.

        Raises
        ------
        VenueError
            As :meth:`call`.
        """
        return await self._admitted(request, lambda: self._begin(request))

    async def next(self, patience: float) -> Frame:
        """Return the next frame of any stream; an empty one where :meth:`wake` was called.

        What came before the connection was lost is still given out first.

        Raises
        ------
        TimeoutError
            None came within ``patience`` real seconds.
        VenueError
            The connection is lost, or the venue ended a stream.
        """
        async with asyncio.timeout(patience):
            frame = await self._frames.get()
        if frame is None:
            self._frames.put_nowait(None)
            raise self._lost.result()
        return frame

    def wake(self) -> None:
        """Let who waits in :meth:`next` look about."""
        self._frames.put_nowait({})

    async def close(self) -> None:
        """Close the connection and everything that waits on it."""
        self._fail(VenueUnreachable("connection closed"))
        for task in self._beside:
            task.cancel()
        with suppress(ConnectionClosed, OSError):
            await self._wire.close()
        # What the library still waits for would be waited for until the process ends; without the
        # ids it doesn't try to tell the venue so.
        self._api.subscription_manager.key_to_subs_id.clear()
        for pending in list(self._api.pending_requests.values()):
            # A stream that the venue ended with an error was thrown away by the library itself.
            if not pending.is_disposed:
                pending.on_error(VenueUnreachable("connection closed"))
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def _admitted(self, request: Frame, send: Callable[[], Awaitable[Frame]]) -> Frame:
        """Send when the limits allow; rest and send again where they were tighter than we knew."""
        name = next(iter(request))
        tries = 0
        while True:
            await self._limiter.admit(name)
            tries += 1
            try:
                frame = await send()
            except VenueRejected as error:
                if error.code != "RateLimit" or category(name) is None:
                    raise
                self._refused(name)
                if tries >= _TRIES:
                    raise
            else:
                self._limiter.passed(name)
                return frame

    def _refused(self, name: str) -> None:
        self._limiter.refused(name, self._config.backoff_first, self._config.backoff_most)

    async def _exchange(self, request: Frame, patience: float) -> Frame:
        sent = translated(request, self._config.dialect)
        sending: asyncio.Future[Frame] = asyncio.ensure_future(self._api.send(sent))
        try:
            return await self._first(sending, next(iter(request)), patience)
        finally:
            if not sending.done():
                sending.cancel()
            self._api.pending_requests.pop(sent.get("req_id"), None)

    async def _begin(self, request: Frame) -> Frame:
        first: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()

        def heard(frame: Frame) -> None:
            if first.done():
                self._on_frame(frame)
            else:
                first.set_result(frame)

        def failed(error: Exception) -> None:
            if first.done():
                self._on_trouble(error)
            else:
                first.set_exception(error)

        # The library gives an equal request the stream it had, even a dead one: it may know none.
        self._api.subscription_manager.sources.clear()
        source = await self._api.subscribe(translated(request, self._config.dialect))
        # Attached with no suspension in between: the first frame comes but once.
        source.subscribe(heard, failed)
        try:
            return await self._first(first, next(iter(request)), self._config.timeout)
        finally:
            first.cancel()

    async def _first(self, answer: asyncio.Future[Frame], name: str, patience: float) -> Frame:
        """Return the answer, if it comes before the connection is lost and in time."""
        either: set[asyncio.Future[Any]] = {answer, self._lost}
        await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            try:
                return normalised(answer.result())
            except ResponseError as error:
                raise VenueRejected(error.code, error.message) from None
            except (ConnectionClosed, OSError) as error:
                raise VenueUnreachable(f"connection lost: {error}") from error
        if self._lost.done():
            lost = self._lost.result()
            if isinstance(lost, VenueRejected):
                # A stream was refused: no answer to this request, and must not pass for one.
                raise VenueUnreachable(f"connection given up: {lost}") from lost
            raise lost
        raise VenueUnreachable(f"no answer to {name} in {patience:g} s")

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._config.ping_every)
            try:
                await self.call({"ping": 1})
            except VenueRejected:
                continue  # an answer all the same
            except VenueError as error:
                self._fail(error)
                return

    async def _learn(self) -> None:
        try:
            self._limiter.learn(decode_limits(await self.call({"website_status": 1})))
        except (VenueError, DataError) as error:
            _log.warning("rate limits are not known, the lowest seen are kept: %s", error)

    def _on_frame(self, frame: Frame) -> None:
        """Keep a frame. Must not raise: an observer's exception kills the library's loop."""
        if self._frames.qsize() >= self._config.backlog:
            self._fail(VenueUnreachable(f"{self._config.backlog} frames were not taken in time"))
        elif not self._lost.done():
            self._frames.put_nowait(normalised(frame))

    def _on_trouble(self, error: Exception) -> None:
        """Hear of the library's troubles; those of single calls are reported by the calls."""
        if isinstance(error, ResponseError):
            self._fail(VenueRejected(error.code, error.message))
        elif isinstance(error, VenueError):
            self._fail(error)
        elif isinstance(error, ConnectionClosed | OSError):
            self._fail(VenueUnreachable(f"connection lost: {error}"))
        elif "wait_data" in getattr(error, "name", ""):
            self._fail(VenueUnreachable(f"the client library stopped: {error}"))

    def _fail(self, error: VenueError) -> None:
        if not self._lost.done():
            self._lost.set_result(error)
            self._frames.put_nowait(None)
