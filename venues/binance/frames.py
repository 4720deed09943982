"""Depth frames as bytes to columns, compiled: for replays, where a million levels are read at once.

One pass over the text and no object in between. A stream's live frames go through
:mod:`venues.binance.codec`; this reads the same ones, and recordings with a receipt time before
each (``<nanoseconds> <json>``, a line each).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from market.book import Book, grid
from market.errors import DataError
from market.events import BookUpdate
from market.ladder import Floats, Ints
from venues.binance.depth import DepthSync
from venues.binance.framekernel import (
    BAD_PRICE,
    BAD_SIZE,
    END,
    KIND,
    LAST,
    MALFORMED,
    SNAPSHOT,
    read_frames,
)

__all__ = ["DepthFrames", "rebuild"]


REASONS = {MALFORMED: "malformed", BAD_PRICE: "price", BAD_SIZE: "size"}


@dataclass(frozen=True)
class DepthFrames:
    """What the frames of one symbol's depth stream say.

    Parameters
    ----------
    frames
        ``int64[n, 6]``: kind (1 a change, 2 a snapshot, 0 no depth frame, -1 malformed, -2 a price
        off the grid, -3 no size), venue time as sent, first and last number, previous one (-1
        where not told), and the row after the frame's last.
    sides, ticks, sizes
        A row a level, as :meth:`market.book.Book.apply` takes them; none of a refused frame.

    Examples
    --------
    >>> told = DepthFrames.read(
    ...     b'{"e":"depthUpdate","E":17,"s":"X","U":5,"u":6,"b":[["9.9","2"]],"a":[]}', "0.1")
    >>> told.frames.tolist(), told.ticks.tolist(), told.sizes.tolist()
    ([[1, 17, 5, 6, -1, 1]], [99], [2.0])
    """

    frames: Ints
    sides: npt.NDArray[np.int8]
    ticks: Ints
    sizes: Floats

    @classmethod
    def read(cls, data: bytes, tick: float | str) -> DepthFrames:
        """Read frames, a line each; what can't be used is kept as a frame with its refusal.

        Parameters
        ----------
        data
            The text. Only the spaceless JSON that the venue sends is read.
        tick
            The symbol's price step.
        """
        n, d = grid(tick)
        text = np.frombuffer(data, np.uint8)
        # A level takes 9 bytes at least; memory that is not written to is not taken.
        most = len(data) // 9 + 1
        ends = np.append(np.flatnonzero(text == ord("\n")), len(text))
        frames = np.empty((len(ends), END + 1), np.int64)
        sides, ticks, sizes = np.empty(most, np.int8), np.empty(most, np.int64), np.empty(most)
        count, rows = read_frames(text, ends, n, d, frames, sides, ticks, sizes)
        return cls(frames[:count], sides[:rows], ticks[:rows], sizes[:rows])

    @property
    def refused(self) -> dict[str, int]:
        """How many frames could not be used, by reason."""
        kinds = self.frames[:, KIND]
        counts = {reason: int((kinds == kind).sum()) for kind, reason in REASONS.items()}
        return {reason: count for reason, count in counts.items() if count}


def rebuild(told: DepthFrames, book: Book, market: Literal["spot", "usdm"]) -> tuple[Ints, Floats]:
    """Bring a book along with recorded frames, through :class:`DepthSync`.

    Returns
    -------
    numbers, tops
        ``int64[m]``, the last number of each update applied, and ``float64[m, 4]``, best bid,
        its size, best ask, its size after it.

    Raises
    ------
    DataError
        A change was lost and no later snapshot follows on; ``book`` is then as it was before.
    """
    sync, starts = DepthSync(market), np.concatenate(([0], told.frames[:-1, END]))
    kept = told.frames[:, KIND] > 0
    # Each update carries its place as its time, which orders them as well.
    places: list[int] = []
    for i, (kind, _, first, last, previous, _) in enumerate(told.frames[kept].tolist()):
        whole = kind == SNAPSHOT
        one = BookUpdate(book.symbol, i, first, last, (), (), previous, whole)
        valid = sync.update(one)
        if valid and valid[0].snapshot:
            places.clear()
        places += [each.time for each in valid]
    if sync.needs_snapshot:
        raise DataError(f"{book.symbol}: changes are missing and no snapshot follows them")
    begins, frames = starts[kept][places], told.frames[kept][places]
    ends = np.cumsum(frames[:, END] - begins)
    # Rows of the updates used, in their order: the snapshot's come before what waited for it.
    rows = np.arange(ends[-1]) + np.repeat(frames[:, END] - ends, np.diff(ends, prepend=0))
    book.clear()
    tops = book.replay(ends, told.sides[rows], told.ticks[rows], told.sizes[rows])
    book.last = int(frames[-1, LAST])
    return frames[:, LAST], tops
