"""The decision clock: on which events a decision is due."""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = ["decision_rows", "due"]


@nb.njit(cache=True)
def due(count: int, every: int) -> bool:
    """Whether a decision is due on the ``count``-th event (from 1) since the last gap."""
    return count % every == 0


@nb.njit(cache=True)
def decision_rows(
    fresh: npt.NDArray[np.bool_], every: int, since: int = 0
) -> npt.NDArray[np.int64]:
    """Rows of a tape on which a decision is due: the batch form of :func:`due`.

    Parameters
    ----------
    fresh
        ``bool[n]``: the row follows a gap, where counting starts again.
    every
        Events per decision.
    since
        Events before the first row, since the start or the last gap.

    Examples
    --------
    >>> decision_rows(np.array([False, False, False, True, False]), 2).tolist()
    [1, 4]
    >>> decision_rows(np.array([False, False, False, True, False]), 2, since=1).tolist()
    [0, 2, 4]
    """
    rows = np.empty(len(fresh), np.int64)
    count, found = since, 0
    for i in range(len(fresh)):
        if fresh[i]:
            count = 0
        count += 1
        if due(count, every):
            rows[found] = i
            found += 1
    return rows[:found]
