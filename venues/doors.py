"""Which door leads to a symbol's market: from settings to a feed, whatever venue it is of."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from market.errors import ConfigError
from market.events import SECOND
from market.instruments import Instrument
from market.span import span_text
from venues.base import Feed
from venues.binance.config import BinanceConfig
from venues.deriv.config import DerivConfig

__all__ = ["Source", "open_feed"]

Source = DerivConfig | BinanceConfig | Path
"""Where a symbol's market data comes from: a venue, or a recording."""


def open_feed(source: Source, instrument: Instrument, seed: int) -> Feed:
    """Return the feed that decisions are made on, not connected yet.

    Of Deriv it is the ticks, of Binance the bars of the instrument's ``interval``, of a recording
    what it holds.

    Parameters
    ----------
    source
        See :data:`Source`.
    instrument
        What is traded.
    seed
        Of the jitter between attempts at a lost connection.

    Raises
    ------
    ConfigError
        Binance has no bars of that interval.
    """
    # Here and not above: an actor loads the client of its own venue alone.
    rng = np.random.default_rng(seed)
    if isinstance(source, Path):
        from venues.files import FileFeed

        return FileFeed(source, instrument.symbol)
    if isinstance(source, DerivConfig):
        from venues.deriv import DerivFeed

        return DerivFeed(source, instrument.symbol, rng)
    from venues.binance import BinanceFeed

    nanoseconds = round(instrument.interval * SECOND)
    if nanoseconds % SECOND:
        raise ConfigError(
            f"must be whole seconds for bars of Binance, was {instrument.interval:g}",
            key=f"{instrument.symbol}.interval",
        )
    return BinanceFeed(source, instrument.symbol, span_text(nanoseconds), rng)
