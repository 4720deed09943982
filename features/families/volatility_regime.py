"""The regime: whether the market is calm, normal or turbulent, by its own recent volatility.

It is judged by the log of *the* volatility (``h[VOLATILITY]``), which is nearly normal (Andersen
and others 2001), over the last ``n`` events. A volatility below a floor far under any tick counts
as the floor: so one is known for a price that never moved, and it is normal.
"""

from __future__ import annotations

import math

from features.column import Args, Column, Family
from features.compiled import Floats, ahead, compiled
from features.extremes import extremes, extremes_size
from features.history import COUNT, VOLATILITY
from features.scale import ratio
from features.windows import moments, moments_size

__all__ = ["FAMILIES"]

_FLOOR = 1e-10
_STILL = 1e-6  # of log volatility: what differs by less is no regime, but rounding


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: moments, extremes."""
    if h[COUNT] < 2.0:
        return
    n = int(param[0])
    level = math.log(max(h[VOLATILITY], _FLOOR))
    mean, variance = moments(state, n, level)
    low, high = extremes(ahead(state, int(param[1])), n, level, level)
    width = high - low
    spread = math.sqrt(variance)
    wide = max(spread, _STILL)
    out[0] = 2.0 if level > mean + wide else 0.0 if level < mean - wide else 1.0
    out[1] = spread
    out[2] = ratio(level - mean, spread) if spread > _STILL else 0.0
    out[3] = ((level - low) - (high - level)) / width if width > _STILL else 0.0


def _params(args: Args) -> tuple[float, ...]:
    n = args[0]
    return n, moments_size(n)


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "volatility_regime_{n}",
                "2 (turbulent) where x > mean(x, n) + sd(x, n), 0 (calm) where x < mean - sd, else "
                "1 (normal); x = log max(volatility, 1e-10), sd over n and at least 1e-6",
                "class",
                low=0.0,
                high=2.0,
            ),
            Column(
                "volatility_of_volatility_{n}",
                "sd(x, n), x = log max(volatility, 1e-10)",
                low=0.0,
            ),
            Column(
                "volatility_zscore_{n}",
                "(x - mean(x, n)) / sd(x, n) within ±16, x = log max(volatility, 1e-10); 0 where "
                "sd is below 1e-6",
                low=-16.0,
                high=16.0,
            ),
            Column(
                "volatility_place_{n}",
                "(2x - max(x, n) - min(x, n)) / (max - min), x = log max(volatility, 1e-10): 1 at "
                "the window's highest, -1 at its lowest; 0 where they differ by less than 1e-6",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="Andersen, Bollerslev, Diebold and Ebens (2001): log volatility is nearly normal",
        fields=("n",),
        defaults=((256,),),
        params=_params,
        size=lambda args: moments_size(args[0]) + extremes_size(args[0]),
        warmup=lambda args: args[0] + 1,
        least=(2,),
    ),
)
