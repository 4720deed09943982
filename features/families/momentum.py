"""Momentum: returns over spans, in standard deviations of such a return."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import COUNT, LEVEL, VOLATILITY, back
from features.scale import LIMIT, ratio

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    if h[COUNT] <= n:
        return
    out[0] = ratio(h[LEVEL] - back(h, LEVEL, n), h[VOLATILITY] * param[1])


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "momentum_{n}",
                "log(close / close[n ago]) / (volatility sqrt(n)); 0 where volatility is 0",
                unit="sd",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="Moskowitz, Ooi & Pedersen (2012), Time series momentum",
        fields=("n",),
        defaults=((1,), (4,), (16,), (64,), (256,)),
        params=lambda args: (float(args[0]), math.sqrt(args[0])),
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + 1,
    ),
)
