"""A bar's shape: body, wicks, range, the gap before it, and the mean range of the last ones."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE, HIGH, LOW, OPEN, PREVIOUS
from features.windows import total, total_size

__all__ = ["FAMILIES"]


@compiled
def _share(part: float, whole: float) -> float:
    """Divide within [-1, 1], which a bar whose prices contradict each other would leave."""
    if whole <= 0.0:
        return 0.0
    return min(max(part / whole, -1.0), 1.0)


@compiled
def step_shape(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    open_, high, low, close = h[OPEN], h[HIGH], h[LOW], h[CLOSE]
    whole = high - low
    out[0] = _share(close - open_, whole)
    out[1] = max(_share(high - max(open_, close), whole), 0.0)
    out[2] = max(_share(min(open_, close) - low, whole), 0.0)
    out[3] = max(whole, 0.0) / close


@compiled
def step_gap(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    out[0] = math.log(h[OPEN] / h[PREVIOUS])


@compiled
def step_spread(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    out[0] = total(state, n, max(h[HIGH] - h[LOW], 0.0) / h[CLOSE]) / n


FAMILIES = (
    Family(
        step=step_shape,
        columns=(
            Column("body", "(close - open) / (high - low); 0 without a range", low=-1.0, high=1.0),
            Column(
                "upper_wick",
                "(high - max(open, close)) / (high - low); 0 without a range",
                low=0.0,
                high=1.0,
            ),
            Column(
                "lower_wick",
                "(min(open, close) - low) / (high - low); 0 without a range",
                low=0.0,
                high=1.0,
            ),
            Column("bar_range", "(high - low) / close", low=0.0),
        ),
        source="Nison (1991)",
        need="range",
    ),
    Family(
        step=step_gap,
        columns=(Column("gap", "log(open / close of the bar before)", "log return"),),
        source="Yang and Zhang (2000): the overnight return",
        need="range",
        warmup=lambda args: 2,
    ),
    Family(
        step=step_spread,
        columns=(
            Column(
                "spread_pct_{n}",
                "mean of (high - low) / close over the last n bars, a fraction: .01 is one percent",
                low=0.0,
            ),
        ),
        source="intelligent-trading-bot's name; the range of a bar, no quoted spread",
        fields=("n",),
        defaults=((3,),),
        need="range",
        params=lambda args: (float(args[0]),),
        size=lambda args: total_size(args[0]),
        warmup=lambda args: args[0],
    ),
)
