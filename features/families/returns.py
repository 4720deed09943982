"""Log returns: how far the close has come in the last ``n`` events.

Of all further than one event it is the difference of two sums of returns, whose rounding is some
1e-15: a logarithm each would cost ten times as much.
"""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT, LEVEL, back

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    if h[COUNT] > n:
        out[0] = h[CHANGE] if n == 1 else h[LEVEL] - back(h, LEVEL, n)


FAMILIES = (
    Family(
        step=step,
        columns=(Column("log_return_{n}", "log(close / close n events ago)", "log return"),),
        source="Campbell, Lo and MacKinlay (1997), 1.4",
        fields=("n",),
        defaults=((1,), (5,), (15,), (60,)),
        params=lambda args: (float(args[0]),),
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + 1,
    ),
)
