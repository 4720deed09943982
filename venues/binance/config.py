"""How to reach Binance, and how patiently."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from market.config import Config

__all__ = ["ROUTES", "BinanceConfig", "Route"]

Route = Literal["public", "market"]
"""Where a stream is served on USD-M: ``public`` what is fast (depth, bookTicker, trade),
``market`` the rest (kline, aggTrade). Spot has one door for all."""

ROUTES: tuple[Route, ...] = ("public", "market")

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_REST = {
    ("spot", False): "https://api.binance.com",
    ("spot", True): "https://testnet.binance.vision",
    ("usdm", False): "https://fapi.binance.com",
    ("usdm", True): "https://testnet.binancefuture.com",
}
_STREAM = {
    ("spot", False): "wss://stream.binance.com:9443",
    ("spot", True): "wss://stream.testnet.binance.vision",
    ("usdm", False): "wss://fstream.binance.com",
    ("usdm", True): "wss://fstream.binancefuture.com",
}


class BinanceConfig(Config):
    """The connection to Binance.

    Parameters
    ----------
    market
        ``spot``, or ``usdm`` for USD-margined futures.
    testnet
        Play money: the venue's own exchange for tests, whose prices mean nothing.
    rest, stream
        Where requests and sockets go: scheme and host, without a path. The venue's own where
        left out; encrypted unless on this machine.
    connect_timeout, timeout
        Real seconds to wait for a connection, and for an answer.
    stale_after
        Real seconds without a frame after which a new connection takes the place of the old;
        doubled while nothing comes there either, sixteen times at most. What might have been
        missed is fetched; of quotes, which have no history, it counts as a gap.
    lifetime
        Real seconds after which a connection is replaced by a new one; the venue ends it after
        24 hours.
    overlap
        Real seconds for which old and new connection run side by side then. What the new one is
        late by must be less.
    backoff_first, backoff_most
        Real seconds before the first attempt at a new connection or request, doubled with each
        further one up to the second figure; each is shortened at random by up to half, so that
        many clients don't come back in one moment.
    attempts
        Times a request for market data is made before it is given up.
    weight_share
        Share of the venue's limit on the weight of requests a minute that is ours to use; the
        limit holds for everyone behind one address.
    messages
        Messages a second that a socket may be sent; the venue cuts off who sends more.
    connections
        New connections in five minutes; the venue allows 300 from one address.
    streams
        Streams that one connection may carry; the venue allows 1024.
    page
        Rows of history asked for at once; the venue gives 1000 at most.
    depth
        Levels of a book's snapshot on each side; the venue gives 5000 at most (spot) or 1000.
    backlog
        Frames that may wait for a slow consumer before the connection is given up; what is
        missed then comes from history where there is one.

    Examples
    --------
    >>> BinanceConfig(market="usdm").stream_url("public")
    'wss://fstream.binance.com/public/stream'
    >>> BinanceConfig(rest="http://127.0.0.1:8080", stream="ws://127.0.0.1:8080").rest_url
    'http://127.0.0.1:8080'
    """

    market: Literal["spot", "usdm"] = "spot"
    testnet: bool = False
    rest: Annotated[str, Field(pattern=r"^(https?://[^\s/@?#]+)?$")] = ""
    stream: Annotated[str, Field(pattern=r"^(wss?://[^\s/@?#]+)?$")] = ""
    connect_timeout: Annotated[float, Field(gt=0.0)] = 10.0
    timeout: Annotated[float, Field(gt=0.0)] = 10.0
    stale_after: Annotated[float, Field(gt=0.0)] = 30.0
    lifetime: Annotated[float, Field(gt=0.0, lt=86_400.0)] = 82_800.0
    overlap: Annotated[float, Field(gt=0.0, le=60.0)] = 2.0
    backoff_first: Annotated[float, Field(gt=0.0)] = 0.1
    backoff_most: Annotated[float, Field(gt=0.0)] = 60.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 4
    weight_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    messages: Annotated[int, Field(ge=1, le=10)] = 5
    connections: Annotated[int, Field(ge=1, le=300)] = 200
    streams: Annotated[int, Field(ge=1, le=1024)] = 1024
    page: Annotated[int, Field(ge=10, le=1000)] = 1000
    depth: Literal[100, 500, 1000, 5000] = 1000
    backlog: Annotated[int, Field(ge=100)] = 100_000

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.backoff_first > self.backoff_most:
            raise ValueError("backoff_first must not exceed backoff_most")
        if self.market == "usdm" and self.depth > 1000:
            raise ValueError("depth must not exceed 1000 on usdm")
        for key, address in (("rest", self.rest_url), ("stream", self.stream_url("public"))):
            if urlsplit(address).scheme in ("http", "ws") and not _local(address):
                raise ValueError(f"{key} must be encrypted (https, wss) unless on this machine")
        return self

    @property
    def rest_url(self) -> str:
        """Where requests go, without the path."""
        return self.rest or _REST[self.market, self.testnet]

    def stream_url(self, route: Route) -> str:
        """Return where the combined streams of ``route`` are."""
        base = self.stream or _STREAM[self.market, self.testnet]
        return f"{base}/stream" if self.market == "spot" else f"{base}/{route}/stream"

    @property
    def api(self) -> str:
        """Where the REST calls are: ``/api/v3`` or ``/fapi/v1``."""
        return "/api/v3" if self.market == "spot" else "/fapi/v1"

    @property
    def local(self) -> bool:
        """Whether both addresses are on this machine."""
        return _local(self.rest_url) and _local(self.stream_url("public"))


def _local(address: str) -> bool:
    return urlsplit(address).hostname in _LOCAL
