"""Binance, spot and USD-M futures: market data over its sockets, requests and archive."""

from venues.binance.config import BinanceConfig
from venues.binance.limits import Limits
from venues.binance.rest import BinanceRest

__all__ = ["BinanceConfig", "BinanceRest", "Limits"]
