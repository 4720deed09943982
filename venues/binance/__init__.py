"""Binance, spot and USD-M futures: market data, history, its archive, and orders."""

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
