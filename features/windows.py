"""Sums and moments of the last ``n`` values put in, without ever taking one away again.

A running sum that subtracts what leaves the window keeps a spike's rounding error, and sizes are
all spikes: beside one of 100 units, the squares of the next ones drown. So values come in blocks
of ``n``. Of the block that fills, the sum from its beginning is kept; of the one before it, the
sums from every place to its end. The window is the one plus the other, and a full block is turned
into such sums in place: two additions a value. Moments of two parts are merged about their own
means (Chan, Golub and LeVeque 1979), so equal values have no variance at all.

Each function takes the pointer where its state begins, all zero at first, and finite values; before
there are ``n`` of them the result is over those there are. Variances are over ``n``, not ``n - 1``.
"""

from __future__ import annotations

from features.compiled import Floats, compiled

__all__ = ["moments", "moments_size", "pairs", "pairs_size", "total", "total_size"]

_TOTAL, _MOMENTS, _PAIRS = 2, 4, 7
"""Floats of state before the values."""


def total_size(n: int) -> int:
    """Return the floats of state that :func:`total` takes."""
    return _TOTAL + n


def moments_size(n: int) -> int:
    """Return the floats of state that :func:`moments` takes."""
    return _MOMENTS + 2 * n


def pairs_size(n: int) -> int:
    """Return the floats of state that :func:`pairs` takes."""
    return _PAIRS + 5 * n


@compiled
def total(state: Floats, n: int, value: float) -> float:
    """Put a value in; return the sum of the last ``n``.

    State: values in this block, their sum; then this block's values and, behind them, the sums
    from each place of the last block to its end.
    """
    k = int(state[0])
    added = state[1] + value
    state[_TOTAL + k] = value
    k += 1
    if k < n:
        state[0], state[1] = k, added
        both: float = added + state[_TOTAL + k]
        return both
    behind = 0.0
    for j in range(_TOTAL + n - 1, _TOTAL, -1):
        behind += state[j]
        state[j] = behind
    state[0], state[1] = 0.0, 0.0
    whole: float = added
    return whole


@compiled
def moments(state: Floats, n: int, value: float) -> tuple[float, float]:
    """Put a value in; return mean and variance of the last ``n``.

    State: values in this block, whether there was a block before, mean and sum of squares of this
    block; then for each place a value, later the mean from there on, and a sum of squares.
    """
    k, one = int(state[0]), 1.0 / n
    state[_MOMENTS + 2 * k] = value
    k += 1
    shift = value - state[2]
    mean = state[2] + shift / k
    square = state[3] + shift * (value - mean)
    if k < n:
        state[0], state[2], state[3] = k, mean, square
        if state[1] == 0.0:
            return mean, square / k
        at = _MOMENTS + 2 * k
        apart = state[at] - mean
        share = apart * ((n - k) * one)
        return mean + share, (square + state[at + 1] + apart * share * k) * one
    behind, spread = 0.0, 0.0
    for j in range(1, n):
        at, part = _MOMENTS + 2 * (n - j), 1.0 / j
        shift = state[at] - behind
        old = behind + shift * part
        spread += shift * (state[at] - old)
        behind = old
        state[at], state[at + 1] = behind, spread
    state[0], state[1], state[2], state[3] = 0.0, 1.0, 0.0, 0.0
    return mean, square * one


@compiled
def pairs(state: Floats, n: int, x: float, y: float) -> tuple[float, float, float, float, float]:
    """Put a pair in; return both means, both variances and the covariance of the last ``n``.

    State: pairs in this block, whether there was a block before, this block's two means, two sums
    of squares and one of products; then for each place a pair, later the same five from there on.
    """
    k, one = int(state[0]), 1.0 / n
    at = _PAIRS + 5 * k
    state[at], state[at + 1] = x, y
    k += 1
    part = 1.0 / k
    shift_x, shift_y = x - state[2], y - state[3]
    mean_x, mean_y = state[2] + shift_x * part, state[3] + shift_y * part
    xx = state[4] + shift_x * (x - mean_x)
    yy = state[5] + shift_y * (y - mean_y)
    xy = state[6] + shift_x * (y - mean_y)
    if k < n:
        state[0], state[2], state[3], state[4], state[5], state[6] = k, mean_x, mean_y, xx, yy, xy
        if state[1] == 0.0:
            return mean_x, mean_y, xx / k, yy / k, xy / k
        at, rest = _PAIRS + 5 * k, (n - k) * one
        apart_x, apart_y = state[at] - mean_x, state[at + 1] - mean_y
        share_x, share_y = apart_x * rest, apart_y * rest
        xx += state[at + 2] + apart_x * share_x * k
        yy += state[at + 3] + apart_y * share_y * k
        xy += state[at + 4] + apart_x * share_y * k
        return mean_x + share_x, mean_y + share_y, xx * one, yy * one, xy * one
    behind_x = behind_y = spread_x = spread_y = both = 0.0
    for j in range(1, n):
        at, part = _PAIRS + 5 * (n - j), 1.0 / j
        old_x, old_y = state[at], state[at + 1]
        shift_x, shift_y = old_x - behind_x, old_y - behind_y
        behind_x += shift_x * part
        behind_y += shift_y * part
        spread_x += shift_x * (old_x - behind_x)
        spread_y += shift_y * (old_y - behind_y)
        both += shift_x * (old_y - behind_y)
        state[at], state[at + 1] = behind_x, behind_y
        state[at + 2], state[at + 3], state[at + 4] = spread_x, spread_y, both
    state[0], state[1] = 0.0, 1.0
    state[2] = state[3] = state[4] = state[5] = state[6] = 0.0
    return mean_x, mean_y, xx * one, yy * one, xy * one
