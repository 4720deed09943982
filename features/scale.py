"""Averages without start-up bias and ratios without infinities: what keeps columns scale-free."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = ["LIMIT", "decay", "ewma", "log_ratio", "ratio"]

LIMIT = 16.0
"""No column leaves ``[-LIMIT, LIMIT]``: a dead price can't blow a ratio up."""


def decay(half_life: float) -> float:
    """Weight of the newest event: ``1 - 2 ** (-1 / half_life)``."""
    return -math.expm1(-math.log(2.0) / half_life)


@nb.njit()
def ewma(state: npt.NDArray[np.float64], i: int, alpha: float, value: float) -> float:
    """Take ``value`` into the average kept in ``state[i]`` and ``state[i + 1]``; return it.

    The weights so far are summed beside the values, so the average is right from the first
    event on: pandas' ``ewm(alpha=alpha, adjust=True).mean()``.
    """
    state[i] += alpha * (value - state[i])
    state[i + 1] += alpha * (1.0 - state[i + 1])
    mean: float = state[i] / state[i + 1]
    return mean


@nb.njit()
def ratio(a: float, b: float) -> float:
    """Divide within ``[-LIMIT, LIMIT]``; 0 where ``b`` is not positive."""
    if b <= 0.0:
        return 0.0
    return min(max(a / b, -LIMIT), LIMIT)


@nb.njit()
def log_ratio(a: float, b: float) -> float:
    """Take ``log(a / b)`` within ``[-LIMIT, LIMIT]``; 0 where either is not positive."""
    if a <= 0.0 or b <= 0.0:
        return 0.0
    return min(max(math.log(a / b), -LIMIT), LIMIT)
