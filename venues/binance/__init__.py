"""Binance, spot and USD-M futures: market data, history, its archive, and orders."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from venues.binance.account import TradingConfig
    from venues.binance.broker import BinanceBroker
    from venues.binance.config import BinanceConfig
    from venues.binance.feed import BinanceFeed
    from venues.binance.limits import Limits
    from venues.binance.rest import BinanceRest
    from venues.binance.signing import Keys
    from venues.binance.stream import BinanceStream

__all__ = [
    "BinanceBroker",
    "BinanceConfig",
    "BinanceFeed",
    "BinanceRest",
    "BinanceStream",
    "Keys",
    "Limits",
    "TradingConfig",
]

_ROOMS = {
    "BinanceBroker": "broker",
    "BinanceConfig": "config",
    "BinanceFeed": "feed",
    "BinanceRest": "rest",
    "BinanceStream": "stream",
    "Keys": "signing",
    "Limits": "limits",
    "TradingConfig": "account",
}


def __getattr__(name: str) -> Any:
    """Load each when first asked for: an actor on another venue's market needs only the config."""
    if name in _ROOMS:
        return getattr(importlib.import_module(f"venues.binance.{_ROOMS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
