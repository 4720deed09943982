"""Fractional differentiation: stationary like a return, with a memory like a price.

A whole difference forgets the level at once, the price itself never. Of order ``d`` between them,
the weight of the log price ``k`` events ago is ``w_k = -w_(k-1) (d - k + 1) / k``, cut off after
``n`` (fixed width). Here the prices are those relative to the one ``n`` events ago, which takes the
width's leftover weight: so the column depends neither on the unit of price nor on where the feed
began. That is the same as weighting the last ``n`` returns with the running sums of ``w``, which is
how it is computed: one multiplication per event of the width, so keep ``n`` small.
"""

from __future__ import annotations

import math

from features.column import Args, Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT, VOLATILITY, back
from features.scale import LIMIT, ratio

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    if h[COUNT] <= n:
        return
    added = 0.0
    for k in range(n):
        added += param[k + 1] * back(h, CHANGE, k)
    out[0] = ratio(added, h[VOLATILITY])


def _params(args: Args) -> tuple[float, ...]:
    d, n = args[0] / 100.0, args[1]
    weight, added = 1.0, 1.0
    weights = [added]
    for k in range(1, n):
        weight *= -(d - k + 1.0) / k
        added += weight
        weights.append(added)
    norm = math.hypot(*weights)
    return float(n), *(one / norm for one in weights)


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "fracdiff_{d}_{n}",
                "sum of w_k (x_(t-k) - x_(t-n)) / (volatility · sqrt(sum of W_k²)), k < n, x the "
                "log close, w_0 = 1, w_k = -w_(k-1) (d/100 - k + 1) / k, W_k = w_0 + … + w_k: sd 1 "
                "for a random walk",
                "volatilities",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="Hosking (1981); López de Prado (2018), 5.5",
        fields=("d", "n"),
        defaults=((40, 32),),
        params=_params,
        lookback=lambda args: args[1],
        warmup=lambda args: args[1] + 1,
        least=(1, 2),
    ),
)
