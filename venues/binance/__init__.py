"""Binance, spot and USD-M futures: market data over its sockets, requests and archive."""

from venues.binance.config import BinanceConfig
from venues.binance.feed import BinanceFeed
from venues.binance.limits import Limits
from venues.binance.rest import BinanceRest
from venues.binance.stream import BinanceStream

__all__ = ["BinanceConfig", "BinanceFeed", "BinanceRest", "BinanceStream", "Limits"]
