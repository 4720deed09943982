"""What a trade costs who wants it done at once, and how much of that the market takes back.

The effective spread is what was paid beside the mid of its time. After some trades the mid has
moved along by the price impact, and the rest is what whoever stood in the book has kept.
"""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.scale import LIMIT, ratio
from features.smoothing import EWMA, decay, ewma
from features.trade_view import MID, PRICE, SIDE, back

__all__ = ["FAMILIES"]


@compiled
def _effective(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one trade."""
    mid = h[MID]
    out[0] = math.nan if math.isnan(mid) else ratio(2.0 * abs(h[PRICE] - mid), mid)


@compiled
def _effective_mean(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one trade."""
    mid = h[MID]
    if math.isnan(mid):
        out[0] = math.nan
    else:
        out[0] = ewma(state, 0, param[0], ratio(2.0 * abs(h[PRICE] - mid), mid))


@compiled
def _realised(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one trade."""
    n, now = int(param[0]), h[MID]
    if math.isnan(now):
        out[0] = out[1] = math.nan
        return
    then, side = back(h, MID, n), 2.0 * back(h, SIDE, n)
    if then > 0.0 and side != 0.0:
        ewma(state, 0, param[1], ratio(side * (back(h, PRICE, n) - now), then))
        ewma(state, EWMA, param[1], ratio(side * (now - then), then))
    out[0] = out[1] = 0.0
    if state[1] > 0.0:
        out[0], out[1] = state[0] / state[1], state[EWMA] / state[EWMA + 1]


FAMILIES = (
    Family(
        step=_effective,
        columns=(
            Column("effective_spread", "2 |price - mid| / mid of this trade", low=0.0, high=LIMIT),
        ),
        source="Huang and Stoll (1996)",
        stream="trades",
        need="book",
    ),
    Family(
        step=_effective_mean,
        columns=(
            Column(
                "effective_spread_{h}",
                "EWMA_h(2 |price - mid| / mid) over the trades whose mid is known",
                low=0.0,
                high=LIMIT,
            ),
        ),
        source="Huang and Stoll (1996)",
        fields=("h",),
        defaults=((64,),),
        stream="trades",
        need="book",
        params=lambda args: (decay(args[0]),),
        size=lambda args: EWMA,
        warmup=lambda args: -(-args[0] // 2) + 1,
    ),
    Family(
        step=_realised,
        columns=(
            Column(
                "realised_spread_{n}",
                "EWMA_n(2 side' (price' - mid) / mid'), ' n trades ago, over those whose mids and "
                "side' are known; 0 before there is one",
                low=-LIMIT,
                high=LIMIT,
            ),
            Column(
                "trade_price_impact_{n}",
                "EWMA_n(2 side' (mid - mid') / mid'), ' n trades ago, over the same trades",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="Huang and Stoll (1996)",
        fields=("n",),
        defaults=((32,),),
        stream="trades",
        need="book",
        params=lambda args: (float(args[0]), decay(args[0])),
        size=lambda args: 2 * EWMA,
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + -(-args[0] // 2) + 1,
    ),
)
