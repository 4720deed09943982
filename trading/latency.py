"""Rolling latency percentiles of the last decisions."""

from __future__ import annotations

from collections import deque
from math import nan

import numpy as np

__all__ = ["Latency"]


class Latency:
    """Median and 99th percentile of the last ``size`` durations.

    Parameters
    ----------
    size
        How many durations count.

    Examples
    --------
    >>> latency = Latency(size=3)
    >>> for seconds in (9.0, 0.001, 0.002, 0.003):
    ...     latency.add(seconds)
    >>> latency.milliseconds(50)
    2.0
    """

    def __init__(self, size: int = 1000) -> None:
        self._seconds: deque[float] = deque(maxlen=size)

    def add(self, seconds: float) -> None:
        """Take one duration."""
        self._seconds.append(seconds)

    def milliseconds(self, percentile: float) -> float:
        """Return a percentile in milliseconds; ``nan`` before the first duration."""
        if not self._seconds:
            return nan
        return float(np.percentile(np.fromiter(self._seconds, np.float64), percentile)) * 1e3
