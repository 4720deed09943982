"""Realised volatility of the closes, what of it is no jump, and what is: bipower variation.

A jump is in one return, so a product of two neighbours hardly sees it, while steady volatility is
in both; their difference is the jumps' share.
"""

from __future__ import annotations

import math

from features.column import Args, Column, Family
from features.compiled import Floats, ahead, compiled
from features.history import CHANGE, COUNT
from features.windows import total, total_size

__all__ = ["FAMILIES"]

_HALF_PI = math.pi / 2.0


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: the return before, squares, products."""
    if h[COUNT] < 2.0:
        return
    n = int(param[0])
    size = abs(h[CHANGE])
    variance = total(ahead(state, 1), n, size * size) / n
    bipower = 0.0
    if h[COUNT] > 2.0:
        products = total(ahead(state, int(param[1])), n - 1, size * state[0])
        bipower = _HALF_PI * products / (n - 1)
    state[0] = size
    out[0] = math.sqrt(variance)
    out[1] = math.sqrt(bipower)
    out[2] = max(1.0 - bipower / variance, 0.0) if variance > 0.0 else 0.0


def _params(args: Args) -> tuple[float, ...]:
    return float(args[0]), 1.0 + total_size(args[0])


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "realised_volatility_{n}",
                "sqrt(sum of r² / n) over the last n log returns r of the close",
                "log return",
                low=0.0,
            ),
            Column(
                "bipower_variation_{n}",
                "sqrt(π/2 · sum of |r_i||r_(i-1)| / (n - 1)) over the last n log returns: "
                "the volatility without jumps",
                "log return",
                low=0.0,
            ),
            Column(
                "jump_share_{n}",
                "max(0, 1 - bipower_variation² / realised_volatility²); 0 where no price moved",
                low=0.0,
                high=1.0,
            ),
        ),
        source="Andersen and others (2003); Barndorff-Nielsen and Shephard (2004)",
        fields=("n",),
        defaults=((64,),),
        params=_params,
        size=lambda args: 1 + total_size(args[0]) + total_size(args[0] - 1),
        warmup=lambda args: args[0] + 1,
        least=(2,),
    ),
)
