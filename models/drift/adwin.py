"""ADWIN: a window over a stream that drops its older part where the mean has changed."""

from __future__ import annotations

import math

import msgspec
import numba as nb
import numpy as np
import numpy.typing as npt

from market.errors import StateError

__all__ = ["Adwin"]

_LEVELS = 48
"""Level *i* holds sums over 2**i values: enough for more values than will ever come."""

_PER_LEVEL = 5
_LEAST = 5
"""Values a part of the window must have to be held against the other."""

_GRACE = 10
_WIDTH, _TICK, _TOP, _GONE = range(4)
_TOTAL, _SPREAD, _LOST = range(3)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    buckets: bytes
    used: bytes
    sums: bytes
    counts: bytes


class Adwin:
    """Adaptive windowing (ADWIN2): tells when the mean of the latest values is another than before.

    The window is cut in two at each of its buckets' borders; where the means of the parts, of
    ``n0`` and ``n1`` values, differ by more than

        ``eps = sqrt(2 m v d) + 2/3 m d``,  ``m = 1/(n0 - 4) + 1/(n1 - 4)``,
        ``d = log(2 log(n0 + n1) / delta)``,  *v* the window's variance,

    the mean has changed, and all before the cut that exceeds its bound most is dropped. Memory and
    time grow with the logarithm of the window. The bound is one for values of range 1; how it does
    on others is measured in ``benchmarks/drift.py``.

    Parameters
    ----------
    delta
        Confidence of a cut.
    clock
        Cuts are looked for once in so many values.

    Notes
    -----
    Bifet and Gavalda, Learning from time-changing data with adaptive windowing, 2007. Up to a
    change sums and answers are those of river's ADWIN. There the paper drops the oldest bucket
    alone, and again, until no cut is left: old values stay in the window for a while, and the same
    change is told several times. River drops everything. Here what came after the change is kept.

    Examples
    --------
    >>> adwin = Adwin()
    >>> [i for i in range(600) if adwin.update(float(i >= 300))]
    [319]
    >>> round(adwin.mean, 2), adwin.width
    (1.0, 300)
    """

    def __init__(self, delta: float = 0.002, clock: int = 32) -> None:
        if not 0.0 < delta < 1.0 or clock < 1:
            raise ValueError(
                f"delta must be in (0, 1) and clock at least 1, were {delta} and {clock}"
            )
        self.delta = delta
        self.clock = clock
        self._buckets = np.zeros((2, _LEVELS, _PER_LEVEL + 1))
        self._used = np.zeros(_LEVELS, np.int64)
        self._sums = np.zeros(3)
        self._counts = np.zeros(4, np.int64)

    @property
    def width(self) -> int:
        """How many values the window holds."""
        return int(self._counts[_WIDTH])

    @property
    def mean(self) -> float:
        """Of the values in the window; nan if there are none."""
        return float(self._sums[_TOTAL] / self.width) if self.width else math.nan

    @property
    def variance(self) -> float:
        """Of the values in the window; nan if there are none."""
        return float(self._sums[_SPREAD] / self.width) if self.width else math.nan

    @property
    def dropped(self) -> tuple[int, float]:
        """How many values the last change dropped, and their mean; 0 and nan before any."""
        n = int(self._counts[_GONE])
        return n, float(self._sums[_LOST] / n) if n else math.nan

    def update(self, value: float) -> bool:
        """Take a value; return whether the mean has changed and older values were dropped.

        Raises
        ------
        ValueError
            The value is not finite: it would stay in every sum.
        """
        if not math.isfinite(value):
            raise ValueError(f"value must be finite, was {value}")
        return bool(
            _update(
                self._buckets, self._used, self._sums, self._counts, value, self.delta, self.clock
            )
        )

    def snapshot(self) -> bytes:
        """Return the window's sums."""
        parts = (self._buckets, self._used, self._sums, self._counts)
        return msgspec.msgpack.encode(_State(*(part.tobytes() for part in parts)))

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot as if there had been no break."""
        try:
            old = msgspec.msgpack.decode(state, type=_State)
            buckets = np.frombuffer(old.buckets).reshape(self._buckets.shape)
            used = np.frombuffer(old.used, np.int64).reshape(self._used.shape)
            sums = np.frombuffer(old.sums).reshape(self._sums.shape)
            counts = np.frombuffer(old.counts, np.int64).reshape(self._counts.shape)
        except (msgspec.DecodeError, ValueError) as error:
            raise StateError(f"not a snapshot of ADWIN ({error}); start anew") from error
        self._buckets[:], self._used[:], self._sums[:] = buckets, used, sums
        self._counts[:] = counts


@nb.njit(cache=True)
def _update(
    buckets: Floats, used: Ints, sums: Floats, counts: Ints, value: float, delta: float, clock: int
) -> bool:
    _insert(buckets, used, sums, counts, value)
    counts[_TICK] += 1
    if counts[_TICK] % clock or counts[_WIDTH] <= _GRACE:
        return False
    changed = False
    old = _cut(buckets, used, sums, counts, delta)
    if old:
        counts[_GONE], sums[_LOST] = 0, 0.0
    while old:
        changed = True
        while old:
            old -= _drop(buckets, used, sums, counts)
        old = _cut(buckets, used, sums, counts, delta)
    return changed


@nb.njit(cache=True)
def _insert(buckets: Floats, used: Ints, sums: Floats, counts: Ints, value: float) -> None:
    """Add a value as a bucket of its own; where a level overflows, merge its two oldest."""
    buckets[_TOTAL, 0, used[0]] = value
    buckets[_SPREAD, 0, used[0]] = 0.0
    used[0] += 1
    before = counts[_WIDTH]
    counts[_WIDTH] += 1
    if before:
        off = value - sums[_TOTAL] / before
        sums[_SPREAD] += before * off * off / counts[_WIDTH]
    sums[_TOTAL] += value
    level = 0
    while used[level] > _PER_LEVEL:
        n = float(1 << level)
        total, spread = buckets[_TOTAL, level], buckets[_SPREAD, level]
        apart = total[0] / n - total[1] / n
        at = used[level + 1]
        buckets[_TOTAL, level + 1, at] = total[0] + total[1]
        buckets[_SPREAD, level + 1, at] = spread[0] + spread[1] + n * apart * apart / 2.0
        used[level + 1] += 1
        counts[_TOP] = max(counts[_TOP], level + 1)
        _shift(buckets, used, level, 2)
        level += 1


@nb.njit(cache=True)
def _shift(buckets: Floats, used: Ints, level: int, gone: int) -> None:
    """Take away a level's oldest buckets."""
    used[level] -= gone
    for k in range(used[level]):
        buckets[_TOTAL, level, k] = buckets[_TOTAL, level, k + gone]
        buckets[_SPREAD, level, k] = buckets[_SPREAD, level, k + gone]


@nb.njit(cache=True)
def _drop(buckets: Floats, used: Ints, sums: Floats, counts: Ints) -> int:
    """Drop the oldest bucket of all; return how many values it held."""
    level = counts[_TOP]
    n: int = 1 << level
    total, spread = buckets[_TOTAL, level, 0], buckets[_SPREAD, level, 0]
    counts[_WIDTH] -= n
    counts[_GONE] += n
    sums[_TOTAL] -= total
    sums[_LOST] += total
    left = counts[_WIDTH]
    off = total / n - sums[_TOTAL] / left
    sums[_SPREAD] = max(sums[_SPREAD] - spread - n * left * off * off / (n + left), 0.0)
    _shift(buckets, used, level, 1)
    while counts[_TOP] > 0 and used[counts[_TOP]] == 0:
        counts[_TOP] -= 1
    return n


@nb.njit(cache=True)
def _cut(buckets: Floats, used: Ints, sums: Floats, counts: Ints, delta: float) -> int:
    """Return how many values lie before the cut that exceeds its bound most; 0 if none does."""
    width = counts[_WIDTH]
    if width <= _GRACE:
        return 0
    confidence = math.log(2.0 * math.log(width) / delta)
    variance = sums[_SPREAD] / width
    n0, u0, found, most = 0, 0.0, 0, 1.0
    for level in range(counts[_TOP], -1, -1):
        for k in range(used[level]):
            n0 += 1 << level
            u0 += buckets[_TOTAL, level, k]
            n1 = width - n0
            if n1 < _LEAST:
                return found
            if n0 < _LEAST:
                continue
            m = 1.0 / (n0 - _LEAST + 1) + 1.0 / (n1 - _LEAST + 1)
            eps = math.sqrt(2.0 * m * variance * confidence) + 2.0 / 3.0 * confidence * m
            excess = abs(u0 / n0 - (sums[_TOTAL] - u0) / n1) / eps
            if excess > most:
                found, most = n0, excess
    return found
