"""What a label says: three classes of a move, two of a question, and that nothing is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["DOWN", "FLAT", "NO", "NONE", "UP", "YES", "Floats", "Ints", "Labels"]

NONE, DOWN, FLAT, UP = -1, 0, 1, 2
"""Classes of a move; ``NONE`` where the future isn't known or lies behind a gap."""

NO, YES = 0, 1
"""Classes of a question: was the price reached, was the trade won? Or ``NONE``."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Labels = tuple[npt.NDArray[np.int8], Ints]
"""Class of each decision, and the event that settled it; the decision's own where ``NONE``."""
