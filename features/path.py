"""The log-price path since the last gap: the only memory of prices the features have.

State: events seen, last close, log price relative to the first close, then a ring of the last
``longest + 1`` log prices. Only ratios of prices enter, so the price's unit never does.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig

__all__ = ["COUNT", "LEVEL", "advance", "back", "extremes", "names", "params", "size"]

COUNT, CLOSE, LEVEL, RING = range(4)

Floats = npt.NDArray[np.float64]


def names(config: FeatureConfig) -> tuple[str, ...]:
    """No columns of its own."""
    return ()


def params(config: FeatureConfig) -> tuple[float, ...]:
    """No numbers of its own."""
    return ()


def size(config: FeatureConfig) -> int:
    """Floats of state."""
    return RING + config.longest + 1


@nb.njit()
def advance(path: Floats, close: float) -> float:
    """Append ``close``; return its log return (0 on the first event)."""
    step = 0.0
    if path[COUNT] > 0.0:
        step = math.log(close / path[CLOSE])
    path[LEVEL] += step
    path[CLOSE] = close
    path[RING + int(path[COUNT]) % (len(path) - RING)] = path[LEVEL]
    path[COUNT] += 1.0
    return step


@nb.njit()
def back(path: Floats, events: int) -> float:
    """Log price ``events`` ago (at most ``longest``); that of the first event before then."""
    last = int(path[COUNT]) - 1
    if events > last:
        return 0.0
    level: float = path[RING + (last - events) % (len(path) - RING)]
    return level


@nb.njit()
def extremes(path: Floats, events: int) -> tuple[float, float]:
    """Lowest and highest log price of the last ``events`` events, this one included."""
    capacity = len(path) - RING
    last = int(path[COUNT]) - 1
    low = high = path[LEVEL]
    for n in range(1, min(events, last + 1)):
        level = path[RING + (last - n) % capacity]
        low = min(low, level)
        high = max(high, level)
    return low, high
