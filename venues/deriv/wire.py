"""The socket under python-deriv-api: lets through only frames that the library survives."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI

from market.errors import VenueUnreachable
from market.shown import without_secrets
from venues.base import FeedStats
from venues.deriv.config import DerivConfig, is_local

__all__ = ["Wire"]

_MOST_BYTES = 8 << 20
"""Of one frame: 5000 ticks are some 150 kB."""

_log = logging.getLogger(__name__)
# At its finest the library logs frames and addresses whole: the token and the passwords in them.
_log.setLevel(logging.INFO)


class Wire:
    """An open socket to the venue.

    The library's receive loop dies for good on a frame that is not JSON or lacks ``msg_type`` or
    ``echo_req``. Such frames end here: counted as bad, or completed where only the echo is left
    out, as the venue's newer API may.

    Parameters
    ----------
    socket
        The connection.
    stats
        ``bad_frames`` and ``receipt`` are kept there.
    """

    def __init__(self, socket: ClientConnection, stats: FeedStats) -> None:
        self._socket = socket
        self._stats = stats

    @classmethod
    async def open(cls, config: DerivConfig, stats: FeedStats, address: str = "") -> Wire:
        """Connect to ``address``, the config's if empty; raises :class:`VenueUnreachable`.

        An address given may hold a password: errors name its host alone, and have no cause.
        """
        url = address or config.url
        shown = (
            f"{url.partition('://')[2].partition('/')[0]}"
            if address
            else without_secrets(config.endpoint)
        )
        try:
            socket = await connect(
                url,
                open_timeout=config.timeout,
                close_timeout=0.25,
                ping_interval=None,
                compression=None,
                max_size=_MOST_BYTES,
                proxy=None if is_local(url) else True,
                logger=_log,
            )
        except (OSError, TimeoutError, ValueError, InvalidHandshake, InvalidURI) as error:
            # ValueError: an address that no host can have.
            why = (
                type(error).__name__
                if address
                else without_secrets(str(error)) or type(error).__name__
            )
            raise VenueUnreachable(
                f"can't connect to {shown} ({why}); is the endpoint right and the venue up?"
            ) from (None if address else error)
        return cls(socket, stats)

    async def recv(self) -> str:
        """Return the next frame that is an answer."""
        while True:
            frame = await self._socket.recv()
            self._stats.receipt = monotonic()
            whole = _whole(frame)
            if whole is not None:
                return whole
            self._stats.refuse("malformed")

    async def send(self, frame: str) -> None:
        """Send a frame."""
        await self._socket.send(frame)

    async def close(self) -> None:
        """Close the socket; a peer that doesn't answer is not waited for."""
        await self._socket.close()


def _whole(frame: str | bytes) -> str | None:
    """Return the frame if the library can take it, ``None`` if not.

    Examples
    --------
    >>> _whole('{"msg_type": "ping", "req_id": 1}')
    '{"msg_type":"ping","req_id":1,"echo_req":{}}'
    >>> _whole('{"tick": ')
    """
    try:
        body: Any = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(body, dict) or not isinstance(body.get("msg_type"), str):
        return None
    if not isinstance(body.get("req_id", 0), int):
        return None
    error = body.get("error")
    if error is not None and not (
        isinstance(error, dict) and isinstance(error.get("code"), str) and "message" in error
    ):
        return None
    if isinstance(body.get("echo_req"), dict):
        return frame if isinstance(frame, str) else frame.decode()
    return msgspec.json.encode(body | {"echo_req": {}}).decode()
