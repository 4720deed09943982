"""A symbol's record at the exchange: its seeded ticks, as far as they are published."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

from market.events import SECOND
from market.predictable import Walk
from market.synthetics import synthetic
from market.tape import Tape

__all__ = ["Record"]

_CHUNK = 4096
"""Ticks drawn at once. Part of the tape's definition: another size gives other prices."""


class Record:
    """The ticks of one symbol on an even grid, drawn as they are needed.

    Tick ``i`` stands at ``origin + i * interval`` seconds, and its price depends on ``seed``,
    ``symbol`` and ``i`` alone: not on who listens, how fast, or how far was drawn before.

    Parameters
    ----------
    symbol
        A synthetic index.
    seed
        Of the exchange.
    origin
        Epoch second of the first tick; rounded up to the symbol's grid.

    Examples
    --------
    >>> record = Record("R_75", seed=1, origin=1_000_001)
    >>> record.publish(5)
    >>> record.times(0, 5).tolist()
    [1000002, 1000004, 1000006, 1000008, 1000010]
    """

    def __init__(self, symbol: str, seed: int, origin: int) -> None:
        self.index = synthetic(symbol)
        self.symbol = symbol
        self.interval = self.index.interval
        self.origin = -(-origin // self.interval) * self.interval
        self.published = 0
        rng = np.random.default_rng([seed, zlib.crc32(symbol.encode())])
        self._walk = Walk(self.index.process, self.index.start, rng)
        self._prices = np.empty(_CHUNK)
        self._drawn = 0
        self._lost: set[int] = set()

    def epoch(self, i: int) -> int:
        """Return the epoch second of tick ``i``."""
        return self.origin + i * self.interval

    def through(self, epoch: float) -> int:
        """Return how many ticks stand at or before ``epoch``, published or not."""
        return max(0, int((epoch - self.origin) // self.interval) + 1)

    def price(self, i: int) -> float:
        """Return the quote of tick ``i``."""
        self._draw(i + 1)
        return float(self._prices[i])

    def publish(self, count: int) -> None:
        """Let the first ``count`` ticks be seen."""
        self._draw(count)
        self.published = max(self.published, count)

    def lose(self, i: int) -> None:
        """Strike tick ``i`` from the record."""
        self._lost.add(i)

    def latest(self) -> int:
        """Return the index of the last published tick that is not lost; -1 if there is none."""
        i = self.published - 1
        while i in self._lost:
            i -= 1
        return i

    def rows(self, start: int, end: int) -> npt.NDArray[np.int64]:
        """Return the indices of the published ticks from ``start`` to ``end``, both included."""
        first = max(0, -((self.origin - start) // self.interval))
        rows = np.arange(first, max(first, min(self.published, self.through(end))), dtype=np.int64)
        if self._lost:
            rows = rows[~np.isin(rows, np.fromiter(self._lost, np.int64))]
        return rows

    def times(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return the epoch seconds of ticks ``start`` to ``stop`` (exclusive)."""
        return self.origin + self.interval * np.arange(start, stop, dtype=np.int64)

    def prices(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the quotes of the ticks ``rows``."""
        return self._prices[rows]

    def tape(self, start: int = 0) -> Tape:
        """Return what is published from tick ``start`` on, lost ticks left out, as a tape."""
        rows = self.rows(self.epoch(start), self.epoch(self.published))
        times = (self.origin + self.interval * rows) * SECOND
        return Tape.of_ticks(self.symbol, times, self.prices(rows))

    def _draw(self, count: int) -> None:
        while self._drawn < count:
            if self._drawn == len(self._prices):
                self._prices = np.concatenate([self._prices, np.empty_like(self._prices)])
            stop = self._drawn + _CHUNK
            self._prices[self._drawn : stop] = self._walk.prices(_CHUNK)
            self._drawn = stop
