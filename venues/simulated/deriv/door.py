"""Who may come in, and speaking what: v3, options-v1 in public or with a password, or REST."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit
from weakref import WeakKeyDictionary

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from venues.simulated.deriv.config import DerivExchangeConfig
from venues.simulated.deriv.dialect import V3, Dialect, Options
from venues.simulated.deriv.ledger import Account
from venues.simulated.deriv.otp import ACCOUNTS, SOCKET, Passwords

__all__ = ["PATH", "PUBLIC", "Connection", "Door", "Entry"]

PATH = "/websockets/v3"
PUBLIC = "/trading/v1/options/ws/public"

_HEAD = 1 << 16
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*([0-9]{1,9})[ \t]*\r$")


@dataclass(frozen=True)
class Entry:
    """How a connection came in.

    Parameters
    ----------
    dialect
        What it speaks.
    token
        Whose account it trades from the start; ``None`` where that is to be asked for.
    """

    dialect: Dialect
    token: str | None = None


class Door:
    """Lets clients in by path and answers REST on the same port.

    Parameters
    ----------
    config
        Of the exchange.
    account
        Returns the account of a token.
    clock
        Monotonic real seconds.
    base
        Returns where the exchange listens, without a path.
    """

    def __init__(
        self,
        config: DerivExchangeConfig,
        account: Callable[[str], Account],
        clock: Callable[[], float],
        base: Callable[[], str],
    ) -> None:
        self._v3 = V3(config.calls_per_minute, config.house)
        self._options = Options(config.options)
        self._base = base
        self._passwords = Passwords(config, account, clock)
        self._entries: WeakKeyDictionary[ServerConnection, Entry] = WeakKeyDictionary()

    def entry(self, connection: ServerConnection) -> Entry:
        """Return how ``connection`` came in."""
        return self._entries[connection]

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Let a client in, or answer without: a refusal, or what a REST call is told."""
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        if parts.path == PATH:
            app = query.get("app_id", [""])[0]
            if not app.isdecimal() or int(app) == 0:
                text = f"app_id must be a positive integer, was {app!r}\n"
                return connection.respond(HTTPStatus.UNAUTHORIZED, text)
            self._entries[connection] = Entry(self._v3)
        elif parts.path == PUBLIC:
            self._entries[connection] = Entry(self._options)
        elif parts.path == SOCKET:
            token = self._passwords.redeem(query.get("otp", [""])[0])
            if token is None:
                text = "the one-time password is unknown, used or too old\n"
                return connection.respond(HTTPStatus.UNAUTHORIZED, text)
            self._entries[connection] = Entry(self._options, token)
        elif parts.path.startswith(ACCOUNTS):
            status, body = self._passwords.answer(
                request.method, parts.path, request.headers, self._base()
            )
            response = connection.respond(status, "")
            for name, value in (("Type", "application/json"), ("Length", str(len(body)))):
                del response.headers[f"Content-{name}"]
                response.headers[f"Content-{name}"] = value
            response.body = body
            return response
        else:
            text = f"nothing here; connect to {PATH} or {PUBLIC}\n"
            return connection.respond(HTTPStatus.NOT_FOUND, text)
        return None


class Connection(ServerConnection):
    """A connection whose opening request may have a body, as a REST call's may.

    The library takes no body; none of ours means anything, so it is taken off.
    """

    _opening: bytes | None = b""

    def data_received(self, data: bytes) -> None:
        """Pass on what came in, a body of the first request taken off."""
        if self._opening is None:
            super().data_received(data)
            return
        self._opening += data
        head, end, body = self._opening.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if len(self._opening) < _HEAD and (not end or (length and len(body) < int(length[1]))):
            return
        if length:
            head = head[: length.start(1)] + b"0" + head[length.end(1) :]
            body = body[int(length[1]) :]
        self._opening = None
        super().data_received(head + end + body)
