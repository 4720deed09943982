"""How to reach Deriv, and how patiently."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from market.config import Config

__all__ = ["DerivConfig", "is_local", "token"]

_ENDPOINTS = {
    "v3": "wss://ws.derivws.com",
    "options": "wss://api.derivws.com/trading/v1/options/ws/public",
}


class DerivConfig(Config):
    """The connection to Deriv.

    The venue's terms for users of its API forbid to store what its feed sends, caching for at
    most 24 hours excepted, and to pass it on: whoever collects its ticks sets a retention that
    keeps to that (``retention_days`` of the collecting config), and never publishes them.

    Parameters
    ----------
    endpoint
        ``ws://`` or ``wss://`` and host, without the path in the ``v3`` dialect; the whole address
        of the public socket in the ``options`` dialect. The venue's own if left out.
    app_id
        The application's id; 1089 is the venue's public one for tests.
    dialect
        ``v3`` (the API of python-deriv-api) or ``options`` (its announced successor).
    rest
        ``options`` only: where one-time passwords for the trading socket are asked for.
    account
        ``options`` only: the id of the account to trade; needed by the broker alone. In ``v3`` the
        token says which account it is.
    multiplier
        With which the broker opens multiplier contracts, one of those offered on the symbol; the
        smallest of them, whose stop out is furthest away, if left out.
    timeout
        Real seconds to wait for a connection or an answer.
    ping_every
        Real seconds between pings; the venue drops a client that is silent for two minutes.
    stale_after
        Real seconds without a tick after which the connection is doubted, at most; where ticks
        come faster, five times their usual distance is enough, but never less than
        ``stale_least``.
    stale_least
        See above; a busy machine must not be taken for a dead connection.
    backoff_first, backoff_most
        Real seconds before the first attempt at a new connection, doubled with each further one
        up to the second figure; each is shortened at random by up to half, so that many feeds
        don't come back in one moment.
    page
        Ticks or candles asked for at once; the venue gives 5000 at most.
    backlog
        Frames that may wait for a slow consumer before the connection is given up; what is
        missed then comes from history.
    """

    endpoint: Annotated[str, Field(pattern=r"^wss?://[^\s/]+")] = _ENDPOINTS["v3"]
    app_id: Annotated[int, Field(gt=0)] = 1089
    dialect: Literal["v3", "options"] = "v3"
    rest: Annotated[str, Field(pattern=r"^https?://[^\s/?]+$")] = "https://api.derivws.com"
    account: Annotated[str, Field(pattern=r"^[A-Za-z0-9]*$")] = ""
    multiplier: Annotated[int, Field(ge=1)] | None = None
    timeout: Annotated[float, Field(gt=0.0)] = 10.0
    ping_every: Annotated[float, Field(gt=0.0, lt=120.0)] = 25.0
    stale_after: Annotated[float, Field(gt=0.0)] = 10.0
    stale_least: Annotated[float, Field(gt=0.0)] = 2.0
    backoff_first: Annotated[float, Field(gt=0.0)] = 0.1
    backoff_most: Annotated[float, Field(gt=0.0)] = 30.0
    page: Annotated[int, Field(ge=10, le=5000)] = 5000
    backlog: Annotated[int, Field(ge=100)] = 100_000

    @model_validator(mode="before")
    @classmethod
    def _at_home(cls, given: Any) -> Any:
        if isinstance(given, dict) and "endpoint" not in given:
            dialect = given.get("dialect", "v3")
            if isinstance(dialect, str) and dialect in _ENDPOINTS:
                return given | {"endpoint": _ENDPOINTS[dialect]}
        return given

    @field_validator("endpoint", "rest")
    @classmethod
    def _address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            host, port, user = (parts.hostname or "").encode("idna"), parts.port, parts.username
        except ValueError:
            raise ValueError("must be an address with a host and a port") from None
        if not host or port == 0:
            raise ValueError("must be an address with a host and a port")
        if user is not None:
            raise ValueError("must hold no password: secrets come from the environment alone")
        return url

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.stale_least > self.stale_after:
            raise ValueError("stale_least must not exceed stale_after")
        if self.backoff_first > self.backoff_most:
            raise ValueError("backoff_first must not exceed backoff_most")
        return self

    @property
    def url(self) -> str:
        """The address to connect to; in the ``options`` dialect of the public socket.

        Examples
        --------
        >>> DerivConfig(endpoint="ws://127.0.0.1:8765").url
        'ws://127.0.0.1:8765/websockets/v3?app_id=1089&l=EN&brand='
        >>> DerivConfig(dialect="options").url
        'wss://api.derivws.com/trading/v1/options/ws/public'
        """
        if self.dialect == "options":
            return self.endpoint
        return f"{self.endpoint.rstrip('/')}/websockets/v3?app_id={self.app_id}&l=EN&brand="

    @property
    def local(self) -> bool:
        """Whether the endpoint is on this machine."""
        return is_local(self.endpoint)


def is_local(url: str) -> bool:
    """Whether an address is on this machine.

    Examples
    --------
    >>> is_local("ws://127.0.0.1:8765"), is_local("wss://ws.derivws.com")
    (True, False)
    """
    try:
        return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}
    except ValueError:
        return False


def token() -> str | None:
    """Return the account's token from ``DERIV_TOKEN``; market data needs none."""
    return os.environ.get("DERIV_TOKEN") or None
