"""Jumps: returns far beyond the median absolute return.

The median is followed by a step up or down per event, in proportion to itself, so neither the
price's unit nor the size of a jump matters: a spike of a thousand medians moves it by one step.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.scale import LIMIT, decay, ewma

__all__ = ["MEDIAN", "names", "params", "size", "step"]

MEDIAN, SEEN, AGE, SIZE, RATE = range(5)
SLOWEST = 0.01
"""Step of the median once settled; ``1 / events`` before."""
JUDGED = 32.0
"""Events the median settles over before a return may count as a jump."""

Floats = npt.NDArray[np.float64]


def names(config: FeatureConfig) -> tuple[str, ...]:
    """Columns.

    * ``jump_age``: events since the last jump over ``jump_age``, 0 to 1; 1 before the first.
    * ``jump_size``: that jump, as ``± log(|return| / median |return|)``; 0 once forgotten.
    * ``jump_rate``: jumps per event, over the last ``jump_age`` (half-life), times 100.
    """
    return ("jump_age", "jump_size", "jump_rate")


def params(config: FeatureConfig) -> tuple[float, ...]:
    """Multiple that makes a jump, the age cap, the rate's weight of the newest event."""
    return (config.jump, float(config.jump_age), decay(config.jump_age))


def size(config: FeatureConfig) -> int:
    """Floats of state."""
    return 6


@nb.njit()
def step(state: Floats, param: Floats, out: Floats, change: float) -> None:
    """Take one log return; unchanged prices are left out of the median."""
    magnitude = abs(change)
    jumped = 0.0
    if state[SEEN] == 0.0:
        state[AGE] = param[1]
    if magnitude > 0.0:
        if state[SEEN] >= JUDGED and magnitude > param[0] * state[MEDIAN]:
            jumped = 1.0
            state[AGE] = -1.0
            size = math.log(magnitude / state[MEDIAN])
            state[SIZE] = size if change > 0.0 else -size
        state[SEEN] += 1.0
        pace = 1.0 + max(SLOWEST, 1.0 / state[SEEN])
        if state[MEDIAN] == 0.0:
            state[MEDIAN] = magnitude
        elif magnitude > state[MEDIAN]:
            state[MEDIAN] *= pace
        else:
            state[MEDIAN] /= pace
    state[AGE] = min(state[AGE] + 1.0, param[1])
    if state[AGE] == param[1]:
        state[SIZE] = 0.0
    out[0] = state[AGE] / param[1]
    out[1] = min(max(state[SIZE], -LIMIT), LIMIT)
    out[2] = min(100.0 * ewma(state, RATE, param[2], jumped), LIMIT)
