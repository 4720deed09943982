"""Deriv as simulated: its WebSocket protocol over seeded synthetic indices."""

from venues.simulated.deriv.config import DerivExchangeConfig, Fault, OptionsConfig
from venues.simulated.deriv.exchange import DerivExchange

__all__ = ["DerivExchange", "DerivExchangeConfig", "Fault", "OptionsConfig"]
