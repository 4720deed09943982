"""Commodity channel index: the typical price's distance from its mean, in mean deviations."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE, COUNT, HIGH, LOW

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: the ``n - 1`` typical prices before it, place of the oldest.

    All are told from the newest one, so that equal prices deviate by nothing, exactly.
    """
    others = int(param[0]) - 1
    typical = (h[HIGH] + h[LOW] + h[CLOSE]) / 3.0
    if h[COUNT] > others:
        away = 0.0
        for i in range(others):
            away += state[i] - typical
        mean = away * param[1]
        spread = abs(mean)
        for i in range(others):
            spread += abs(state[i] - typical - mean)
        out[0] = -away / (0.015 * spread) if spread > 0.0 else 0.0
    place = int(state[others])
    state[place] = typical
    state[others] = place + 1.0 if place + 1 < others else 0.0


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "cci_{n}",
                "(p - SMA(p, n)) / (.015 mean |p - SMA(p, n)|), p = (high + low + close) / 3; "
                "0 where all are equal; never beyond ±n / .03",
            ),
        ),
        source="Lambert (1980); TA-Lib CCI",
        fields=("n",),
        defaults=((20,),),
        params=lambda args: (float(args[0]), 1.0 / args[0]),
        size=lambda args: args[0],
        warmup=lambda args: args[0],
        least=(2,),
    ),
)
