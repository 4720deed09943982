"""Sums and moments of the last ``n`` values put in, without ever taking one away again.

A running sum that subtracts what leaves the window keeps a spike's rounding error, and sizes are
all spikes: beside one of 100 units, the squares of the next ones drown. So values come in blocks
of ``n``. Of the block that fills, the sum from its beginning is kept; of the one before it, the
sums from every place to its end. The window is the one plus the other, and a full block is turned
into such sums in place: two additions a value, and equal values have no variance at all.
"""

from __future__ import annotations

from features.compiled import Floats, compiled

__all__ = ["moments", "moments_size", "total", "total_size"]


def total_size(n: int) -> int:
    """Return the floats of state that :func:`total` takes: place, sum, and the values."""
    return 2 + n


def moments_size(n: int) -> int:
    """Return the floats of state that :func:`moments` takes: place, block, moments; the values."""
    return 4 + 2 * n


@compiled
def total(state: Floats, at: int, n: int, value: float) -> float:
    """Put a value into the window kept from ``state[at]`` on; return the sum of the last ``n``.

    Of fewer before there are so many.
    """
    place, first = int(state[at]), at + 2
    begun = value + (state[at + 1] if place > 0 else 0.0)
    state[first + place] = value
    if place + 1 < n:
        state[at], state[at + 1] = place + 1, begun
        both: float = begun + state[first + place + 1]
        return both
    for i in range(first + n - 2, first - 1, -1):
        state[i] += state[i + 1]
    state[at] = 0.0
    return begun


@compiled
def moments(state: Floats, at: int, n: int, value: float) -> tuple[float, float]:
    """Put a value into the window kept from ``state[at]`` on; return mean and variance of ``n``.

    The variance is over ``n``, not ``n - 1``; both are of fewer values before there are so many.
    Two parts are merged as Chan, Golub and LeVeque (1979) do.
    """
    place, first = int(state[at]), at + 4
    mean, square = 0.0, 0.0
    if place > 0:
        mean, square = state[at + 2], state[at + 3]
    away, k = value - mean, place + 1.0
    mean += away / k
    square += away * (value - mean)
    state[first + 2 * place], state[first + 2 * place + 1] = value, 0.0
    if place + 1 < n:
        state[at], state[at + 2], state[at + 3] = k, mean, square
        if state[at + 1] == 0.0:
            return mean, square / k
        later, rest = first + 2 * place + 2, n - k
        away = state[later] - mean
        square += state[later + 1] + away * away * (k * rest / n)
        return mean + away * (rest / n), square / n
    for i in range(n - 2, -1, -1):
        here, later, rest = first + 2 * i, first + 2 * i + 2, n - 1.0 - i
        away = state[here] - state[later]
        state[here] = state[later] + away / (rest + 1.0)
        state[here + 1] = state[later + 1] + away * away * (rest / (rest + 1.0))
    state[at], state[at + 1] = 0.0, 1.0
    return mean, square / n
