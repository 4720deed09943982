"""The bundled Binance: its REST and sockets, spot and USD-M, over one matching book a symbol."""

from venues.simulated.binance.config import BinanceExchangeConfig
from venues.simulated.binance.exchange import BinanceExchange

__all__ = ["BinanceExchange", "BinanceExchangeConfig"]
