"""Relative strength: Wilder's RSI on log returns, moved from [0, 100] to [-1, 1]."""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.scale import ewma, ratio

__all__ = ["names", "params", "size", "step"]

Floats = npt.NDArray[np.float64]


def names(config: FeatureConfig) -> tuple[str, ...]:
    """``strength_<span>``: ``RSI(span) / 50 - 1``, that is mean return over mean |return|."""
    return tuple(f"strength_{span}" for span in config.strengths)


def params(config: FeatureConfig) -> tuple[float, ...]:
    """Weight of the newest event, ``1 / span``."""
    return tuple(1.0 / span for span in config.strengths)


def size(config: FeatureConfig) -> int:
    """Floats of state."""
    return 4 * len(config.strengths)


@nb.njit()
def step(state: Floats, param: Floats, out: Floats, change: float) -> None:
    """Take one log return."""
    for i in range(len(out)):
        net = ewma(state, 4 * i, param[i], change)
        gross = ewma(state, 4 * i + 2, param[i], abs(change))
        out[i] = ratio(net, gross)
