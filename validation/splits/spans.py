"""When two labels share an outcome: spans of events, and what is apart from one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Ints", "apart", "check"]

Ints = npt.NDArray[np.int64]


def apart(label_end: Ints, rows: Ints, block: Ints, embargo: int) -> npt.NDArray[np.bool_]:
    """Tell which decisions share nothing with a contiguous block of them.

    Parameters
    ----------
    label_end, rows
        ``int64[m]``: event that settles each label, and event of each decision.
    block
        Indices of neighbours that are tested together.
    embargo
        Events after the block's last outcome that are left out too: columns there still remember
        the block's returns.

    Returns
    -------
    ``bool[m]``: the outcome was known before the block's first decision, or the decision was made
    more than ``embargo`` events after the block's last outcome.

    Examples
    --------
    >>> rows = np.arange(8)
    >>> np.flatnonzero(apart(rows + 1, rows, np.array([3, 4]), embargo=1)).tolist()
    [0, 1, 7]
    """
    start, end = rows[block[0]], max(label_end[block].max(), rows[block[-1]])
    told: npt.NDArray[np.bool_] = (label_end < start) | (rows > end + embargo)
    return told


def check(label_end: Ints, rows: Ints) -> None:
    """Refuse labels that don't belong to the rows, rows out of order, labels before their row."""
    if len(label_end) != len(rows):
        raise ValueError(f"label_end must match rows, were {len(label_end)} and {len(rows)}")
    if (np.diff(rows) <= 0).any():
        raise ValueError("rows must increase; sort the decisions by time")
    if (label_end < rows).any():
        i = int(np.argmax(label_end < rows))
        raise ValueError(
            f"label_end must not precede its row, was {label_end[i]} for row {rows[i]}"
        )
