"""Sums, extremes and moments of the last ``n`` values put in; nothing is ever taken away.

A running sum that subtracts what leaves the window keeps the rounding error of a spike, and the
third and fourth powers of one spike drown whatever comes after it. So values come in blocks of
``n``: a window is the end of the last block, folded from behind once when that was full, and the
beginning of this one. Folding costs one more operation per value; moments of two parts are merged
about their own means, so equal values have no variance at all.

Each function takes ``state``, all zero at first, and finite values; before there are ``n`` of them
the result is over those there are.
"""

from __future__ import annotations

from features.compiled import Floats, compiled

__all__ = [
    "block_extremes",
    "block_moments",
    "block_pairs",
    "block_sum",
    "extremes_size",
    "moments_size",
    "pairs_size",
    "sum_size",
]

_SUM, _EXTREMES, _MOMENTS, _PAIRS = 2, 4, 4, 7


def sum_size(n: int) -> int:
    """Return the floats of state of :func:`block_sum`."""
    return _SUM + n


def extremes_size(n: int) -> int:
    """Return the floats of state of :func:`block_extremes`."""
    return _EXTREMES + 2 * n


def moments_size(n: int) -> int:
    """Return the floats of state of :func:`block_moments`."""
    return _MOMENTS + 2 * n


def pairs_size(n: int) -> int:
    """Return the floats of state of :func:`block_pairs`."""
    return _PAIRS + 5 * n


@compiled
def block_sum(state: Floats, n: int, value: float) -> float:
    """Put a value in; return the sum of the last ``n``.

    State: values in this block, their sum; then this block's values and, behind them, the sums
    from each place of the last block to its end.
    """
    k = int(state[0])
    part = state[1] + value
    state[_SUM + k] = value
    k += 1
    if k < n:
        state[0], state[1] = k, part
        added: float = part + state[_SUM + k]
        return added
    behind = 0.0
    for j in range(n - 1, 0, -1):
        behind += state[_SUM + j]
        state[_SUM + j] = behind
    state[0], state[1] = 0.0, 0.0
    whole: float = part
    return whole


@compiled
def block_extremes(state: Floats, n: int, value: float) -> tuple[float, float]:
    """Put a value in; return the lowest and the highest of the last ``n``.

    State: values in this block, whether there was a block before, lowest and highest of this
    block; then for each place a value twice, later the lowest and the highest from there on.
    """
    k = int(state[0])
    at = _EXTREMES + 2 * k
    state[at], state[at + 1] = value, value
    low = value if k == 0 else min(state[2], value)
    high = value if k == 0 else max(state[3], value)
    k += 1
    if k < n:
        state[0], state[2], state[3] = k, low, high
        if state[1] == 0.0:
            return low, high
        return min(low, state[at + 2]), max(high, state[at + 3])
    for j in range(n - 2, -1, -1):
        at = _EXTREMES + 2 * j
        state[at] = min(state[at], state[at + 2])
        state[at + 1] = max(state[at + 1], state[at + 3])
    state[0], state[1] = 0.0, 1.0
    return low, high


@compiled
def block_moments(state: Floats, n: int, value: float) -> tuple[float, float]:
    """Put a value in; return mean and variance (over ``n``, not ``n - 1``) of the last ``n``.

    State: values in this block, whether there was a block before, mean and sum of squares of this
    block; then for each place a value, later the mean from there on, and a sum of squares.
    """
    k = int(state[0])
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
        share = apart * (n - k) / n
        return mean + share, (square + state[at + 1] + apart * share * k) / n
    behind, spread = 0.0, 0.0
    for j in range(n - 1, 0, -1):
        at = _MOMENTS + 2 * j
        old = state[at]
        shift = old - behind
        behind += shift / (n - j)
        spread += shift * (old - behind)
        state[at], state[at + 1] = behind, spread
    state[0], state[1], state[2], state[3] = 0.0, 1.0, 0.0, 0.0
    return mean, square / n


@compiled
def block_pairs(
    state: Floats, n: int, x: float, y: float
) -> tuple[float, float, float, float, float]:
    """Put a pair in; return both means, both variances and the covariance of the last ``n``.

    Variances and covariance are over ``n``, not ``n - 1``. State: pairs in this block, whether
    there was a block before, this block's two means, two sums of squares and one of products; then
    for each place a pair, later the same five from there on.
    """
    k = int(state[0])
    at = _PAIRS + 5 * k
    state[at], state[at + 1] = x, y
    k += 1
    shift_x, shift_y = x - state[2], y - state[3]
    mean_x, mean_y = state[2] + shift_x / k, state[3] + shift_y / k
    xx = state[4] + shift_x * (x - mean_x)
    yy = state[5] + shift_y * (y - mean_y)
    xy = state[6] + shift_x * (y - mean_y)
    if k < n:
        state[0], state[2], state[3], state[4], state[5], state[6] = k, mean_x, mean_y, xx, yy, xy
        if state[1] == 0.0:
            return mean_x, mean_y, xx / k, yy / k, xy / k
        at = _PAIRS + 5 * k
        apart_x, apart_y = state[at] - mean_x, state[at + 1] - mean_y
        share_x, share_y = apart_x * (n - k) / n, apart_y * (n - k) / n
        xx += state[at + 2] + apart_x * share_x * k
        yy += state[at + 3] + apart_y * share_y * k
        xy += state[at + 4] + apart_x * share_y * k
        return mean_x + share_x, mean_y + share_y, xx / n, yy / n, xy / n
    behind_x = behind_y = spread_x = spread_y = both = 0.0
    for j in range(n - 1, 0, -1):
        at = _PAIRS + 5 * j
        old_x, old_y = state[at], state[at + 1]
        shift_x, shift_y = old_x - behind_x, old_y - behind_y
        behind_x += shift_x / (n - j)
        behind_y += shift_y / (n - j)
        spread_x += shift_x * (old_x - behind_x)
        spread_y += shift_y * (old_y - behind_y)
        both += shift_x * (old_y - behind_y)
        state[at], state[at + 1] = behind_x, behind_y
        state[at + 2], state[at + 3], state[at + 4] = spread_x, spread_y, both
    state[0], state[1] = 0.0, 1.0
    state[2] = state[3] = state[4] = state[5] = state[6] = 0.0
    return mean_x, mean_y, xx / n, yy / n, xy / n
