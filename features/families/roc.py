"""Rate of change: the simple return over a window, in per cent."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE, COUNT, back

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    if h[COUNT] > n:
        before = back(h, CLOSE, n)
        out[0] = 100.0 * ((h[CLOSE] - before) / before)


FAMILIES = (
    Family(
        step=step,
        columns=(Column("roc_{n}", "100 (close / close n events ago - 1)", unit="%", low=-100.0),),
        source="TA-Lib ROC",
        fields=("n",),
        defaults=((5,),),
        params=lambda args: (float(args[0]),),
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + 1,
    ),
)
