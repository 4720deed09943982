"""What a symbol's columns are made of besides its ticks or bars, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import TypeVar

import numpy as np

from market.events import MarketEvent
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
        return Beside(
            _until(self.trades, time), _until(self.book, time), self.tick, _until(self.peer, time)
        )

    def events(self, tape: Tape) -> Iterator[MarketEvent]:
        """Yield everything recorded in the order it is taken, ``tape`` included."""
        recorded = (self.book, self.trades, self.peer, tape)
        streams = [one.events() for one in recorded if one is not None]
        return merge(*streams, key=lambda event: event.time)


def _until(recorded: Recorded | None, time: int) -> Recorded | None:
    if recorded is None:
        return None
    return recorded.slice(0, int(np.searchsorted(recorded.times, time, side="right")))
