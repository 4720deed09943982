"""The documented way to a whole order book: a snapshot, and the changes that follow it.

The stream gives changes only, the REST call a book that is already old when it arrives. Both are
numbered; this says which changes follow which book, and when one was lost. It does no network:
whoever does asks :attr:`DepthSync.needs_snapshot`.
"""

from __future__ import annotations

from collections import deque
from typing import Literal

from market.errors import DataError
from market.events import BookUpdate

__all__ = ["DepthSync"]


class DepthSync:
    """Orders one symbol's changes after a snapshot; after a lost one it starts again.

    Spot: the first change used has ``first <= snapshot + 1 <= last``, each later one
    ``first <= last of the one before + 1``. Futures: the first has ``first <= snapshot <= last``
    or ``previous <= snapshot <= last`` (numbers between two changes belong to other symbols, and
    a snapshot may carry one of them), each later one ``previous == last`` of the one before.
    What is already in the book is dropped without a word.

    Parameters
    ----------
    market
        ``spot`` or ``usdm``.
    keep
        Changes kept while there is no snapshot; the oldest go first. A snapshot older than what
        is kept is then refused, so nothing wrong comes of it.

    Attributes
    ----------
    gaps
        Times a change was missing and all began again.
    stale
        Snapshots refused because a change between them and the stream was missing.
    last
        Number of the last change in the book; -1 while there is none.

    Notes
    -----
    A snapshot of limited depth says nothing of the levels beyond it; they appear as they change.

    Numbers that fall while time goes on are another count (an exchange that was reset): a gap.

    Examples
    --------
    >>> def change(first, last):
    ...     return BookUpdate("BTCUSDT", last, first, last, ((9.0, 1.0),), ())
    >>> sync = DepthSync("spot")
    >>> sync.update(change(5, 6)), sync.needs_snapshot
    ([], True)
    >>> book = BookUpdate("BTCUSDT", 4, 4, 4, ((9.0, 2.0),), ((10.0, 1.0),), snapshot=True)
    >>> [one.last for one in sync.snapshot(book)], sync.needs_snapshot
    ([4, 6], False)
    >>> sync.update(change(8, 9)), sync.needs_snapshot, sync.gaps
    ([], True, 1)
    """

    def __init__(self, market: Literal["spot", "usdm"], keep: int = 10_000) -> None:
        if market not in ("spot", "usdm"):
            raise DataError(f"market must be 'spot' or 'usdm', was {market!r}")
        if keep < 1:
            raise DataError(f"keep must be positive, was {keep}")
        self.market = market
        self.gaps = 0
        self.stale = 0
        self.last = -1
        self._chained = False
        self._waiting: deque[BookUpdate] = deque(maxlen=keep)
        self._newest = (-1, -1)

    @property
    def needs_snapshot(self) -> bool:
        """Whether there is no book now: fetch a snapshot and give it to :meth:`snapshot`."""
        return self.last < 0

    def restart(self) -> None:
        """Forget book and changes: the connection was lost, and what it told is history."""
        self.last, self._chained = -1, False
        self._waiting.clear()
        self._newest = (-1, -1)

    def update(self, update: BookUpdate) -> list[BookUpdate]:
        """Take one change of the stream and return what may be applied to the book now.

        Returns
        -------
        list of BookUpdate
            The change, or nothing: it was in the book already, there is no book yet, or one was
            missing before it and a new snapshot is needed.

        Raises
        ------
        DataError
            Its numbers are impossible.
        """
        if update.snapshot:
            return self.snapshot(update)
        if not 0 <= update.first <= update.last:
            raise DataError(
                f"{update.symbol}: update numbers must be 0 <= first <= last, "
                f"were {update.first} and {update.last}"
            )
        last, time = self._newest
        reset = update.last < last and update.time > time
        if reset:
            self.restart()
            self.gaps += 1
        if reset or update.last >= last:
            self._newest = (update.last, update.time)
        if self.needs_snapshot:
            self._waiting.append(update)
            return []
        if update.last <= self.last:
            return []
        if not self._follows(update):
            self.gaps += 1
            self.last, self._chained = -1, False
            self._waiting.append(update)
            return []
        self.last, self._chained = update.last, True
        return [update]

    def snapshot(self, book: BookUpdate) -> list[BookUpdate]:
        """Take a whole book and return it with the changes kept that follow it.

        Returns
        -------
        list of BookUpdate
            Nothing if none was needed or this one is too old for the stream:
            :attr:`needs_snapshot` then still says so.

        Raises
        ------
        DataError
            Its number is impossible.
        """
        if book.last < 0:
            raise DataError(f"{book.symbol}: a snapshot's number must be >= 0, was {book.last}")
        if not self.needs_snapshot:
            return []
        self.last, self._chained = book.last, False
        valid = [book]
        # Sorted, because what came out of order is whole again here.
        for update in sorted(self._waiting, key=lambda one: one.last):
            if update.last <= self.last:
                continue
            if not self._follows(update):
                self.stale += 1
                self.last, self._chained = -1, False
                return []
            self.last, self._chained = update.last, True
            valid.append(update)
        self._waiting.clear()
        return valid

    def _follows(self, update: BookUpdate) -> bool:
        """Whether nothing is missing between the book and a change that is newer than it."""
        if self.market == "spot":
            return update.first <= self.last + 1
        if self._chained:
            return update.previous == self.last
        return update.first <= self.last or 0 <= update.previous <= self.last
