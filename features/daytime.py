"""Time of day (UTC) as a point on a circle."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from market.events import SECOND

__all__ = ["names", "params", "size", "step"]

DAY = 86_400 * SECOND

Floats = npt.NDArray[np.float64]


def names(config: FeatureConfig) -> tuple[str, ...]:
    """``day_sin`` and ``day_cos`` of the turn made since midnight UTC."""
    return ("day_sin", "day_cos")


def params(config: FeatureConfig) -> tuple[float, ...]:
    """No numbers of its own."""
    return ()


def size(config: FeatureConfig) -> int:
    """No state."""
    return 0


@nb.njit()
def step(out: Floats, time: int) -> None:
    """Read the clock of the event, nanoseconds since 1970."""
    turn = 2.0 * math.pi * ((time % DAY) / DAY)
    out[0] = math.sin(turn)
    out[1] = math.cos(turn)
