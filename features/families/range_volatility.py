"""Volatility out of bars' four prices: several times as sure as out of as many closes.

With ``o`` the log of the open over the close before, and ``u``, ``d``, ``c`` the logs of high, low
and close over the open. Parkinson takes the range alone; Garman and Klass take off what the close
tells already; Rogers and Satchell allow for a trend; Yang and Zhang for gaps between bars too. The
first three are of the time within bars and see no gap.
"""

from __future__ import annotations

import math

from features.column import Args, Column, Family
from features.compiled import Floats, ahead, compiled
from features.history import CLOSE, COUNT, HIGH, LOW, OPEN, PREVIOUS, VOLATILITY
from features.scale import ratio
from features.windows import moments, moments_size, total, total_size

__all__ = ["FAMILIES"]

_PARKINSON = 1.0 / (4.0 * math.log(2.0))
_KLASS = 2.0 * math.log(2.0) - 1.0


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: squares of the range, of ``c``, Rogers-Satchell's; ``o``, ``c``."""
    if h[COUNT] < 2.0:
        return
    n, sums, both = int(param[0]), int(param[1]), int(param[2])
    o = math.log(h[OPEN] / h[PREVIOUS])
    u = d = c = 0.0
    if h[HIGH] > h[LOW]:
        u, d = math.log(h[HIGH] / h[OPEN]), math.log(h[LOW] / h[OPEN])
        c = math.log(h[CLOSE] / h[OPEN])
    trending = max(u * (u - c) + d * (d - c), 0.0)
    ranges = total(state, n, (u - d) * (u - d)) / n
    bodies = total(ahead(state, sums), n, c * c) / n
    satchell = total(ahead(state, 2 * sums), n, trending) / n
    _, gaps = moments(ahead(state, 3 * sums), n, o)
    _, within = moments(ahead(state, 3 * sums + both), n, c)
    zhang = math.sqrt(param[3] * gaps + param[4] * within + param[5] * satchell)
    parkinson = math.sqrt(_PARKINSON * ranges)
    out[0] = parkinson
    out[1] = math.sqrt(max(0.5 * ranges - _KLASS * bodies, 0.0))
    out[2] = math.sqrt(satchell)
    out[3] = zhang
    out[4] = ratio(parkinson, h[VOLATILITY])


def _params(args: Args) -> tuple[float, ...]:
    """Return n, sizes of a sum and of moments, and Yang and Zhang's weights of what is over n."""
    n = args[0]
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    sample = n / (n - 1)
    return n, total_size(n), moments_size(n), sample, k * sample, 1.0 - k


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "parkinson_{n}",
                "sqrt(mean over n bars of log(high / low)² / (4 log 2))",
                "log return",
                low=0.0,
            ),
            Column(
                "garman_klass_{n}",
                "sqrt(mean over n bars of log(high / low)² / 2 - (2 log 2 - 1) log(close / open)²)",
                "log return",
                low=0.0,
            ),
            Column(
                "rogers_satchell_{n}",
                "sqrt(mean over n bars of u (u - c) + d (d - c)), u, d, c the logs of high, low "
                "and close over the open",
                "log return",
                low=0.0,
            ),
            Column(
                "yang_zhang_{n}",
                "sqrt(var(o) + k var(c) + (1 - k) rogers_satchell²), var over n - 1, o = log(open "
                "/ close before), c = log(close / open), k = .34 / (1.34 + (n + 1) / (n - 1))",
                "log return",
                low=0.0,
            ),
            Column(
                "parkinson_ratio_{n}",
                "parkinson over the volatility of closes: low where they trend or gap, high where "
                "they turn back; 0 while no price has moved",
                low=0.0,
                high=16.0,
            ),
        ),
        source="Parkinson (1980); Garman and Klass (1980); Rogers and Satchell (1991); "
        "Yang and Zhang (2000)",
        fields=("n",),
        defaults=((32,),),
        need="range",
        params=_params,
        size=lambda args: 3 * total_size(args[0]) + 2 * moments_size(args[0]),
        warmup=lambda args: args[0] + 1,
        least=(2,),
    ),
)
