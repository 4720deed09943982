"""Ranges: the price's channel, the true range, and where in it the close lies."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.path import LEVEL, extremes
from features.scale import decay, ewma, ratio

__all__ = ["names", "params", "size", "step"]

Floats = npt.NDArray[np.float64]


def names(config: FeatureConfig) -> tuple[str, ...]:
    """Columns.

    * ``true_range``: mean of ``log(max(high, last close) / min(low, last close))`` over
      volatility. For ticks that is the mean absolute return over volatility: small where
      returns are rare and large.
    * ``close_location``: mean of the close's place in the true range, -1 (low) to 1 (high).
    * ``channel_place_<span>``: the close's place among the last ``span`` closes, -1 to 1.
    * ``channel_width_<span>``: the channel's log width over ``volatility * sqrt(span)``.
    """
    channels = [(f"channel_place_{n}", f"channel_width_{n}") for n in config.channels]
    return ("true_range", "close_location", *(name for pair in channels for name in pair))


def params(config: FeatureConfig) -> tuple[float, ...]:
    """Weight of the newest event, then the channels' spans."""
    return (decay(config.range), *(float(span) for span in config.channels))


def size(config: FeatureConfig) -> int:
    """Floats of state."""
    return 4


@nb.njit()
def step(
    state: Floats,
    param: Floats,
    out: Floats,
    path: Floats,
    before: float,
    high: float,
    low: float,
    close: float,
    volatility: float,
) -> None:
    """Take one event; ``before`` is the close of the last one."""
    top, bottom = max(high, before), min(low, before)
    place = 0.0
    if top > bottom:
        place = (2.0 * close - top - bottom) / (top - bottom)
    out[0] = ratio(ewma(state, 0, param[0], math.log(top / bottom)), volatility)
    out[1] = ewma(state, 2, param[0], place)
    for i in range(1, len(param)):
        floor, roof = extremes(path, int(param[i]))
        width = roof - floor
        out[2 * i] = ratio(2.0 * path[LEVEL] - floor - roof, width)
        out[2 * i + 1] = ratio(width, volatility * math.sqrt(param[i]))
