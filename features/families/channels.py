"""Channels: where the close lies among the last closes, and how wide they spread."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.extremes import extremes, extremes_size
from features.history import LEVEL, VOLATILITY
from features.scale import LIMIT, ratio

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    floor, roof = extremes(state, int(param[0]), h[LEVEL], h[LEVEL])
    width = roof - floor
    # not 2 level - floor - roof: that leaves ±1 by what rounding takes
    out[0] = ratio((h[LEVEL] - floor) - (roof - h[LEVEL]), width)
    out[1] = ratio(width, h[VOLATILITY] * param[1])


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "channel_place_{n}",
                "(2 x - max - min) / (max - min) of x = log close over the last n events, this "
                "one included; 0 where all are equal",
                low=-1.0,
                high=1.0,
            ),
            Column(
                "channel_width_{n}",
                "(max - min) / (volatility sqrt(n)) of log close over the last n events",
                unit="sd",
                low=0.0,
                high=LIMIT,
            ),
        ),
        source="Donchian channel, on log closes",
        fields=("n",),
        defaults=((32,),),
        params=lambda args: (float(args[0]), math.sqrt(args[0])),
        size=lambda args: extremes_size(args[0]),
        warmup=lambda args: args[0],
        least=(2,),
    ),
)
