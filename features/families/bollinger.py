"""Bollinger bands: where the close lies between two standard deviations, and how wide they are."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE
from features.rolling import MOMENTS, moments
from features.scale import ratio

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    mean, variance = moments(h, CLOSE, int(param[0]), state)
    half = 2.0 * math.sqrt(variance)
    out[0] = ratio(h[CLOSE] - mean, half)
    out[1] = 2.0 * half / mean


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
        ),
        source="Bollinger (2001); TA-Lib BBANDS",
        fields=("n",),
        defaults=((20,),),
        params=lambda args: (float(args[0]),),
        size=lambda args: MOMENTS,
        lookback=lambda args: args[0],
        warmup=lambda args: args[0],
        least=(2,),
    ),
)
