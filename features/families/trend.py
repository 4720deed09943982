"""Trend: how far the price stands from its exponential moving average."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import COUNT, LEVEL, VOLATILITY
from features.scale import LIMIT, ratio
from features.smoothing import EWMA, ewma

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; the average is of those that have a return."""
    if h[COUNT] < 2.0:
        return
    mean = ewma(state, 0, param[0], h[LEVEL])
    out[0] = ratio(h[LEVEL] - mean, h[VOLATILITY] * param[1])


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "trend_{n}",
                "(log close - EW mean of log close, alpha 2 / (n + 1)) / (volatility sqrt(n)); "
                "the first event is left out of the mean; 0 where volatility is 0",
                unit="sd",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="pandas ewm(span=n, adjust=True).mean()",
        fields=("n",),
        defaults=((32,), (128,), (512,)),
        params=lambda args: (2.0 / (args[0] + 1.0), math.sqrt(args[0])),
        size=lambda args: EWMA,
        warmup=lambda args: args[0] // 2 + 1,
        least=(2,),
    ),
)
