"""Which door leads to a symbol's market: from settings to a feed, whatever venue it is of."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from market.errors import ConfigError
from market.events import SECOND
from market.instruments import Instrument
from market.series import Series
from market.span import span_text
from market.store import TickStore
from venues.base import Feed
from venues.binance.config import BinanceConfig
from venues.deriv.config import DerivConfig
from venues.merged import MergedFeed, Side
from venues.merged import Source as Stream

if TYPE_CHECKING:
    from venues.files import FileFeed

__all__ = ["Source", "open_feed", "past_trades", "recorded", "untold"]

Source = DerivConfig | BinanceConfig | Path
"""Where a symbol's market data comes from: a venue, or a recording."""


def open_feed(
    source: Source,
    instrument: Instrument,
    seed: int,
    streams: Collection[str] = (),
    peer: str = "",
) -> Feed:
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
    streams
        What columns are made of, :attr:`features.config.FeatureConfig.streams`: with ``trades``,
        ``book`` or ``peer`` in it the feed tells those too.
    peer
        The other symbol, of the same source.

    Raises
    ------
    ConfigError
        Binance has no bars of that interval, or the venue doesn't tell one of ``streams``.
    """
    # Here and not above: an actor loads the client of its own venue alone.
    rng = np.random.default_rng(seed)
    beside = frozenset(streams) - {"prices"}
    if isinstance(source, Path):
        return recorded(source, instrument, beside, peer)
    refused = beside & untold(source)
    if refused:
        raise ConfigError(
            f"this venue tells no {' and no '.join(sorted(refused))} of {instrument.symbol}; leave "
            "out the columns made of it",
            key="features.columns",
        )
    if isinstance(source, DerivConfig):
        return _deriv(source, instrument.symbol, rng, beside, peer)
    return _binance(source, instrument, rng, beside, peer)


async def past_trades(source: Source, symbol: str, seed: int, start: int, end: int) -> Series:
    """Return a venue's trades from ``start`` to ``end``, both included, nanoseconds.

    Raises
    ------
    ConfigError
        It keeps none.
    VenueError, DataError
        See :func:`venues.binance.history.trade_history`.
    """
    if not isinstance(source, BinanceConfig):
        raise ConfigError(f"there is no history of trades of {symbol} here", key="features.columns")
    from venues.binance.history import trade_history
    from venues.binance.rest import BinanceRest

    async with BinanceRest(source, np.random.default_rng(seed)) as rest:
        return await trade_history(rest, symbol, start, end)


def untold(source: DerivConfig | BinanceConfig) -> frozenset[str]:
    """Return the streams that a venue doesn't tell."""
    return frozenset(("trades", "book")) if isinstance(source, DerivConfig) else frozenset()


def recorded(
    path: Path, instrument: Instrument, streams: Collection[str] = (), peer: str = ""
) -> FileFeed:
    """Return the feed of a recording; of a tick store with several bars those of ``interval``."""
    from venues.files import FileFeed

    shelf = None
    if path.is_dir():
        bars = f"bars-{span_text(round(instrument.interval * SECOND))}"
        shelf = bars if bars in TickStore(path).kinds(instrument.symbol) else None
    return FileFeed(
        path, instrument.symbol, shelf=shelf, streams=streams, peer=peer, tick=instrument.tick
    )


def _deriv(
    config: DerivConfig, symbol: str, rng: np.random.Generator, beside: frozenset[str], peer: str
) -> Feed:
    from venues.deriv import DerivFeed
    from venues.deriv.limits import Limiter

    limiter = Limiter()
    own = DerivFeed(config, symbol, rng, limiter)
    return MergedFeed(own, {"peer": DerivFeed(config, peer, rng, limiter)}) if beside else own


def _binance(
    config: BinanceConfig,
    instrument: Instrument,
    rng: np.random.Generator,
    beside: frozenset[str],
    peer: str,
) -> Feed:
    from venues.binance import BinanceFeed, BinanceStream
    from venues.binance.limits import Limits

    step, symbol = round(instrument.interval * SECOND), instrument.symbol
    if step % SECOND:
        raise ConfigError(
            f"must be whole seconds for bars of Binance, was {instrument.interval:g}",
            key=f"{symbol}.interval",
        )
    interval, limits = span_text(step), Limits(config)
    own = BinanceFeed(config, symbol, interval, rng, limits=limits)
    others: dict[Side, Stream] = {}
    if "book" in beside:
        others["book"] = BinanceStream(config, symbol, ["book"], rng, limits=limits)
    if "trades" in beside:
        others["trades"] = BinanceStream(config, symbol, ["trades"], rng, limits=limits)
    if "peer" in beside:
        others["peer"] = BinanceFeed(config, peer, interval, rng, limits=limits)
    return MergedFeed(own, others, step) if others else own
