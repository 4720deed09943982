"""Volatility: the root of the exponentially weighted mean square log return, per event.

Returns are not centred: over one event the mean is far below the noise of its estimate.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.scale import decay, ewma, log_ratio

__all__ = ["names", "params", "size", "step"]

Floats = npt.NDArray[np.float64]


def names(config: FeatureConfig) -> tuple[str, ...]:
    """``volatility_<half-life>``: log of that volatility over *the* volatility."""
    return tuple(f"volatility_{half:g}" for half in config.volatilities)


def params(config: FeatureConfig) -> tuple[float, ...]:
    """Weights of the newest event, *the* volatility's first."""
    return tuple(decay(half) for half in (config.volatility, *config.volatilities))


def size(config: FeatureConfig) -> int:
    """Floats of state."""
    return 2 * (1 + len(config.volatilities))


@nb.njit()
def step(state: Floats, param: Floats, out: Floats, change: float) -> float:
    """Take one log return; return *the* volatility, in log price per event."""
    square = change * change
    volatility = math.sqrt(ewma(state, 0, param[0], square))
    for i in range(len(out)):
        other = math.sqrt(ewma(state, 2 + 2 * i, param[1 + i], square))
        out[i] = log_ratio(other, volatility)
    return volatility
