"""On-balance volume: volume counted up where the close rises and down where it falls."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, ahead, compiled
from features.history import CLOSE, COUNT, PREVIOUS, VOLUME
from features.scale import ratio
from features.windows import total, total_size

__all__ = ["FAMILIES"]


@compiled
def balance(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; a volume that is unknown is left out."""
    if math.isnan(h[VOLUME]):
        out[0] = math.nan
        return
    if h[CLOSE] > h[PREVIOUS] or h[COUNT] < 2.0:
        state[0] += h[VOLUME]
    elif h[CLOSE] < h[PREVIOUS]:
        state[0] -= h[VOLUME]
    out[0] = state[0]


@compiled
def trend(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: windows of signed and of all volume."""
    if h[COUNT] < 2.0:
        return
    n, known = int(param[0]), not math.isnan(h[VOLUME])
    volume = h[VOLUME] if known else 0.0
    sign = (1.0 if h[CLOSE] > h[PREVIOUS] else 0.0) - (1.0 if h[CLOSE] < h[PREVIOUS] else 0.0)
    signed = total(state, n, sign * volume)
    traded = total(ahead(state, int(param[1])), n, volume)
    out[0] = ratio(signed, traded) if known else math.nan


FAMILIES = (
    Family(
        step=balance,
        columns=(
            Column(
                "obv",
                "sum since the start of volume sign(close - close before); the first is added",
                unit="base units",
                scale_free=False,
            ),
        ),
        source="Granville (1963); TA-Lib OBV",
        need="volume",
        size=lambda args: 1,
    ),
    Family(
        step=trend,
        columns=(
            Column(
                "obv_trend_{n}",
                "sum over n of volume sign(close - close before) / sum of volume; 0 without any",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="change of OBV over the window's volume; Chaikin's money flow with the close's sign",
        fields=("n",),
        defaults=((20,),),
        need="volume",
        params=lambda args: (float(args[0]), float(total_size(args[0]))),
        size=lambda args: 2 * total_size(args[0]),
        warmup=lambda args: args[0] + 1,
    ),
)
