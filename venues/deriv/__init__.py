"""Deriv: synthetic indices, ticks and history over its WebSocket API."""

from venues.deriv.config import DerivConfig
from venues.deriv.feed import DerivCandles, DerivFeed

__all__ = ["DerivCandles", "DerivConfig", "DerivFeed"]
