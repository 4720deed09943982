"""What a symbol's columns are made of besides its ticks or bars, recorded."""

from __future__ import annotations

from dataclasses import dataclass

from market.series import Series
from market.tape import Tape

__all__ = ["Beside"]


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
