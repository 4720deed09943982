"""Money flow index: the share of the money that was traded at rising prices."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, ahead, compiled
from features.history import CLOSE, COUNT, HIGH, LOW, VOLUME
from features.windows import total, total_size

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: the typical price before, the windows of flows up and down."""
    typical, before = (h[HIGH] + h[LOW] + h[CLOSE]) / 3.0, state[0]
    state[0] = typical
    if h[COUNT] < 2.0:
        return
    n, known = int(param[0]), not math.isnan(h[VOLUME])
    flow = typical * h[VOLUME] if known else 0.0
    up = total(ahead(state, 1), n, flow if typical > before else 0.0)
    down = total(ahead(state, int(param[1])), n, flow if typical < before else 0.0)
    if not known:
        out[0] = math.nan
    elif up + down > 0.0:
        out[0] = 100.0 * (up / (up + down))
    else:
        out[0] = 0.0


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "mfi_{n}",
                "100 up / (up + down), sums over n of p volume where p = (high + low + close) / 3 "
                "rose or fell; 0 where none was traded so (TA-Lib: less than 1)",
                low=0.0,
                high=100.0,
            ),
        ),
        source="Quong, Soudack (1989); TA-Lib MFI",
        fields=("n",),
        defaults=((14,),),
        need="volume",
        params=lambda args: (float(args[0]), 1.0 + total_size(args[0])),
        size=lambda args: 1 + 2 * total_size(args[0]),
        warmup=lambda args: args[0] + 1,
        least=(2,),
    ),
)
