"""Sums, moments and extremes over the last ``n`` events of a history's ring, in constant time.

A running sum that adds the newest and takes away the oldest keeps the rounding error of every spike
for ever. So each is summed anew, exactly, once every ``n`` events, which costs one addition per
event, and an error lives no longer than its window does.
"""

from __future__ import annotations

from features.compiled import Floats, compiled
from features.history import COUNT, back

__all__ = ["EXTREME", "MOMENTS", "TOTAL", "extreme", "moments", "total"]

TOTAL = 1
"""Floats of state of :func:`total`."""
MOMENTS = 2
"""Floats of state of :func:`moments`."""
EXTREME = 2
"""Floats of state of :func:`extreme`, besides ``n``."""


@compiled
def total(h: Floats, field: int, n: int, state: Floats) -> float:
    """Return the sum of ``field`` over the last ``n`` events; over fewer before there are so many.

    Needs a lookback of ``n``, and to be called on every event.
    """
    count = int(h[COUNT])
    if count % n == 0:
        fresh = 0.0
        for i in range(n):
            fresh += back(h, field, i)
        state[0] = fresh
    else:
        state[0] += back(h, field, 0)
        if count > n:
            state[0] -= back(h, field, n)
    added: float = state[0]
    return added


@compiled
def moments(h: Floats, field: int, n: int, state: Floats) -> tuple[float, float]:
    """Return mean and variance (over ``n``, not ``n - 1``) of ``field`` over the last ``n`` events.

    Over fewer before there are so many. Needs a lookback of ``n``, and to be called on every event.
    """
    count = int(h[COUNT])
    if count % n == 0:
        mean = 0.0
        for i in range(n):
            mean += back(h, field, i)
        mean /= n
        square = 0.0
        for i in range(n):
            square += (back(h, field, i) - mean) ** 2
    else:
        new = back(h, field, 0)
        mean, square = state[0], state[1]
        if count > n:
            old = back(h, field, n)
            shift = mean + (new - old) / n
            square += (new - old) * (new - shift + old - mean)
            mean = shift
        else:
            shift = mean + (new - mean) / count
            square += (new - mean) * (new - shift)
            mean = shift
    state[0], state[1] = mean, max(square, 0.0)
    return mean, state[1] / min(count, n)


@compiled
def extreme(h: Floats, field: int, n: int, sign: float, state: Floats) -> tuple[float, int]:
    """Return the largest ``sign * field`` over the last ``n`` events, and how long ago it was.

    ``sign`` is 1 for the highest and -1 for the lowest (then the value is of the other sign). Of
    equals it is the latest. Needs a lookback of ``n``, ``EXTREME + n`` floats of state, and to be
    called on every event.

    State: place of the oldest candidate, number of candidates, then the candidates' event numbers
    in a ring, each smaller than the one before it (Lemire 2006, https://arxiv.org/abs/cs/0610046).
    """
    count = int(h[COUNT])
    first, kept = int(state[0]), int(state[1])
    if kept > 0 and state[EXTREME + first] <= count - n:
        first, kept = (first + 1) % n, kept - 1
    new = sign * back(h, field, 0)
    while kept > 0:
        last = int(state[EXTREME + (first + kept - 1) % n])
        if sign * back(h, field, count - last) > new:
            break
        kept -= 1
    state[EXTREME + (first + kept) % n] = count
    state[0], state[1] = first, kept + 1
    best = int(state[EXTREME + first])
    return sign * back(h, field, count - best), count - best
