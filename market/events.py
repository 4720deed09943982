"""Market events: what a venue tells us, in venue time."""

from __future__ import annotations

from math import nan
from typing import Literal

import msgspec

__all__ = ["SECOND", "Bar", "BookUpdate", "Event", "FeedGap", "MarketEvent", "Tick", "Trade"]

SECOND = 1_000_000_000
"""Nanoseconds in a second: every time in Pregão is an ``int`` of them since 1970, UTC."""


class Tick(msgspec.Struct, frozen=True, gc=False, tag=True):
    """One quote.

    Parameters
    ----------
    symbol
        The venue's name of the instrument.
    time
        Venue time, nanoseconds since 1970 UTC.
    price
        Mid price; the price decisions and marks are made at.
    bid, ask
        Best quotes; ``nan`` where the venue gives none.
    """

    symbol: str
    time: int
    price: float
    bid: float = nan
    ask: float = nan


class Bar(msgspec.Struct, frozen=True, gc=False, tag=True):
    """One closed bar, known at its close.

    Parameters
    ----------
    symbol
        The venue's name of the instrument.
    time
        Time of the **close**, nanoseconds since 1970 UTC: nobody knows the bar earlier.
    open, high, low, close
        Prices.
    volume
        Base units traded; ``nan`` where unknown.
    trades
        Trades in it; ``nan`` where unknown.
    buy_volume
        Base units in trades whose aggressor bought; ``nan`` where unknown.
    """

    symbol: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float = nan
    trades: float = nan
    buy_volume: float = nan


class Trade(msgspec.Struct, frozen=True, gc=False, tag=True):
    """One trade, or several of one aggressor at one price.

    Parameters
    ----------
    symbol
        The venue's name of the instrument.
    time
        Venue time, nanoseconds since 1970 UTC; several trades may share one.
    price
        Price.
    size
        Base units or contracts; positive.
    side
        Of the aggressor: 1 bought, -1 sold, 0 unknown (an auction, a cross).
    id
        The venue's number of it, increasing; -1 where the venue gives none.
    """

    symbol: str
    time: int
    price: float
    size: float
    side: int = 0
    id: int = -1


class BookUpdate(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A change of the order book, or all of it.

    Parameters
    ----------
    symbol
        The venue's name of the instrument.
    time
        Venue time, nanoseconds since 1970 UTC.
    first, last
        The venue's numbers of the first and the last change in it; a snapshot's ``first`` is its
        ``last``.
    bids, asks
        ``(price, size)``; the size is what is there now, 0 takes the level away.
    previous
        ``last`` of the update before it where the venue says so, else -1.
    snapshot
        Whether this is the whole book and not a change of it.
    """

    symbol: str
    time: int
    first: int
    last: int
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    previous: int = -1
    snapshot: bool = False


class FeedGap(msgspec.Struct, frozen=True, gc=False, tag=True, omit_defaults=True):
    """Events between ``start`` and ``time`` were lost for good: whoever keeps state resets it.

    Parameters
    ----------
    symbol
        The instrument.
    time
        Venue time of the first event after the hole.
    start
        Venue time of the last event before it.
    stream
        What was lost: ``prices`` (ticks or bars, which decisions are made on), ``trades`` or
        ``book``. A stream that tells several at once may not say: it is ``prices`` then.
    """

    symbol: str
    time: int
    start: int
    stream: Literal["prices", "trades", "book"] = "prices"


Event = Tick | Bar | FeedGap
"""What decisions are made on."""

MarketEvent = Event | Trade | BookUpdate
"""What a venue can tell."""
