"""Williams' %R: how far the close is below the window's top, in parts of its range."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.extremes import extremes, extremes_size
from features.history import CLOSE, HIGH, LOW

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    bottom, top = extremes(state, int(param[0]), h[LOW], h[HIGH])
    out[0] = 100.0 * ((h[CLOSE] - top) / (top - bottom)) if top > bottom else 0.0


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "williams_r_{n}",
                "100 (close - highest high) / (highest high - lowest low) over n; "
                "0, as TA-Lib has it, where there is no range",
                low=-100.0,
                high=0.0,
            ),
        ),
        source="Williams (1973); TA-Lib WILLR",
        fields=("n",),
        defaults=((14,),),
        params=lambda args: (float(args[0]),),
        size=lambda args: extremes_size(args[0]),
        warmup=lambda args: args[0],
        least=(2,),
    ),
)
