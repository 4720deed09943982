"""The compiled step of the bars; :mod:`market.bars` says what it does and calls it."""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = ["advance", "drop", "run", "step"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TIME, TICK, VOLUMES = 0, 1, 2
"""Kinds of bars; what is none of these closes by money."""

# Places in the state: its whole numbers, and its sums.
COUNT, BOUNDARY, LATEST, CLOSED, SKIP, FRESH = range(6)
OPEN, HIGH, LOW, CLOSE, VOLUME, TRADES, BUYS, MONEY = range(8)

NEVER = -(1 << 62)
"""The time of a bar that does not close."""


@nb.njit(cache=True)
def _close(whole: Ints, sums: Floats, time: int, out: Floats) -> int:
    """Give the open bar and begin anew; return its time."""
    out[:] = sums[: BUYS + 1]
    whole[COUNT] = 0
    whole[CLOSED] = time
    sums[VOLUME:] = 0.0
    return time


@nb.njit(cache=True)
def advance(kind: int, whole: Ints, sums: Floats, time: int, out: Floats) -> int:
    """Let time pass; return the time of the bar that closes by it, or ``NEVER``."""
    whole[LATEST] = max(whole[LATEST], time)
    if kind == TIME and whole[COUNT] > 0 and time >= whole[BOUNDARY]:
        return _close(whole, sums, whole[BOUNDARY], out)
    return NEVER


@nb.njit(cache=True)
def drop(whole: Ints, sums: Floats, kind: int, size: float, time: int) -> None:
    """Drop the open bar: what was lost belonged to it."""
    whole[COUNT] = 0
    sums[VOLUME:] = 0.0
    whole[FRESH] = 1
    if kind == TIME:
        whole[SKIP] = (time // int(size) + 1) * int(size)


@nb.njit(cache=True)
def step(
    kind: int,
    size: float,
    whole: Ints,
    sums: Floats,
    time: int,
    price: float,
    units: float,
    side: int,
    out: Floats,
) -> int:
    """Take one event (a tick has ``nan`` units); return the closed bar's time or ``NEVER``."""
    closed = advance(kind, whole, sums, time, out)
    if kind == TIME and time < whole[SKIP]:
        return closed
    if whole[COUNT] == 0:
        sums[OPEN], sums[HIGH], sums[LOW] = price, price, price
        whole[BOUNDARY] = (time // int(size) + 1) * int(size) if kind == TIME else 0
    sums[HIGH], sums[LOW] = max(sums[HIGH], price), min(sums[LOW], price)
    sums[CLOSE] = price
    whole[COUNT] += 1
    sums[VOLUME] += units
    sums[TRADES] = np.nan if np.isnan(units) else whole[COUNT]
    sums[BUYS] += units if side > 0 else (0.0 if side < 0 else np.nan)
    sums[MONEY] += units * price
    if kind == TIME or time <= whole[CLOSED]:
        return closed
    if kind == TICK:
        reached = float(whole[COUNT])
    else:
        reached = sums[VOLUME] if kind == VOLUMES else sums[MONEY]
    return _close(whole, sums, time, out) if reached >= size else closed


@nb.njit(cache=True)
def run(
    kind: int,
    size: float,
    times: Ints,
    prices: Floats,
    units: Floats,
    sides: npt.NDArray[np.int8],
    fresh: npt.NDArray[np.bool_],
    until: int,
) -> tuple[Ints, Floats, npt.NDArray[np.bool_]]:
    """Take every row, then let time pass until ``until``; return the bars."""
    whole, sums = np.zeros(FRESH + 1, np.int64), np.zeros(MONEY + 1)
    whole[LATEST] = whole[CLOSED] = whole[SKIP] = NEVER
    n = len(times)
    when, rows = np.empty(n + 1, np.int64), np.empty((n + 1, BUYS + 1))
    after, count = np.zeros(n + 1, np.bool_), 0
    for i in range(n + 1):
        if i == n:
            closed = advance(kind, whole, sums, until, rows[count])
        else:
            if fresh[i]:
                drop(whole, sums, kind, size, times[i])
            closed = step(
                kind, size, whole, sums, times[i], prices[i], units[i], sides[i], rows[count]
            )
        if closed != NEVER:
            when[count], after[count] = closed, whole[FRESH] == 1
            whole[FRESH] = 0
            count += 1
    return when[:count], rows[:count], after[:count]
