"""The Hurst exponent: whether moves add up (above .5), walk at random, or undo each other.

The variance of a ``k``-step return grows as ``k^2H``, so H is half the slope of its logarithm on
that of ``k``. With scales 1, 2, 4, 8, 16 the least-squares slope has the weights -2, -1, 0, 1, 2
(over 10), which leaves four running sums and one logarithm an event.

The wide returns overlap and are few, so the estimate is biased down: over simulated random walks
it has a mean of .47 and a standard deviation of .11 at n = 64, .49 and .05 at n = 256, .50 and
.025 at n = 1024. It says nothing about memory beyond 16 events.
"""

from __future__ import annotations

import math

from features.column import Args, Column, Family
from features.compiled import Floats, ahead, compiled
from features.history import CHANGE, COUNT, LEVEL, back
from features.windows import total, total_size

__all__ = ["FAMILIES"]

_LONGEST = 16


@compiled
def _spread(h: Floats, state: Floats, k: int, n: int) -> float:
    """Return the mean square of the ``k``-step returns that lie within the last ``n`` returns."""
    if h[COUNT] <= k:
        return 0.0
    change = h[LEVEL] - back(h, LEVEL, k)
    return total(state, n - k + 1, change * change) / (n - k + 1)


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    n = int(param[0])
    one = total(state, n, h[CHANGE] * h[CHANGE]) / n
    two = _spread(h, ahead(state, int(param[1])), 2, n)
    eight = _spread(h, ahead(state, int(param[2])), 8, n)
    wide = _spread(h, ahead(state, int(param[3])), _LONGEST, n)
    if one <= 0.0:
        out[0] = 0.5
    elif two <= 0.0:
        out[0] = 0.0
    else:
        grown = wide / one
        slope = math.log2(max(grown * grown * (eight / two), 1e-300)) / 10.0
        out[0] = min(max(slope / 2.0, 0.0), 1.0)


def _params(args: Args) -> tuple[float, ...]:
    n = args[0]
    two = total_size(n)
    eight = two + total_size(n - 1)
    return float(n), float(two), float(eight), float(eight + total_size(n - 7))


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "hurst_{n}",
                "half the least-squares slope of log V_k on log k, k = 1, 2, 4, 8, 16, V_k the "
                "mean square of the overlapping k-step log returns within the last n returns; "
                "clipped to 0-1; .5 where no price moved",
                low=0.0,
                high=1.0,
            ),
        ),
        source="Mandelbrot and Van Ness (1968); Lo and MacKinlay (1988); bias: this file",
        fields=("n",),
        defaults=((256,),),
        params=_params,
        size=lambda args: sum(total_size(args[0] - k + 1) for k in (1, 2, 8, _LONGEST)),
        lookback=lambda args: _LONGEST,
        warmup=lambda args: args[0] + 1,
        least=(32,),
    ),
)
