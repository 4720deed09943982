"""Relative strength: net over gross movement, which is the RSI of log returns in [-1, 1]."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT
from features.scale import ratio
from features.smoothing import EWMA, ewma

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    net = ewma(state, 0, param[0], h[CHANGE])
    gross = ewma(state, EWMA, param[0], abs(h[CHANGE]))
    out[0] = min(max(ratio(net, gross), -1.0), 1.0)


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "strength_{n}",
                "EW mean of log returns / EW mean of their absolute values, alpha 1 / n, both "
                "without start-up bias; 0 while no price has moved",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="Wilder (1978), RSI / 50 - 1 on log returns",
        fields=("n",),
        defaults=((14,), (64,)),
        params=lambda args: (1.0 / args[0],),
        size=lambda args: 2 * EWMA,
        warmup=lambda args: args[0] + 1,
        least=(2,),
    ),
)
