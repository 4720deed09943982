"""Windows laid flat: for a model that knows no time, each lag is a column of its own."""

from __future__ import annotations

import numpy as np

from models.member import Ints, Rows
from models.windows import batches

__all__ = ["flat"]


def flat(rows: Rows, ends: Ints, window: int) -> Rows:
    """Lay the windows that end at ``ends`` flat, the oldest row first: ``[n, window · F]``.

    Examples
    --------
    >>> rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    >>> flat(rows, np.array([1, 2]), 2).tolist()
    [[0.0, 1.0, 2.0, 3.0], [2.0, 3.0, 4.0, 5.0]]
    """
    if window == 1:
        return rows[ends]
    parts = [part.reshape(len(part), -1) for part in batches(rows, ends, window, max(len(ends), 1))]
    return np.concatenate(parts) if parts else np.empty((0, window * rows.shape[1]), np.float32)
