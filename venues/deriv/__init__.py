"""Deriv: synthetic indices, ticks, candles, history and orders over its WebSocket API."""

from venues.deriv.broker import DerivBroker
from venues.deriv.config import DerivConfig
from venues.deriv.deals import RiseFall
from venues.deriv.feed import DerivCandles, DerivFeed

__all__ = ["DerivBroker", "DerivCandles", "DerivConfig", "DerivFeed", "RiseFall"]
