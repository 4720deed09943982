"""How to reach Deriv, and how patiently."""

from __future__ import annotations

import os
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from market.config import Config

__all__ = ["DerivConfig", "token"]


class DerivConfig(Config):
    """The connection to Deriv.

    Parameters
    ----------
    endpoint
        ``ws://`` or ``wss://`` and host, without the path in the ``v3`` dialect; the whole address
        in the ``options`` dialect.
    app_id
        The application's id; 1089 is the venue's public one for tests.
    dialect
        ``v3`` (the API of python-deriv-api and the bundled exchange) or ``options`` (its
        announced successor; market data only).
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
        Ticks asked for at once; the venue gives 5000 at most.
    backlog
        Frames that may wait for a slow consumer before the connection is given up; what is
        missed then comes from history.
    """

    endpoint: Annotated[str, Field(pattern=r"^wss?://[^\s/]+")] = "wss://ws.derivws.com"
    app_id: Annotated[int, Field(gt=0)] = 1089
    dialect: Literal["v3", "options"] = "v3"
    timeout: Annotated[float, Field(gt=0.0)] = 10.0
    ping_every: Annotated[float, Field(gt=0.0, lt=120.0)] = 25.0
    stale_after: Annotated[float, Field(gt=0.0)] = 10.0
    stale_least: Annotated[float, Field(gt=0.0)] = 2.0
    backoff_first: Annotated[float, Field(gt=0.0)] = 0.1
    backoff_most: Annotated[float, Field(gt=0.0)] = 30.0
    page: Annotated[int, Field(ge=10, le=5000)] = 5000
    backlog: Annotated[int, Field(ge=100)] = 100_000

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.stale_least > self.stale_after:
            raise ValueError("stale_least must not exceed stale_after")
        if self.backoff_first > self.backoff_most:
            raise ValueError("backoff_first must not exceed backoff_most")
        return self

    @property
    def url(self) -> str:
        """The address to connect to.

        Examples
        --------
        >>> DerivConfig(endpoint="ws://127.0.0.1:8765").url
        'ws://127.0.0.1:8765/websockets/v3?app_id=1089&l=EN&brand='
        """
        if self.dialect == "options":
            return self.endpoint
        return f"{self.endpoint.rstrip('/')}/websockets/v3?app_id={self.app_id}&l=EN&brand="

    @property
    def local(self) -> bool:
        """Whether the endpoint is on this machine."""
        return urlsplit(self.endpoint).hostname in {"localhost", "127.0.0.1", "::1"}


def token() -> str | None:
    """Return the account's token from ``DERIV_TOKEN``; market data needs none."""
    return os.environ.get("DERIV_TOKEN") or None
