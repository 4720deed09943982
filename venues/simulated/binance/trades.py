"""A symbol's trades, as far as they were executed: the one record that everything is told from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["FIRST_ID", "Trades"]

FIRST_ID = 1
"""Number of the first trade of a history, and of the first aggregate."""

Ints = npt.NDArray[np.int64]


class Trades:
    """Trades in the order they were executed, in columns that grow.

    Trade ``i`` has the id ``FIRST_ID + i``. Executions of one order at one price that follow each
    other are one aggregate; aggregate ``j`` has the id ``FIRST_ID + j``.

    Parameters
    ----------
    ms, ticks, lots, sells
        Of the history: time in milliseconds since 1970 UTC, price, quantity, and whether the
        aggressor sold (the buyer was the maker). Each is an aggregate of its own.
    """

    def __init__(self, ms: Ints, ticks: Ints, lots: Ints, sells: npt.NDArray[np.bool_]) -> None:
        self.count = self.groups = len(ms)
        self._rows = np.empty((4, max(1024, 2 * len(ms))), dtype=np.int64)
        for row, column in zip(self._rows, (ms, ticks, lots, sells), strict=True):
            row[: len(ms)] = column
        self._first = np.arange(self._rows.shape[1], dtype=np.int64)

    @property
    def ms(self) -> Ints:
        """Times in milliseconds."""
        return self._rows[0, : self.count]

    @property
    def ticks(self) -> Ints:
        """Prices."""
        return self._rows[1, : self.count]

    @property
    def lots(self) -> Ints:
        """Quantities."""
        return self._rows[2, : self.count]

    @property
    def sells(self) -> Ints:
        """1 where the aggressor sold, else 0."""
        return self._rows[3, : self.count]

    @property
    def first(self) -> Ints:
        """Index of each aggregate's first trade."""
        return self._first[: self.groups]

    def append(self, ms: int, tick: int, lots: int, sell: bool, joined: bool) -> None:
        """Add a trade; ``joined`` says that it belongs to the aggregate before it."""
        if self.count == self._rows.shape[1]:
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)], axis=1)
            self._first = np.concatenate([self._first, np.empty_like(self._first)])
        self._rows[:, self.count] = (ms, tick, lots, sell)
        if not joined:
            self._first[self.groups] = self.count
            self.groups += 1
        self.count += 1

    def last(self) -> int:
        """Return the price of the last trade."""
        return int(self._rows[1, self.count - 1])

    def span(self, group: int) -> tuple[int, int]:
        """Return the trades of an aggregate as a half-open range of indices."""
        stop = self._first[group + 1] if group + 1 < self.groups else self.count
        return int(self._first[group]), int(stop)
