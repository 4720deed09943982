"""How far the other symbol has come: what of it this one may have yet to follow."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import PEER
from features.peer import HEAD, peer_change
from features.scale import LIMIT, ratio
from features.smoothing import EWMA, decay, ewma

__all__ = ["FAMILIES"]

_HALF_LIFE = 64
"""In events: of the other symbol's volatility."""

_RING = HEAD + EWMA
"""Where in the state its last prices begin."""


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; behind the head an average of squares, and a ring of prices."""
    n = int(param[0])
    out[0] = math.nan
    change = peer_change(h, state, int(param[1]))
    if state[1] == 0.0:
        return
    known = int(state[1])
    at = _RING + known % n
    before = state[at]
    state[at] = h[PEER]
    if math.isnan(change):
        return
    variance = ewma(state, HEAD, param[2], change * change)
    if known > n and known >= param[3]:
        out[0] = ratio(h[PEER] - before, math.sqrt(variance * n))


def _least(n: int) -> int:
    """Return how often the price must have been known for the column to be given."""
    return max(n + 1, math.ceil(_HALF_LIFE / 2) + 2)


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "peer_return_{n}",
                "the other's log return over the n spans to the event before / (its volatility · "
                "sqrt n), within ±16; its volatility is the root of the exponential mean square of "
                f"its returns, half-life {_HALF_LIFE} events; nan while the other isn't known over "
                f"all of the n, and at least {_HALF_LIFE // 2 + 1}, spans",
                "volatilities",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="Moskowitz, Ooi and Pedersen (2012)",
        fields=("n",),
        defaults=((1,), (16,), (64,)),
        need="peer",
        params=lambda args: (
            float(args[0]),
            float(_RING + args[0]),
            decay(_HALF_LIFE),
            float(_least(args[0])),
        ),
        size=lambda args: _RING + args[0],
        warmup=lambda args: _least(args[0]) + 1,
    ),
)
