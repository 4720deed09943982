"""Relative strength index: the rises' share of all that the close has moved."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE, COUNT, PREVIOUS
from features.smoothing import SEEDED, seeded

__all__ = ["FAMILIES"]

_STILL = 1e-16
"""Of the close, per event: a move less than this is none. TA-Lib's bound at a price of 100."""


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: the rises' average, the falls'."""
    if h[COUNT] < 2.0:
        return
    n, change = int(param[0]), h[CLOSE] - h[PREVIOUS]
    rise = seeded(state, 0, n, param[1], max(change, 0.0))
    fall = seeded(state, SEEDED, n, param[1], max(-change, 0.0))
    moved = rise + fall
    out[0] = 100.0 * (rise / moved) if moved > _STILL * h[CLOSE] else 0.0


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "rsi_{n}",
                "100 up / (up + down), Wilder averages of the close's rises and falls; "
                "0, as TA-Lib has it, where it has stood still",
                low=0.0,
                high=100.0,
            ),
        ),
        source="Wilder (1978); TA-Lib RSI",
        fields=("n",),
        defaults=((14,),),
        params=lambda args: (float(args[0]), 1.0 / args[0]),
        size=lambda args: 2 * SEEDED,
        warmup=lambda args: args[0] + 1,
    ),
)
