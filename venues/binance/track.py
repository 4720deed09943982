"""What every kind of market data has in common on its way from a socket to an event."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from typing import Protocol

from market.errors import DataError
from market.events import MarketEvent
from venues.base import FeedStats
from venues.binance.config import BinanceConfig, Route
from venues.binance.socket import Arrival

__all__ = ["Track", "refuse", "route"]

_log = logging.getLogger(__name__)

_PUBLIC = ("@depth", "@bookTicker", "@trade")


class Track(Protocol):
    """One stream of one symbol: what was seen of it, and what comes next.

    Both methods may be called again after they failed with a
    :class:`~market.errors.VenueError`: they go on where they were.

    Attributes
    ----------
    stream
        Its name.
    live
        Whether the event yielded last was news when it came.
    """

    stream: str
    live: bool

    def opened(self, lost: bool) -> AsyncGenerator[MarketEvent, None]:
        """Yield what was missed; a connection has taken over, ``lost`` if with a hole."""
        ...

    def take(self, arrival: Arrival, late: bool) -> AsyncGenerator[MarketEvent, None]:
        """Yield what is new in an event; ``late`` if a newer one waits already."""
        ...


def refuse(stats: FeedStats, error: DataError) -> None:
    """Count what could not be used, and say so."""
    _log.warning("binance: %s", error)
    stats.refuse(error.reason)


def route(config: BinanceConfig, stream: str) -> Route:
    """Return where a stream is served; spot has one door, called ``market`` here.

    Examples
    --------
    >>> route(BinanceConfig(market="usdm"), "btcusdt@depth@100ms")
    'public'
    >>> route(BinanceConfig(market="usdm"), "btcusdt@aggTrade")
    'market'
    """
    public = config.market == "usdm" and any(part in stream for part in _PUBLIC)
    return "public" if public else "market"
