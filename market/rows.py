"""An event as rows of its kind's columns, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import nan
from typing import Any

import numpy.typing as npt

from market.events import Bar, BookUpdate, MarketEvent, Tick, Trade

__all__ = ["KINDS", "KIND_OF", "Column", "rows_of", "update_of"]

Column = npt.NDArray[Any]

KINDS: dict[str, dict[str, str]] = {
    "ticks": {"price": "f8", "bid": "f8", "ask": "f8"},
    "trades": {"id": "i8", "price": "f8", "size": "f8", "side": "i1"},
    "bars": dict.fromkeys(("open", "high", "low", "close", "volume", "trades", "buy_volume"), "f8"),
    "book": {
        "first": "i8",
        "last": "i8",
        "previous": "i8",
        "snapshot": "?",
        "side": "i1",
        "price": "f8",
        "size": "f8",
    },
}
"""Columns of each kind, in order, with their numpy types.

``nan`` stands for what a venue does not tell. In a book each level is a row, of side 1 (bid) or -1
(ask); an update without a level is one row of side 0 with neither price nor size.
"""

KIND_OF: dict[type, str] = {Tick: "ticks", Trade: "trades", Bar: "bars", BookUpdate: "book"}
"""Kind of each event."""


def rows_of(event: MarketEvent) -> Iterator[tuple[Any, ...]]:
    """Yield an event's rows in the order of its kind's columns."""
    if isinstance(event, Tick):
        yield event.price, event.bid, event.ask
    elif isinstance(event, Trade):
        yield event.id, event.price, event.size, event.side
    elif isinstance(event, Bar):
        prices = (event.open, event.high, event.low, event.close)
        yield *prices, event.volume, event.trades, event.buy_volume
    elif isinstance(event, BookUpdate):
        head = (event.first, event.last, event.previous, event.snapshot)
        for price, size in event.bids:
            yield *head, 1, price, size
        for price, size in event.asks:
            yield *head, -1, price, size
        if not event.bids and not event.asks:
            yield *head, 0, nan, nan


def update_of(symbol: str, rows: Sequence[Any]) -> BookUpdate:
    """Return the update whose key and levels ``rows`` are."""
    (time, first, last, previous, snapshot), *levels = rows
    bids = tuple((price, size) for side, price, size in levels if side == 1)
    asks = tuple((price, size) for side, price, size in levels if side == -1)
    return BookUpdate(symbol, time, first, last, bids, asks, previous, snapshot)
