"""What was recorded of a market besides a symbol's ticks or bars, and the order it is taken in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import merge
from typing import TypeVar

import numpy as np

from market.book import Book
from market.events import BookUpdate, MarketEvent
from market.series import Series
from market.tape import Tape

__all__ = ["Beside"]

Recorded = TypeVar("Recorded", Series, Tape)


@dataclass(frozen=True)
class Beside:
    """Recordings beside a tape.

    Where events share a time, the book comes first, then trades, then the peer, then the tape's
    own: a row of columns holds all that had happened by its event.

    Parameters
    ----------
    trades, book
        The symbol's own.
    tick
        Price step of the book.
    peer
        Ticks or bars of another symbol.
    """

    trades: Series | None = None
    book: Series | None = None
    tick: float | str = ""
    peer: Tape | None = None

    def until(self, time: int) -> Beside:
        """Return what had happened by ``time``, as views."""
        return replace(
            self,
            trades=_cut(self.trades, time, later=False),
            book=_cut(self.book, time, later=False),
            peer=_cut(self.peer, time, later=False),
        )

    def after(self, time: int) -> Beside:
        """Return what happened later than ``time``, and the whole book as it stood then.

        Without it the changes that follow would say nothing. It is told as a snapshot that has the
        time and the number of the last change before; where there was no book then, it is left out.
        """
        return replace(
            self,
            trades=_cut(self.trades, time, later=True),
            book=self._book(time),
            peer=_cut(self.peer, time, later=True),
        )

    def events(self, tape: Tape) -> Iterator[MarketEvent]:
        """Yield everything recorded in the order it is taken, ``tape`` included."""
        recorded = (self.book, self.trades, self.peer, tape)
        streams = [one.events() for one in recorded if one is not None]
        return merge(*streams, key=lambda event: event.time)

    def _book(self, time: int) -> Series | None:
        rest = _cut(self.book, time, later=True)
        passed = _cut(self.book, time, later=False)
        if rest is None or passed is None:
            return None
        first = _last_whole(passed)
        if first < 0 or passed.fresh[first + 1 :].any():
            return rest
        passed = passed.slice(first, len(passed))
        level = passed.columns["side"] != 0
        sides, prices, sizes = (passed.columns[name][level] for name in ("side", "price", "size"))
        book = Book(rest.symbol, self.tick)
        book.apply(sides, book.ticks(prices), sizes)
        number, levels = int(passed.columns["last"][-1]), len(book)
        bids, asks = (
            tuple((price, size) for price, size in side.tolist())
            for side in (book.bids(levels), book.asks(levels))
        )
        then = int(passed.times[-1])
        whole = BookUpdate(rest.symbol, then, number, number, bids, asks, snapshot=True)
        return Series.joined([Series.from_events(rest.symbol, [whole]), rest])


def _last_whole(book: Series) -> int:
    """Return the first row of the last snapshot; -1 if there is none."""
    columns = book.columns
    begins = book.fresh.copy()
    begins[:1] = True
    for key in (book.times, *(columns[name] for name in ("first", "last", "snapshot"))):
        begins[1:] |= key[1:] != key[:-1]
    found = np.flatnonzero(begins & columns["snapshot"])
    return int(found[-1]) if len(found) else -1


def _cut(recorded: Recorded | None, time: int, later: bool) -> Recorded | None:
    if recorded is None:
        return None
    edge = int(np.searchsorted(recorded.times, time, side="right"))
    return recorded.slice(edge, len(recorded)) if later else recorded.slice(0, edge)
