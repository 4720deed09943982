"""Directional movement: how much of the range goes beyond the last one, upwards and downwards.

ADX is the average of how one-sided that is: the strength of a trend, whichever way.
"""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.families.atr import true_range
from features.history import CLOSE, COUNT, HIGH, LOW, back

__all__ = ["FAMILIES"]

_STILL = 1e-16
"""Of the close: a true range less than this is none. TA-Lib's bound at a price of 100."""
_NONE = 1e-14
"""TA-Lib's bound: two directional indices whose sum is less have no direction."""

_PLUS, _MINUS, _RANGE, _ADX = range(4)
"""State: sums of movement up, movement down and true range; sum of DX, later its average."""


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event.

    As TA-Lib does, the sums are of the first ``n - 1`` changes, and from the next on lose an
    ``n``-th at each; ADX starts from the mean of ``n``, and stays where DX is unknown.
    """
    if h[COUNT] < 2.0:
        return
    n, count = param[0], h[COUNT]
    up, down = h[HIGH] - back(h, HIGH, 1), back(h, LOW, 1) - h[LOW]
    kept = 1.0 - param[1] if count > n else 1.0
    state[_PLUS] = kept * state[_PLUS] + (up if up > max(down, 0.0) else 0.0)
    state[_MINUS] = kept * state[_MINUS] + (down if down > max(up, 0.0) else 0.0)
    state[_RANGE] = kept * state[_RANGE] + true_range(h)
    if count <= n:
        return
    if state[_RANGE] > _STILL * h[CLOSE]:
        out[1] = 100.0 * (state[_PLUS] / state[_RANGE])
        out[2] = 100.0 * (state[_MINUS] / state[_RANGE])
    else:
        out[1] = out[2] = 0.0
    both = out[1] + out[2]
    if both > _NONE:
        one_sided = 100.0 * (abs(out[1] - out[2]) / both)
        if count <= 2.0 * n:
            state[_ADX] += one_sided
        else:
            state[_ADX] += param[1] * (one_sided - state[_ADX])
    if count == 2.0 * n:
        state[_ADX] *= param[1]
    out[0] = state[_ADX]


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "adx_{n}",
                "Wilder average over n of 100 |DI+ - DI-| / (DI+ + DI-)",
                low=0.0,
                high=100.0,
            ),
            Column(
                "plus_di_{n}",
                "100 Wilder sum of (high - high before) where that is positive and more than "
                "(low before - low) / Wilder sum of true ranges; 0 where the price stands",
                low=0.0,
                high=100.0,
            ),
            Column(
                "minus_di_{n}",
                "100 Wilder sum of (low before - low) where that is positive and more than "
                "(high - high before) / Wilder sum of true ranges; 0 where the price stands",
                low=0.0,
                high=100.0,
            ),
        ),
        source="Wilder (1978); TA-Lib ADX, PLUS_DI, MINUS_DI",
        fields=("n",),
        defaults=((14,),),
        params=lambda args: (float(args[0]), 1.0 / args[0]),
        size=lambda args: 4,
        lookback=lambda args: 1,
        warmup=lambda args: 2 * args[0],
        least=(2,),
    ),
)
