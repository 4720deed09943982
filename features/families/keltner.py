"""Keltner channel: where the close lies between two true ranges around its average."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.families.atr import true_range
from features.history import CLOSE, COUNT
from features.scale import ratio
from features.smoothing import SEEDED, seeded

__all__ = ["FAMILIES"]

_STILL = 1e-12
"""Of the average: a channel less wide is none, and the close's place in it is rounding error."""


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: the close's average, the true range's."""
    n = int(param[0])
    mean = seeded(state, 0, n, param[1], h[CLOSE])
    if h[COUNT] < 2.0:
        return
    half = 2.0 * seeded(state, SEEDED, n, param[2], true_range(h))
    out[0] = ratio(h[CLOSE] - mean, half) if half > _STILL * mean else 0.0
    out[1] = 2.0 * half / mean


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "keltner_place_{n}",
                "(close - EMA(close, n)) / (2 ATR(n)): ±1 at the bands; 0 where the price stands",
                low=-16.0,
                high=16.0,
            ),
            Column("keltner_width_{n}", "4 ATR(n) / EMA(close, n)", low=0.0),
        ),
        source="Keltner (1960), Raschke's form; TA-Lib EMA, ATR",
        fields=("n",),
        defaults=((20,),),
        params=lambda args: (float(args[0]), 2.0 / (args[0] + 1.0), 1.0 / args[0]),
        size=lambda args: 2 * SEEDED,
        warmup=lambda args: args[0] + 1,
    ),
)
