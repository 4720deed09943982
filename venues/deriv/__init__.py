"""Deriv: synthetic indices, ticks, candles, history and orders over its WebSocket API."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from venues.deriv.broker import DerivBroker
    from venues.deriv.config import DerivConfig
    from venues.deriv.deals import RiseFall
    from venues.deriv.feed import DerivCandles, DerivFeed

__all__ = ["DerivBroker", "DerivCandles", "DerivConfig", "DerivFeed", "RiseFall"]

_ROOMS = {
    "DerivBroker": "broker",
    "DerivCandles": "feed",
    "DerivConfig": "config",
    "DerivFeed": "feed",
    "RiseFall": "deals",
}


def __getattr__(name: str) -> Any:
    """Load each when first asked for: an actor that trades on paper needs no broker."""
    if name in _ROOMS:
        return getattr(importlib.import_module(f"venues.deriv.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
