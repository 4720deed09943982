"""A recording as a market: a range of its dates, cut at random or put together anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.augment import block_bootstrap
from market.errors import DataError
from market.tape import Tape

__all__ = ["Replay"]


@dataclass(frozen=True)
class Replay:
    """Tapes cut out of a recording.

    Each tape is a run of neighbouring rows that begins at a drawn one, gaps and all; with
    ``block`` it is then put together anew by the stationary bootstrap
    (:func:`features.augment.block_bootstrap`), before any feature is computed of it, so that a
    feature never looks across a seam into rows that follow later. Give it the training part of a
    recording: resampled returns that a result is judged by would tell the answer.

    Parameters
    ----------
    recording
        Ticks or bars.
    since, until
        Venue times, nanoseconds: rows at or after ``since`` and before ``until`` are used;
        ``until=0``: to the end.
    block
        Mean rows in a block of the bootstrap; 0: rows stay where they were.

    Raises
    ------
    DataError
        Fewer than two rows lie in the range.

    Examples
    --------
    >>> whole = Tape.of_ticks("X", np.arange(1, 101), np.linspace(10.0, 20.0, 100))
    >>> Replay(whole, since=11, until=31).tape(20, np.random.default_rng(1)).times.tolist()[::19]
    [11, 30]
    """

    recording: Tape
    since: int = 0
    until: int = 0
    block: int = 0

    def __post_init__(self) -> None:
        if self.block < 0:
            raise ValueError(f"block must not be negative, was {self.block}")
        times = self.recording.times
        first, last = np.searchsorted(times, (self.since, self.until or np.iinfo(np.int64).max))
        if last - first < 2:
            raise DataError(
                f"{self.symbol}: {max(last - first, 0)} events from {self.since} to "
                f"{self.until or 'the end'}; the recording goes from "
                f"{times[:1].tolist()} to {times[-1:].tolist()}"
            )
        object.__setattr__(self, "recording", self.recording.slice(int(first), int(last)))

    @property
    def symbol(self) -> str:
        """The recording's."""
        return self.recording.symbol

    def tape(self, n: int, rng: np.random.Generator) -> Tape:
        """Draw ``n`` neighbouring rows; see :meth:`envs.markets.port.Market.tape`."""
        rows = len(self.recording)
        if not 2 <= n <= rows:
            raise ValueError(f"n must be from 2 to {rows}, was {n}")
        start = int(rng.integers(0, rows - n + 1))
        cut = self.recording.slice(start, start + n)
        return block_bootstrap(cut, self.block, rng) if self.block else cut
