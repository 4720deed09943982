"""Exponential averages: one without start-up bias, one that starts as TA-Lib's do."""

from __future__ import annotations

import math

from features.compiled import Floats, compiled

__all__ = ["EWMA", "SEEDED", "decay", "ewma", "seeded"]

EWMA = 2
"""Floats of state of :func:`ewma`."""
SEEDED = 2
"""Floats of state of :func:`seeded`."""


def decay(half_life: float) -> float:
    """Weight of the newest event: ``1 - 2 ** (-1 / half_life)``."""
    return -math.expm1(-math.log(2.0) / half_life)


@compiled
def ewma(state: Floats, i: int, alpha: float, value: float) -> float:
    """Take ``value`` into the average kept in ``state[i]`` and ``state[i + 1]``; return it.

    The weights so far are summed beside the values, so the average is right from the first
    event on: pandas' ``ewm(alpha=alpha, adjust=True).mean()``.
    """
    state[i] += alpha * (value - state[i])
    state[i + 1] += alpha * (1.0 - state[i + 1])
    mean: float = state[i] / state[i + 1]
    return mean


@compiled
def seeded(state: Floats, i: int, n: int, alpha: float, value: float) -> float:
    """Take ``value`` into the average kept in ``state[i]`` and ``state[i + 1]``; return it.

    The mean of the first ``n`` values, then ``mean += alpha * (value - mean)``; nan before. So
    TA-Lib starts its EMA (``alpha = 2 / (n + 1)``) and Wilder's averages (``alpha = 1 / n``).
    """
    if state[i + 1] < n:
        state[i] += value
        state[i + 1] += 1.0
        if state[i + 1] < n:
            return math.nan
        state[i] /= n
    else:
        state[i] += alpha * (value - state[i])
    mean: float = state[i]
    return mean
