"""The extremes of the last ``n`` values put in, in constant time.

As the sums of :mod:`features.windows`: values come in blocks of ``n``; of the block that fills, the
highest so far is kept, of the one before it the highest from every place to its end (van Herk 1992;
Gil and Werman 1993). Each function takes the pointer where its state begins, all zero at first.
"""

from __future__ import annotations

from features.compiled import Floats, compiled

__all__ = ["extremes", "extremes_size", "highest", "highest_size", "latest", "latest_size"]

_HIGHEST, _EXTREMES, _LATEST = 3, 4, 4
"""Floats of state before the values."""


def highest_size(n: int) -> int:
    """Return the floats of state that :func:`highest` takes."""
    return _HIGHEST + n


def extremes_size(n: int) -> int:
    """Return the floats of state that :func:`extremes` takes."""
    return _EXTREMES + 2 * n


def latest_size(n: int) -> int:
    """Return the floats of state that :func:`latest` takes."""
    return _LATEST + 2 * n


@compiled
def highest(state: Floats, n: int, value: float) -> float:
    """Put a value in; return the highest of the last ``n``, of fewer before there are so many.

    State: values in this block, whether there was a block before, highest of this block; then for
    each place a value, later the highest from there on.
    """
    k = int(state[0])
    top: float = value if k == 0 else max(state[2], value)
    state[_HIGHEST + k] = value
    k += 1
    if k < n:
        state[0], state[2] = k, top
        return top if state[1] == 0.0 else max(top, state[_HIGHEST + k])
    behind = value
    for j in range(_HIGHEST + n - 2, _HIGHEST, -1):
        behind = max(behind, state[j])
        state[j] = behind
    state[0], state[1] = 0.0, 1.0
    return top


@compiled
def extremes(state: Floats, n: int, low: float, high: float) -> tuple[float, float]:
    """Put a low and a high in; return the lowest low and the highest high of the last ``n``.

    Of fewer before there are so many. State: values in this block, whether there was a block
    before, lowest and highest of this block; then for each place a low and a high, later the lowest
    and the highest from there on.
    """
    k = int(state[0])
    at = _EXTREMES + 2 * k
    state[at], state[at + 1] = low, high
    bottom = low if k == 0 else min(state[2], low)
    top = high if k == 0 else max(state[3], high)
    k += 1
    if k < n:
        state[0], state[2], state[3] = k, bottom, top
        if state[1] == 0.0:
            return bottom, top
        return min(bottom, state[at + 2]), max(top, state[at + 3])
    for j in range(n - 2, 0, -1):
        at = _EXTREMES + 2 * j
        low, high = min(low, state[at]), max(high, state[at + 1])
        state[at], state[at + 1] = low, high
    state[0], state[1] = 0.0, 1.0
    return bottom, top


@compiled
def latest(state: Floats, n: int, value: float) -> int:
    """Put a value in; return how long ago the highest of the last ``n`` was put in, 0 is now.

    Of equals it is the latest. The lowest is the highest of the negated values. State: as of
    :func:`highest`, and after each value its place.
    """
    k = int(state[0])
    if k == 0 or value >= state[2]:
        state[2], state[3] = value, k
    at = _LATEST + 2 * k
    state[at], state[at + 1] = value, k
    if k + 1 < n:
        state[0] = k + 1
        if state[1] != 0.0 and state[at + 2] > state[2]:
            return k + n - int(state[at + 3])
        return k - int(state[3])
    age = k - int(state[3])
    behind, where = value, float(k)
    for j in range(n - 2, 0, -1):
        at = _LATEST + 2 * j
        if state[at] > behind:
            behind, where = state[at], state[at + 1]
        state[at], state[at + 1] = behind, where
    state[0], state[1] = 0.0, 1.0
    return age
