"""The bundled exchange: real servers that speak the venues' protocols over seeded prices."""

from venues.simulated.config import ExchangeConfig
from venues.simulated.exchange import Exchange

__all__ = ["Exchange", "ExchangeConfig"]
