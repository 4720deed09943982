"""Market events: what a venue tells us, in venue time."""

from __future__ import annotations

from math import nan

import msgspec

__all__ = ["SECOND", "Bar", "Event", "FeedGap", "Tick"]

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
    """

    symbol: str
    time: int
    open: float
    high: float
    low: float
    close: float
    volume: float = nan


class FeedGap(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Events between ``start`` and ``time`` were lost for good: whoever keeps state resets it.

    Parameters
    ----------
    symbol
        The instrument.
    time
        Venue time of the first event after the hole.
    start
        Venue time of the last event before it.
    """

    symbol: str
    time: int
    start: int


Event = Tick | Bar | FeedGap
