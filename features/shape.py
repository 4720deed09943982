"""Shape of the returns: skewness, autocorrelation, variance ratio."""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.path import COUNT, LEVEL, back
from features.scale import decay, ewma, log_ratio, ratio

__all__ = ["names", "params", "size", "step"]

LAST, SKEW, PRODUCT, SQUARE, WIDE = 0, 1, 3, 5, 7

Floats = npt.NDArray[np.float64]


def names(config: FeatureConfig) -> tuple[str, ...]:
    """Columns, from means over the half-life ``shape``.

    * ``skew``: mean of ``r |r|`` over mean of ``r²``, -1 to 1: which side the large returns are on
      (a third moment would be ruled by its largest member).
    * ``autocorrelation``: mean of ``r[t] r[t-1]`` over mean of ``r²``.
    * ``variance_ratio``: log of the mean square return over ``variance_ratio`` events, per event,
      over the mean of ``r²``; positive where moves continue.
    """
    return ("skew", "autocorrelation", "variance_ratio")


def params(config: FeatureConfig) -> tuple[float, ...]:
    """Weight of the newest event, span of the variance ratio."""
    return (decay(config.shape), float(config.variance_ratio))


def size(config: FeatureConfig) -> int:
    """Floats of state."""
    return 9


@nb.njit()
def step(state: Floats, param: Floats, out: Floats, path: Floats, change: float) -> None:
    """Take one log return."""
    square = ewma(state, SQUARE, param[0], change * change)
    out[0] = ratio(ewma(state, SKEW, param[0], change * abs(change)), square)
    out[1] = ratio(ewma(state, PRODUCT, param[0], change * state[LAST]), square)
    state[LAST] = change
    out[2] = 0.0
    span = int(param[1])
    if path[COUNT] > span:
        wide = path[LEVEL] - back(path, span)
        out[2] = log_ratio(ewma(state, WIDE, param[0], wide * wide), square * param[1])
