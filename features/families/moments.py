"""Skewness and kurtosis of the returns: which side is wild, and how often.

Four moments a window, kept as :mod:`features.windows` keeps two: the fourth power of one spike
would drown whatever comes after it in any sum that it were taken from again.
"""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT

__all__ = ["FAMILIES"]

_HEAD = 6
"""Returns in this block, whether there was one before, its mean and centred sums of powers 2-4."""


@compiled
def _grow(
    count: int, mean: float, two: float, three: float, four: float, value: float
) -> tuple[float, float, float, float]:
    """Return mean and centred sums of powers with ``value``, which is the ``count``-th."""
    shift = value - mean
    part = shift / count
    term = shift * part * (count - 1)
    four += part * (part * (term * (count * count - 3 * count + 3) + 6.0 * two) - 4.0 * three)
    three += part * (term * (count - 2) - 3.0 * two)
    return mean + part, two + term, three, four


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; behind the head, each place of the block before holds what follows it."""
    if h[COUNT] < 2.0:
        return
    n = int(param[0])
    k = int(state[0])
    state[_HEAD + 4 * k] = h[CHANGE]
    k += 1
    mean, two, three, four = _grow(k, state[2], state[3], state[4], state[5], h[CHANGE])
    if k < n:
        state[0], state[2], state[3], state[4], state[5] = k, mean, two, three, four
        if state[1] == 0.0:
            return
        at = _HEAD + 4 * k
        old, one = n - k, 1.0 / n
        apart = state[at] - mean
        part = apart * one
        old_two, old_three, old_four = state[at + 1], state[at + 2], state[at + 3]
        both = float(k * old)
        four += old_four + part * (
            part * part * apart * both * (k * k - both + old * old)
            + 6.0 * part * (k * k * old_two + old * old * two)
            + 4.0 * (k * old_three - old * three)
        )
        three += old_three + part * (
            part * apart * both * (k - old) + 3.0 * (k * old_two - old * two)
        )
        two += old_two + part * apart * both
    else:
        behind = two_ = three_ = four_ = 0.0
        for j in range(n - 1, 0, -1):
            at = _HEAD + 4 * j
            behind, two_, three_, four_ = _grow(n - j, behind, two_, three_, four_, state[at])
            state[at], state[at + 1], state[at + 2], state[at + 3] = behind, two_, three_, four_
        state[0], state[1] = 0.0, 1.0
        state[2] = state[3] = state[4] = state[5] = 0.0
    square = two * two
    out[0] = out[1] = 0.0
    if square > 0.0:
        out[0] = math.sqrt(n / two) * three / two
        out[1] = max(n * four / square - 3.0, -2.0)


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "skew_{n}",
                "m3 / m2^1.5, m_k = mean (r - mean r)^k over the last n log returns; "
                "0 where m2 is 0",
            ),
            Column(
                "kurtosis_{n}",
                "m4 / m2² - 3 (excess), m_k = mean (r - mean r)^k over the last n log returns; "
                "0 where m2 is 0",
                low=-2.0,
            ),
        ),
        source="scipy.stats.skew, kurtosis; merged as in Pébay (2008), SAND2008-6212",
        fields=("n",),
        defaults=((64,), (256,)),
        params=lambda args: (float(args[0]),),
        size=lambda args: _HEAD + 4 * args[0],
        warmup=lambda args: args[0] + 1,
        least=(3,),
    ),
)
