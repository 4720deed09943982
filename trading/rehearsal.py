"""A made-up stretch of market that has everything in it that columns can be made of."""

from __future__ import annotations

from collections.abc import Iterator

from features.config import FeatureConfig
from market.book import Book
from market.events import SECOND, Bar, BookUpdate, MarketEvent, Tick, Trade
from market.instruments import Instrument

__all__ = ["rehearsal"]


def rehearsal(instrument: Instrument, features: FeatureConfig, count: int) -> Iterator[MarketEvent]:
    """Yield bars a second apart with a trade, a change of the book and a peer's tick before each.

    Parameters
    ----------
    instrument
        Whose; its ``tick`` is the step of the book.
    features
        Whose streams are told.
    count
        Bars.
    """
    symbol, streams = instrument.symbol, features.streams
    book = Book(symbol, instrument.tick or 1)
    for number in range(1, count + 1):
        time, wave = number * SECOND, number % 7
        price = 100.0 + 0.01 * wave
        if "book" in streams:
            bids = ((book.price(1_000 + wave), 1.0 + wave),)
            asks = ((book.price(1_010 + wave), 2.0),)
            yield BookUpdate(symbol, time, number, number, bids, asks, snapshot=True)
        if "trades" in streams:
            yield Trade(symbol, time, price, 1.0 + wave, 1 if wave > 3 else -1, number)
        if "peer" in streams:
            yield Tick(features.peer, time, 2.0 * price)
        yield Bar(symbol, time, price, price + 0.02, price - 0.02, price, 10.0, 3.0, 1.0 + wave)
