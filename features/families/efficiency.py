"""How straight the price went, how often up, and how far it stands from its extremes."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.extremes import extremes, extremes_size
from features.history import CHANGE, CLOSE, COUNT, PREVIOUS, back
from features.windows import total, total_size

__all__ = ["FAMILIES"]


@compiled
def path_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    n = int(param[0])
    path = total(state, n, abs(h[CLOSE] - h[PREVIOUS]))
    if h[COUNT] > n:
        move = abs(h[CLOSE] - back(h, CLOSE, n))
        out[0] = min(move / path, 1.0) if path > 0.0 else 0.0


@compiled
def share_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    n = int(param[0])
    out[0] = total(state, n, 1.0 if h[CHANGE] > 0.0 else 0.0) / n


@compiled
def extreme_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    lowest, highest = extremes(state, int(param[0]), h[CLOSE], h[CLOSE])
    out[0] = h[CLOSE] / highest - 1.0
    out[1] = h[CLOSE] / lowest - 1.0


FAMILIES = (
    Family(
        step=path_step,
        columns=(
            Column(
                "efficiency_ratio_{n}",
                "|close - close n events ago| / sum of |close - close before| over the last n "
                "events; 0 where no price moved",
                low=0.0,
                high=1.0,
            ),
        ),
        source="Kaufman (1995), Smarter Trading",
        fields=("n",),
        defaults=((10,), (64,)),
        params=lambda args: (float(args[0]),),
        size=lambda args: total_size(args[0]),
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + 1,
    ),
    Family(
        step=share_step,
        columns=(
            Column(
                "up_share_{n}",
                "share of log returns above 0 among the last n",
                low=0.0,
                high=1.0,
            ),
        ),
        source="the psychological line, PSY",
        fields=("n",),
        defaults=((16,), (64,)),
        params=lambda args: (float(args[0]),),
        size=lambda args: total_size(args[0]),
        warmup=lambda args: args[0] + 1,
    ),
    Family(
        step=extreme_step,
        columns=(
            Column(
                "drawdown_{n}",
                "close / highest close of the last n events - 1, this one included",
                low=-1.0,
                high=0.0,
            ),
            Column(
                "runup_{n}",
                "close / lowest close of the last n events - 1, this one included",
                low=0.0,
            ),
        ),
        source="Magdon-Ismail and Atiya (2004)",
        fields=("n",),
        defaults=((64,), (256,)),
        params=lambda args: (float(args[0]),),
        size=lambda args: extremes_size(args[0]),
        warmup=lambda args: args[0],
        least=(2,),
    ),
)
