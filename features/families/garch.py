"""GARCH(1,1): the volatility that is expected of the next event.

Its two weights are in the name, in thousandths, and not fitted: what they add up to is how much of
a shock is left one event later. The level it returns to is the mean square of all returns so far
(variance targeting), so that nothing later is looked at.
"""

from __future__ import annotations

import math

from features.column import Args, Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT, VOLATILITY
from features.scale import ratio
from market.errors import ConfigError

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: mean square, variance expected of the next event."""
    if h[COUNT] < 2.0:
        return
    alpha, beta = param[0], param[1]
    square = h[CHANGE] * h[CHANGE]
    expected = square if h[COUNT] == 2.0 else state[1]
    state[0] += (square - state[0]) / (h[COUNT] - 1.0)
    state[1] = param[2] * state[0] + alpha * square + beta * expected
    out[0] = math.sqrt(state[1])
    out[1] = ratio(out[0], h[VOLATILITY])


def _params(args: Args) -> tuple[float, ...]:
    a, b = args
    if a + b >= 1000:
        raise ConfigError(f"garch_{a}_{b}: the two must add up to less than 1000, were {a + b}")
    return a / 1000, b / 1000, (1000 - a - b) / 1000


def _warmup(args: Args) -> int:
    """Until half of what the beginning says is forgotten."""
    return math.ceil(math.log(0.5) / math.log(min(max(sum(args), 1), 999) / 1000)) + 1


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "garch_{a}_{b}",
                "sqrt(v'), v' = (1 - α - β) m + α r² + β v; m the mean of r² so far, α = a / 1000, "
                "β = b / 1000; v = r² at the first return",
                "log return",
                low=0.0,
            ),
            Column(
                "garch_ratio_{a}_{b}",
                "garch over the volatility, within 16; 0 while no price has moved",
                low=0.0,
                high=16.0,
            ),
        ),
        source="Bollerslev (1986); variance targeting by Engle and Mezrich (1996)",
        fields=("a", "b"),
        defaults=((50, 940),),
        params=_params,
        size=lambda args: 2,
        warmup=_warmup,
        least=(0, 0),
    ),
)
