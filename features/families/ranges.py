"""Ranges: the true range, and where in it the close lies.

For ticks the true range is the absolute return, so its mean over volatility is small where returns
are rare and large, and the close lies at one end of it.
"""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE, COUNT, HIGH, LOW, PREVIOUS, VOLATILITY
from features.scale import LIMIT, ratio
from features.smoothing import EWMA, decay, ewma

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    close = h[CLOSE]
    top, bottom = max(h[HIGH], h[PREVIOUS]), min(h[LOW], h[PREVIOUS])
    place = 0.0
    if top > bottom:
        place = ((close - bottom) - (top - close)) / (top - bottom)
    out[0] = ratio(ewma(state, 0, param[0], math.log(top / bottom)), h[VOLATILITY])
    out[1] = ewma(state, EWMA, param[0], place)


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "true_range_{h}",
                "EW mean (half-life h) of log(max(high, last close) / min(low, last close)), over "
                "volatility; 0 where volatility is 0",
                unit="sd",
                low=0.0,
                high=LIMIT,
            ),
            Column(
                "close_location_{h}",
                "EW mean (half-life h) of the close's place in the true range, -1 (low) to 1 "
                "(high); an event without a range counts as 0",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="Wilder (1978), true range; Chaikin's close location value",
        fields=("h",),
        defaults=((32,),),
        params=lambda args: (decay(args[0]),),
        size=lambda args: 2 * EWMA,
        warmup=lambda args: math.ceil(args[0] / 2) + 1,
    ),
)
