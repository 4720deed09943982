"""Bollinger bands: where the close lies between two standard deviations, and how wide they are."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE
from features.scale import ratio
from features.windows import moments, moments_size

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    mean, variance = moments(state, int(param[0]), h[CLOSE])
    deviation = math.sqrt(variance)
    out[0] = ratio(h[CLOSE] - mean, 2.0 * deviation)
    out[1] = 4.0 * deviation / mean
    out[2] = deviation


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "bollinger_place_{n}",
                "(close - SMA(close, n)) / (2 sd(close, n)): ±1 at the bands; 0 where sd is 0",
                low=-16.0,
                high=16.0,
            ),
            Column("bollinger_width_{n}", "4 sd(close, n) / SMA(close, n)", low=0.0),
            Column(
                "stddev_{n}",
                "sd of the last n closes, over n",
                unit="price",
                low=0.0,
                scale_free=False,
            ),
        ),
        source="Bollinger (2001); TA-Lib BBANDS, STDDEV",
        fields=("n",),
        defaults=((20,),),
        params=lambda args: (float(args[0]),),
        size=lambda args: moments_size(args[0]),
        warmup=lambda args: args[0],
        least=(2,),
    ),
)
