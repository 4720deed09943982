"""Windows of decision rows, which never reach across a gap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

__all__ = ["batches", "full"]

Ints = npt.NDArray[np.int64]


def full(fresh: npt.NDArray[np.bool_], window: int) -> Ints:
    """Rows that end a full window: ``window - 1`` rows since the last gap come before them.

    Examples
    --------
    >>> full(np.array([True, False, False, True, False, False]), 2).tolist()
    [1, 2, 4, 5]
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, was {window}")
    row = np.arange(len(fresh))
    began = np.maximum.accumulate(np.where(fresh, row, 0))
    ends: Ints = np.flatnonzero(row - began >= window - 1)
    return ends


def batches(
    rows: npt.NDArray[np.float32], ends: Ints, window: int, size: int
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the windows that end at ``ends``, ``float32[<= size, window, F]`` at a time.

    Only a batch is copied at a time: a window's rows overlap with its neighbours', and all of them
    at once would take ``window`` times the memory of the rows.
    """
    back = np.arange(1 - window, 1)
    for start in range(0, len(ends), size):
        yield rows[ends[start : start + size, None] + back]
