"""One connection to Deriv through python-deriv-api, supervised: it answers, or it is lost.

The library never notices a lost connection by itself: pending calls hang, streams fall silent.
Here every call has a time limit, a ping runs beside the calls, and the first sign of failure ends
the connection for all who wait on it. It is not mended: whoever uses it makes a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed

from market.errors import ConfigError, VenueError, VenueRejected, VenueUnreachable
from venues.base import FeedStats
from venues.deriv.config import DerivConfig, token
from venues.deriv.official import ResponseError, build
from venues.deriv.wire import Wire

__all__ = ["Connection"]

Frame = Mapping[str, Any]

_TURNS = 4
"""Of the event loop, that the library's tasks take to end."""


class Connection:
    """An open connection; make it with :meth:`open`, inside the loop that uses it.

    Only two of the library's methods are used: ``send`` and ``subscribe``, each with a dict of
    its own. Its typed methods cut fractions off numbers, and it writes into what it is given.

    Parameters
    ----------
    wire
        The socket.
    config
        Time limits.
    """

    def __init__(self, wire: Wire, config: DerivConfig) -> None:
        self._config = config
        self._wire = wire
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._lost: asyncio.Future[VenueError] = asyncio.get_running_loop().create_future()
        self._api = build(wire)
        self._api.sanity_errors.subscribe(self._on_trouble)
        self._pinging = asyncio.create_task(self._ping())

    @classmethod
    async def open(cls, config: DerivConfig, stats: FeedStats) -> Connection:
        """Connect, and log in where a token is set.

        Raises
        ------
        VenueError
            The venue can't be reached, or refuses.
        ConfigError
            The token would go over the network in plain text.
        """
        secret = token() if config.dialect == "v3" else None
        if secret is not None and not (config.local or config.endpoint.startswith("wss://")):
            raise ConfigError(
                f"must be wss:// where DERIV_TOKEN is set, was {config.endpoint}", key="endpoint"
            )
        connection = cls(await Wire.open(config, stats), config)
        if secret is not None:
            try:
                await connection.call({"authorize": secret})
            except BaseException:
                await connection.close()
                raise
        return connection

    @property
    def waiting(self) -> bool:
        """Whether frames of the stream have come that were not taken yet."""
        return not self._frames.empty()

    async def call(self, request: Frame, patience: float | None = None) -> Frame:
        """Send a request and return its answer.

        Raises
        ------
        VenueRejected
            The venue answered with an error.
        VenueUnreachable
            The connection is lost, or no answer came within ``patience`` (the config's
            ``timeout`` if left out) real seconds.
        """
        sent = dict(request)
        name = next(iter(request))
        sending: asyncio.Future[Frame] = asyncio.ensure_future(self._api.send(sent))
        either: set[asyncio.Future[Any]] = {sending, self._lost}
        waited = self._config.timeout if patience is None else patience
        try:
            await asyncio.wait(either, timeout=waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not sending.done():
                sending.cancel()
            self._api.pending_requests.pop(sent.get("req_id"), None)
        if sending.done():
            try:
                return sending.result()
            except ResponseError as error:
                raise VenueRejected(error.code, error.message) from None
            except (ConnectionClosed, OSError) as error:
                raise VenueUnreachable(f"connection lost: {error}") from error
        if self._lost.done():
            raise self._lost.result()
        raise VenueUnreachable(f"no answer to {name} in {waited:g} s")

    async def subscribe(self, request: Frame) -> Frame:
        """Open the connection's one stream and return its first frame; :meth:`next` has the rest.

        Raises
        ------
        VenueError
            As :meth:`call`.
        """
        # The observer is attached with no suspension in between: the first frame comes but once.
        source = await self._api.subscribe(dict(request))
        source.subscribe(self._on_frame, self._on_trouble)
        try:
            return await self.next(self._config.timeout)
        except TimeoutError:
            name = next(iter(request))
            raise VenueUnreachable(f"no answer to {name} in {self._config.timeout:g} s") from None

    async def next(self, patience: float) -> Frame:
        """Return the stream's next frame.

        What came before the connection was lost is still given out first.

        Raises
        ------
        TimeoutError
            None came within ``patience`` real seconds.
        VenueError
            The connection is lost, or the venue ended the stream.
        """
        async with asyncio.timeout(patience):
            frame = await self._frames.get()
        if frame is None:
            self._frames.put_nowait(None)
            raise self._lost.result()
        return frame

    async def close(self) -> None:
        """Close the connection and everything that waits on it."""
        self._fail(VenueUnreachable("connection closed"))
        self._pinging.cancel()
        with suppress(ConnectionClosed, OSError):
            await self._wire.close()
        # What the library still waits for would be waited for until the process ends; without the
        # ids it doesn't try to tell the venue so.
        self._api.subscription_manager.key_to_subs_id.clear()
        for pending in list(self._api.pending_requests.values()):
            pending.on_error(VenueUnreachable("connection closed"))
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._config.ping_every)
            try:
                await self.call({"ping": 1})
            except VenueError as error:
                self._fail(error)
                return

    def _on_frame(self, frame: Frame) -> None:
        """Keep a frame. Must not raise: an observer's exception kills the library's loop."""
        if self._frames.qsize() >= self._config.backlog:
            self._fail(VenueUnreachable(f"{self._config.backlog} frames were not taken in time"))
        elif not self._lost.done():
            self._frames.put_nowait(frame)

    def _on_trouble(self, error: Exception) -> None:
        """Hear of the library's troubles; those of single calls are reported by the calls."""
        if isinstance(error, ResponseError):
            self._fail(VenueRejected(error.code, error.message))
        elif isinstance(error, ConnectionClosed | OSError):
            self._fail(VenueUnreachable(f"connection lost: {error}"))
        elif "wait_data" in getattr(error, "name", ""):
            self._fail(VenueUnreachable(f"the client library stopped: {error}"))

    def _fail(self, error: VenueError) -> None:
        if not self._lost.done():
            self._lost.set_result(error)
            self._frames.put_nowait(None)
