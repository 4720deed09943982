"""Volatilities over other half-lives, relative to *the* volatility.

Each is the root of the exponentially weighted mean square log return, per event. Returns are not
centred: over one event the mean is far below the noise of its estimate.
"""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT, VOLATILITY
from features.scale import LIMIT, log_ratio
from features.smoothing import EWMA, decay, ewma

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    other = math.sqrt(ewma(state, 0, param[0], h[CHANGE] * h[CHANGE]))
    out[0] = log_ratio(other, h[VOLATILITY])


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "volatility_{h}",
                "log(sqrt(EW mean of squared log returns, half-life h) / the volatility); 0 while "
                "no price has moved",
                unit="log ratio",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="RiskMetrics (1996), EWMA volatility",
        fields=("h",),
        defaults=((16,), (512,)),
        params=lambda args: (decay(args[0]),),
        size=lambda args: EWMA,
        warmup=lambda args: math.ceil(args[0] / 2) + 1,
    ),
)
