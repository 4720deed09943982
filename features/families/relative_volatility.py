"""Volatility that follows the market, and short against long: is it waking up or calming down."""

from __future__ import annotations

import math

from features.column import Args, Column, Family
from features.compiled import Floats, ahead, compiled
from features.history import CHANGE, COUNT
from features.scale import LIMIT
from features.smoothing import EWMA, decay, ewma
from features.windows import total, total_size

__all__ = ["FAMILIES"]


@compiled
def step_ewma(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    out[0] = math.sqrt(ewma(state, 0, param[0], h[CHANGE] * h[CHANGE]))


@compiled
def step_ratio(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: squares over m, squares over n."""
    if h[COUNT] < 2.0:
        return
    m, n = int(param[0]), int(param[1])
    square = h[CHANGE] * h[CHANGE]
    short = total(state, m, square) / m
    long = total(ahead(state, int(param[2])), n, square) / n
    out[0] = min(math.sqrt(short / long), LIMIT) if long > 0.0 else 1.0


def _params(args: Args) -> tuple[float, ...]:
    return float(args[0]), float(args[1]), float(total_size(args[0]))


FAMILIES = (
    Family(
        step=step_ewma,
        columns=(
            Column(
                "ewma_volatility_{h}",
                "sqrt(exponentially weighted mean of r², half-life h events, no bias at the start)",
                "log return",
                low=0.0,
            ),
        ),
        source="RiskMetrics (1996), whose daily λ = .94 is a half-life of 11; pandas ewm",
        fields=("h",),
        defaults=((32,),),
        params=lambda args: (decay(args[0]),),
        size=lambda args: EWMA,
        warmup=lambda args: -(-args[0] // 2) + 1,
    ),
    Family(
        step=step_ratio,
        columns=(
            Column(
                "volatility_ratio_{m}_{n}",
                "realised_volatility_m / realised_volatility_n, at most 16; "
                "1 where no price moved in n",
                low=0.0,
                high=LIMIT,
            ),
        ),
        source="Schwager (1996)",
        fields=("m", "n"),
        defaults=((8, 64),),
        params=_params,
        size=lambda args: total_size(args[0]) + total_size(args[1]),
        warmup=lambda args: max(args) + 1,
    ),
)
