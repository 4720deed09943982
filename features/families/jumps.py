"""Jumps: returns far beyond the median absolute return.

The median is followed by a step up or down per event, in proportion to itself, so neither the
price's unit nor the size of a jump matters: a spike of a thousand medians moves it by one step.
"""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT
from features.scale import LIMIT
from features.smoothing import EWMA, decay, ewma

__all__ = ["DETECTOR", "FAMILIES", "WARMUP", "jump"]

DETECTOR = 2
"""Floats of state of :func:`jump`."""
WARMUP = 257
"""Events before jumps are counted on: the median has settled, whatever the spans."""

_MULTIPLE = 12.0
"""A return this many times the median absolute return is a jump."""
_SLOWEST = 0.01
"""Step of the median once settled; ``1 / events`` before."""
_JUDGED = 32.0
"""Events the median settles over before a return may count as a jump."""

_MEDIAN, _SEEN, _AGE, _SIZE, _RATE = range(5)


@compiled
def jump(state: Floats, change: float) -> float:
    """Take one log return into the median kept in ``state[0]`` and ``state[1]``.

    Returns ``± log(|return| / median)`` if the return is a jump (never 0 then), else 0. Unchanged
    prices are left out of the median; a jump is judged by the median before it.
    """
    magnitude = abs(change)
    size = 0.0
    if magnitude > 0.0:
        if state[_SEEN] >= _JUDGED and magnitude > _MULTIPLE * state[_MEDIAN]:
            size = math.log(magnitude / state[_MEDIAN])
        state[_SEEN] += 1.0
        pace = 1.0 + max(_SLOWEST, 1.0 / state[_SEEN])
        if state[_MEDIAN] == 0.0:
            state[_MEDIAN] = magnitude
        elif magnitude > state[_MEDIAN]:
            state[_MEDIAN] *= pace
        else:
            state[_MEDIAN] /= pace
    return size if change > 0.0 else -size


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        state[_AGE] = param[0]
        return
    size = jump(state, h[CHANGE])
    jumped = 0.0
    if size != 0.0:
        jumped, state[_AGE], state[_SIZE] = 1.0, 0.0, size
    else:
        state[_AGE] = min(state[_AGE] + 1.0, param[0])
    if state[_AGE] == param[0]:
        state[_SIZE] = 0.0
    out[0] = state[_AGE] / param[0]
    out[1] = min(max(state[_SIZE], -LIMIT), LIMIT)
    out[2] = min(100.0 * ewma(state, _RATE, param[1], jumped), LIMIT)


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "jump_age_{n}",
                "events since the last jump / n, at most 1, which also stands for none yet: an age "
                "is censored at n. A jump is |return| > 12 × the running median of |return| before "
                "it, of 32 returns or more. The median starts as the first and moves by 1% (by 1 / "
                "how many, while that is more) towards each; returns of 0 are left out",
                low=0.0,
                high=1.0,
            ),
            Column(
                "jump_size_{n}",
                "± log(|return| / running median) of the last jump; 0 once it is n events old",
                unit="log ratio",
                low=-LIMIT,
                high=LIMIT,
            ),
            Column(
                "jump_rate_{n}",
                "100 × EW mean (half-life n) of whether an event is a jump, at most 16",
                unit="%",
                low=0.0,
                high=LIMIT,
            ),
        ),
        source="threshold on a robust scale, after Mancini (2009); sign-step median: Robbins-Monro",
        fields=("n",),
        defaults=((512,),),
        params=lambda args: (float(args[0]), decay(args[0])),
        size=lambda args: DETECTOR + 2 + EWMA,
        warmup=lambda args: WARMUP,
        least=(2,),
    ),
)
