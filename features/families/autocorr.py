"""Autocorrelation of the returns: whether a move tends to go on (above 0) or to be undone."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT, back
from features.windows import pairs, pairs_size

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    lag = int(param[0])
    if h[COUNT] < lag + 2:
        return
    moments = pairs(state, int(param[1]), h[CHANGE], back(h, CHANGE, lag))
    scale = math.sqrt(moments[2]) * math.sqrt(moments[3])
    out[0] = min(max(moments[4] / scale, -1.0), 1.0) if scale > 0.0 else 0.0


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "autocorr_{k}_{n}",
                "Pearson correlation of r_t and r_(t-k) over the last n such pairs of log returns; "
                "0 where either doesn't vary",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="Box and Jenkins (1970), 2.1; pandas r.rolling(n).corr(r.shift(k))",
        fields=("k", "n"),
        defaults=((1, 64), (5, 64)),
        params=lambda args: (float(args[0]), float(args[1])),
        size=lambda args: pairs_size(args[1]),
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + args[1] + 1,
        least=(1, 2),
    ),
)
