"""Flow: runs and balance of up and down events, and volume."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.scale import decay, ewma, ratio

__all__ = ["names", "params", "size", "step"]

Floats = npt.NDArray[np.float64]


def names(config: FeatureConfig) -> tuple[str, ...]:
    """Columns.

    * ``run``: events in a row in one direction, as ``± log2(1 + length)``; an unchanged price
      ends a run.
    * ``volume``: volume over its mean, minus one; 0 where volume is unknown.
    * ``imbalance_<half-life>``: mean of the events' directions, -1 to 1.
    """
    return ("run", "volume", *(f"imbalance_{half:g}" for half in config.imbalances))


def params(config: FeatureConfig) -> tuple[float, ...]:
    """Weights of the newest event: volume's, then the imbalances'."""
    return (decay(config.volume), *(decay(half) for half in config.imbalances))


def size(config: FeatureConfig) -> int:
    """Floats of state: the signed run, volume's mean, the imbalances' means."""
    return 1 + 2 * (1 + len(config.imbalances))


@nb.njit()
def step(state: Floats, param: Floats, out: Floats, change: float, volume: float) -> None:
    """Take one log return and its volume."""
    direction = 1.0 if change > 0.0 else (-1.0 if change < 0.0 else 0.0)
    state[0] = state[0] + direction if state[0] * direction > 0.0 else direction
    length = math.log2(1.0 + abs(state[0]))
    out[0] = length if state[0] > 0.0 else -length
    out[1] = 0.0
    if not math.isnan(volume):
        mean = ewma(state, 1, param[0], volume)
        if mean > 0.0:
            out[1] = ratio(volume - mean, mean)
    for i in range(1, len(param)):
        out[1 + i] = ewma(state, 1 + 2 * i, param[i], direction)
