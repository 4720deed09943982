"""Aroon oscillator: whether the window's top or its bottom is the younger."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, ahead, compiled
from features.extremes import latest, latest_size
from features.history import HIGH, LOW

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: the window's top, its bottom."""
    n = int(param[0])
    top = latest(state, n + 1, h[HIGH])
    bottom = latest(ahead(state, int(param[1])), n + 1, -h[LOW])
    out[0] = 100.0 * ((bottom - top) / n)


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "aroon_oscillator_{n}",
                "100 (events since the lowest low - since the highest high) / n over n + 1 events, "
                "of equals since the latest",
                low=-100.0,
                high=100.0,
            ),
        ),
        source="Chande (1995); TA-Lib AROONOSC",
        fields=("n",),
        defaults=((25,),),
        params=lambda args: (float(args[0]), float(latest_size(args[0] + 1))),
        size=lambda args: 2 * latest_size(args[0] + 1),
        warmup=lambda args: args[0] + 1,
        least=(2,),
    ),
)
