"""Lowest and highest of the last ``n`` values put in, in constant time.

Beside :mod:`features.windows`, and in its way: values come in blocks of ``n``; of the block that
fills, the extremes so far are kept, and of the one before it those from every place to its end (van
Herk 1992; Gil and Werman 1993). :func:`features.rolling.extreme` reads a history's ring instead.
"""

from __future__ import annotations

from features.compiled import Floats, compiled

__all__ = ["extremes", "extremes_size"]


def extremes_size(n: int) -> int:
    """Return the floats of state that :func:`extremes` takes: place, block, extremes; values."""
    return 4 + 2 * n


@compiled
def extremes(state: Floats, at: int, n: int, value: float) -> tuple[float, float]:
    """Put a value into the window kept from ``state[at]`` on; return lowest and highest of ``n``.

    Of fewer before there are so many. The state is all zero at first; a value is never nan.
    """
    place, lows, highs = int(state[at]), at + 4, at + 4 + n
    low = high = value
    if place > 0:
        low, high = min(state[at + 2], value), max(state[at + 3], value)
    state[lows + place] = state[highs + place] = value
    if place + 1 < n:
        state[at], state[at + 2], state[at + 3] = place + 1, low, high
        if state[at + 1] == 0.0:
            return low, high
        return min(low, state[lows + place + 1]), max(high, state[highs + place + 1])
    for i in range(n - 2, -1, -1):
        state[lows + i] = min(state[lows + i], state[lows + i + 1])
        state[highs + i] = max(state[highs + i], state[highs + i + 1])
    state[at], state[at + 1] = 0.0, 1.0
    return low, high
