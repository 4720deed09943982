"""Patterns: support and resistance, bursts of momentum, distance from the mean.

Support and resistance are the lowest and the highest close of the ``n`` events *before* this one,
so that a break shows as a negative distance. "Near" is measured in volatilities, not in a share of
the price, so it means the same on a quiet and on a wild symbol.
"""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, ahead, compiled
from features.extremes import extremes, extremes_size
from features.history import CLOSE, COUNT, LEVEL, VOLATILITY, back
from features.scale import LIMIT, ratio
from features.windows import total, total_size

__all__ = ["FAMILIES"]

_NEAR = 1.5
"""Volatilities within which a level is near. No whole number: where all steps of the price are
equal, a close lies a whole number of volatilities away, and rounding would decide."""

_FLOOR, _ROOF, _WINDOW = range(3)


@compiled
def _levels(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; the levels kept are those of the events before it."""
    n = int(param[0])
    volatility = h[VOLATILITY]
    above, below = h[LEVEL] - state[_FLOOR], state[_ROOF] - h[LEVEL]
    out[0] = ratio(above, volatility * param[1])
    out[1] = ratio(below, volatility * param[1])
    out[2] = 1.0 if abs(above) < _NEAR * volatility else 0.0
    out[3] = 1.0 if abs(below) < _NEAR * volatility else 0.0
    found = extremes(ahead(state, _WINDOW), n, h[LEVEL], h[LEVEL])
    state[_FLOOR], state[_ROOF] = found


@compiled
def _burst(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    if h[COUNT] <= 2 * n:
        return
    middle = back(h, LEVEL, n)
    change = (h[LEVEL] - middle) - (middle - back(h, LEVEL, 2 * n))
    out[0] = ratio(change, h[VOLATILITY] * param[1])


@compiled
def _reversion(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    mean = total(state, int(param[0]), h[CLOSE]) / param[0]
    out[0] = ratio(h[CLOSE] - mean, mean)


def _distance(name: str, formula: str) -> Column:
    return Column(
        name,
        f"{formula} of the n events before / (volatility sqrt(n)); negative beyond it; "
        "0 where volatility is 0",
        unit="sd",
        low=-LIMIT,
        high=LIMIT,
    )


def _near(name: str, formula: str) -> Column:
    return Column(
        name,
        f"1 where the log close is within 1.5 volatilities of the {formula} of the n events "
        "before, on either side, else 0; 0 where volatility is 0",
        low=0.0,
        high=1.0,
    )


FAMILIES = (
    Family(
        step=_levels,
        columns=(
            _distance("support_distance_{n}", "log(close / lowest close)"),
            _distance("resistance_distance_{n}", "log(highest close / close)"),
            _near("near_support_{n}", "lowest"),
            _near("near_resistance_{n}", "highest"),
        ),
        source="Donchian channel of closes as support and resistance",
        fields=("n",),
        defaults=((64,),),
        params=lambda args: (float(args[0]), math.sqrt(args[0])),
        size=lambda args: _WINDOW + extremes_size(args[0]),
        warmup=lambda args: args[0] + 1,
        least=(2,),
    ),
    Family(
        step=_burst,
        columns=(
            Column(
                "momentum_burst_{n}",
                "(log return over the last n events - that over the n before them) / "
                "(volatility sqrt(2n)): acceleration, ± 1 sd on a random walk; 0 where volatility "
                "is 0",
                unit="sd",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="second difference of the log price over a span",
        fields=("n",),
        defaults=((8,),),
        params=lambda args: (float(args[0]), math.sqrt(2.0 * args[0])),
        lookback=lambda args: 2 * args[0],
        warmup=lambda args: 2 * args[0] + 1,
    ),
    Family(
        step=_reversion,
        columns=(
            Column(
                "mean_reversion_{n}",
                "close / SMA(close, n) - 1; in standard deviations it is bollinger_place",
                low=-1.0,
                high=LIMIT,
            ),
        ),
        source="pandas rolling(n).mean()",
        fields=("n",),
        defaults=((50,),),
        params=lambda args: (float(args[0]),),
        size=lambda args: total_size(args[0]),
        warmup=lambda args: args[0],
        least=(2,),
    ),
)
