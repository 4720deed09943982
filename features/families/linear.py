"""Slope of the least-squares line through a window's closes."""

from __future__ import annotations

from features.column import Args, Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE
from features.scale import ratio

__all__ = ["FAMILIES"]

_PLACE, _FIRST, _SUM, _LEVER, _BEFORE, _ENDS = range(6)
"""State: of the block that fills, how many it holds, its first close, sum and sum times place of
the closes less that one; first close of the block before; that one's two sums from every place on.
"""


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event.

    The window is the end of one block of ``n`` and the beginning of the next: nothing is taken away
    again, and every close is told from one near it, so that a spike leaves no rounding error.
    """
    n, place = int(param[0]), int(state[_PLACE])
    if place == 0:
        state[_BEFORE], state[_FIRST] = state[_FIRST], h[CLOSE]
        state[_SUM], state[_LEVER] = 0.0, 0.0
    away = h[CLOSE] - state[_FIRST]
    state[_SUM] += away
    state[_LEVER] += place * away
    state[_ENDS + 2 * place] = away
    place += 1
    added, lever = state[_SUM], state[_LEVER]
    if place < n:
        rest, shift = n - place, state[_BEFORE] - state[_FIRST]
        lever += rest * added + state[_ENDS + 2 * place + 1] + shift * (rest * (rest - 1) / 2)
        added += state[_ENDS + 2 * place] + shift * rest
        state[_PLACE] = place
    else:
        state[_ENDS + 2 * n - 1] = 0.0
        for at in range(_ENDS + 2 * n - 4, _ENDS - 1, -2):
            state[at + 1] = state[at + 3] + state[at + 2]
            state[at] += state[at + 2]
        state[_PLACE] = 0.0
    out[1] = (lever - 0.5 * (n - 1) * added) * param[1]
    out[0] = ratio(out[1], h[CLOSE])


def _params(args: Args) -> tuple[float, ...]:
    n = args[0]
    return float(n), 12.0 / (n * (n * n - 1.0))


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "linear_slope_{n}",
                "slope of the least-squares line through the last n closes / close",
                unit="1/event",
                low=-16.0,
                high=16.0,
            ),
            Column(
                "linear_slope_price_{n}",
                "slope of the least-squares line through the last n closes",
                unit="price/event",
                scale_free=False,
            ),
        ),
        source="TA-Lib LINEARREG_SLOPE",
        fields=("n",),
        defaults=((10,),),
        params=_params,
        size=lambda args: _ENDS + 2 * args[0],
        warmup=lambda args: args[0],
        least=(2,),
    ),
)
