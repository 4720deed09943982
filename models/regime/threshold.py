"""Regimes by the levels of one column."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from models.regime.card import ThresholdNumbers
from models.regime.config import ThresholdConfig

__all__ = ["Threshold", "fit_threshold"]

Rows = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def fit_threshold(config: ThresholdConfig, rows: Rows) -> ThresholdNumbers:
    """Take the levels as given, or as the quantiles of ``float32[m, 1]`` training rows.

    Raises
    ------
    DataError
        Two quantiles are the same number, so that no row could lie between them.
    """
    if config.levels:
        return ThresholdNumbers(config.levels)
    levels = tuple(np.quantile(rows[:, 0].astype(np.float64), config.quantiles).tolist())
    lowest = float(rows[:, 0].min())
    if any(b <= a for a, b in zip((lowest, *levels), levels, strict=False)):
        raise DataError(
            f"{config.column} must differ between its quantiles {config.quantiles}, which were "
            f"{levels}, and its least {lowest:g}; give fixed levels, or take another column"
        )
    return ThresholdNumbers(levels)


class Threshold:
    """Runtime of a threshold model: ``searchsorted``, a value equal to a level is above it."""

    def __init__(self, numbers: ThresholdNumbers) -> None:
        self.count = len(numbers.levels) + 1
        self._levels = list(numbers.levels)
        self._array = np.array(numbers.levels, dtype=np.float64)

    def index(self, window: Rows) -> int:
        """Regime of the window's last row, all that counts."""
        return bisect_right(self._levels, float(window[-1, 0]))

    def at(self, rows: Rows, ends: Ints, window: int) -> Ints:
        """Regimes of the windows that end at ``ends``."""
        values = rows[ends, 0].astype(np.float64)
        found: Ints = np.searchsorted(self._array, values, side="right").astype(np.int64)
        return found
