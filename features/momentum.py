"""Momentum: returns over spans, in standard deviations of such a return."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.path import LEVEL, back
from features.scale import ratio

__all__ = ["names", "params", "size", "step"]

Floats = npt.NDArray[np.float64]


def names(config: FeatureConfig) -> tuple[str, ...]:
    """``momentum_<span>``: ``log(close / close[span ago]) / (volatility * sqrt(span))``."""
    return tuple(f"momentum_{span}" for span in config.momentum)


def params(config: FeatureConfig) -> tuple[float, ...]:
    """Spans."""
    return tuple(float(span) for span in config.momentum)


def size(config: FeatureConfig) -> int:
    """No state beyond the path's."""
    return 0


@nb.njit()
def step(param: Floats, out: Floats, path: Floats, volatility: float) -> None:
    """Read the path."""
    for i in range(len(out)):
        change = path[LEVEL] - back(path, int(param[i]))
        out[i] = ratio(change, volatility * math.sqrt(param[i]))
