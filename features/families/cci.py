"""Commodity channel index: the typical price's distance from its mean, in mean deviations."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE, COUNT, HIGH, LOW

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: the last ``n`` typical prices, place of the next.

    All are told from the newest one, so that equal prices deviate by nothing, exactly. Four sums at
    a time, as the additions of one have to wait for each other.
    """
    n, place = int(param[0]), int(state[int(param[0])])
    typical = (h[HIGH] + h[LOW] + h[CLOSE]) / 3.0
    state[place] = typical
    state[n] = place + 1.0 if place + 1 < n else 0.0
    if h[COUNT] < n:
        return
    a = b = c = d = 0.0
    fours = n // 4 * 4
    for i in range(0, fours, 4):
        a += state[i] - typical
        b += state[i + 1] - typical
        c += state[i + 2] - typical
        d += state[i + 3] - typical
    for i in range(fours, n):
        a += state[i] - typical
    away = (a + b + c + d) / n
    a = b = c = d = 0.0
    for i in range(0, fours, 4):
        a += abs(state[i] - typical - away)
        b += abs(state[i + 1] - typical - away)
        c += abs(state[i + 2] - typical - away)
        d += abs(state[i + 3] - typical - away)
    for i in range(fours, n):
        a += abs(state[i] - typical - away)
    spread = (a + b + c + d) / n
    out[0] = -away / (0.015 * spread) if spread > 0.0 else 0.0


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
        params=lambda args: (float(args[0]),),
        size=lambda args: args[0] + 1,
        warmup=lambda args: args[0],
        least=(2,),
    ),
)
