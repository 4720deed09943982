"""Trend: how far the price stands from its moving averages."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.scale import ewma, ratio

__all__ = ["names", "params", "size", "step"]

Floats = npt.NDArray[np.float64]


def names(config: FeatureConfig) -> tuple[str, ...]:
    """``trend_<span>``: ``(log close - its EMA(span)) / (volatility * sqrt(span))``."""
    return tuple(f"trend_{span}" for span in config.trends)


def params(config: FeatureConfig) -> tuple[float, ...]:
    """Weight of the newest event, ``2 / (span + 1)``, and the root of the span, per column."""
    return tuple(x for span in config.trends for x in (2.0 / (span + 1.0), math.sqrt(span)))


def size(config: FeatureConfig) -> int:
    """Floats of state."""
    return 2 * len(config.trends)


@nb.njit()
def step(state: Floats, param: Floats, out: Floats, level: float, volatility: float) -> None:
    """Take one log price."""
    for i in range(len(out)):
        mean = ewma(state, 2 * i, param[2 * i], level)
        out[i] = ratio(level - mean, volatility * param[2 * i + 1])
