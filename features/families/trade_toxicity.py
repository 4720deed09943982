"""Toxicity: how one-sided the volume is, in buckets of equal volume (VPIN).

The aggressors are those that the venue tells, not a guess from the price. A bucket's volume is 32
usual trades as of its opening; a trade that is larger than what a bucket still lacks goes on into
the next ones.
"""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.smoothing import EWMA, decay, ewma
from features.trade_view import SIDE, SIZE

__all__ = ["FAMILIES"]

_TRADES = 32
"""Usual trades in a bucket."""

_WANTED, _FILLED, _SIGNED, _CLOSED, _VALUE, _BUCKETS = range(EWMA, EWMA + 6)


@compiled
def _vpin(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one trade."""
    n, left, side = int(param[0]), h[SIZE], h[SIDE]
    usual = ewma(state, 0, param[1], left)
    closed = 0
    if state[_WANTED] == 0.0:
        state[_WANTED] = _TRADES * usual
    while left > 0.0:
        lacks = state[_WANTED] - state[_FILLED]
        if left < lacks:
            state[_FILLED] += left
            state[_SIGNED] += side * left
            break
        left -= lacks
        signed = abs(state[_SIGNED] + side * lacks)
        state[_BUCKETS + int(state[_CLOSED]) % n] = min(signed / state[_WANTED], 1.0)
        state[_CLOSED] += 1.0
        state[_FILLED] = state[_SIGNED] = 0.0
        state[_WANTED] = _TRADES * usual
        closed += 1
        if closed == n:
            # All buckets are this trade's already; more of it would change none.
            break
    if closed:
        held = min(int(state[_CLOSED]), n)
        added = 0.0
        for i in range(held):
            added += state[_BUCKETS + i]
        state[_VALUE] = added / held
    out[0] = state[_VALUE]


FAMILIES = (
    Family(
        step=_vpin,
        columns=(
            Column(
                "trade_vpin_{n}",
                "mean of |bought - sold| / volume over the last n buckets (those there are) of "
                "32 x EWMA(size), half-life 32 n trades, each; 0 before the first",
                low=0.0,
                high=1.0,
            ),
        ),
        source="Easley, López de Prado and O'Hara (2012)",
        fields=("n",),
        defaults=((16,), (50,)),
        stream="trades",
        need="trades",
        params=lambda args: (float(args[0]), decay(_TRADES * args[0])),
        size=lambda args: _BUCKETS + args[0],
        warmup=lambda args: _TRADES * args[0],
    ),
)
