r"""Where a resting order stands in its level's queue, and what of it is filled: compiled.

A market by price tells how much rests at a price, not in which order, so the place of an order of
ours is a belief: it begins behind everything that rests there, and moves forward with

* **trades** at its price, which take from the front: that much is certain;
* **cancellations** (the level shrinks by more than what was traded), of which it isn't told
  whether they stood ahead or behind. With ``ahead`` and ``behind`` what stands there,
  ``behind^n / (ahead^n + behind^n)`` of them are taken to have stood behind: the power law of
  hftbacktest's ``PowerProbQueueModel``. ``n = 1`` cancels everybody alike; ``n = inf`` is the
  **risk-averse** model: only trades move us, and a level that has become smaller than our place;
* **additions**, which queue behind us and move nothing.

What trades at our price beyond those ahead is ours, in part or whole; so is what trades through it.
Nothing is filled beyond what was traded, or was offered across our price: our order moves no one.

Source: nkaz001/hftbacktest, ``backtest/models/queue.rs``. Unlike there, what trades is taken from
the level at once, so that the level's next update isn't counted a second time, and a trade through
our price fills its own size, not all of ours.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = [
    "AHEAD", "CROSSED", "FILLED", "LEFT", "LEVEL", "QUEUE", "SIZES", "TRADES", "behind_of",
    "queue", "queue_all",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

SIZES, TRADES = 0, 1
"""Kinds of row: what now rests at a price, and a trade."""

LEFT, AHEAD, LEVEL, FILLED, CROSSED = range(5)
"""Places in a resting order's state: units not yet filled, others' units ahead of it, others' units
at its price, units filled, and the largest opposite level seen at or beyond its price."""

QUEUE = 5
"""Numbers in the state."""

DUST = 1e-9
"""Share of a trade below which it fills nothing."""


@nb.njit(cache=True, error_model="numpy")
def behind_of(ahead: float, behind: float, power: float) -> float:
    r"""Share of what is cancelled that is taken to have stood behind.

    ``behind^n / (ahead^n + behind^n)``; all of it where ``n`` is infinite or nothing is ahead.

    Examples
    --------
    >>> behind_of(1.0, 3.0, 1.0), behind_of(1.0, 3.0, 2.0), behind_of(9.0, 1.0, float("inf"))
    (0.75, 0.9, 1.0)
    """
    if power == np.inf or ahead <= 0.0:
        return 1.0
    if behind <= 0.0:
        return 0.0
    return float(1.0 / (1.0 + (ahead / behind) ** power))


@nb.njit(cache=True, error_model="numpy")
def queue(
    state: Floats,
    our_side: int,
    our_tick: int,
    power: float,
    kind: int,
    side: int,
    tick: int,
    size: float,
) -> float:
    """Take one row; return the units it filled, positive whatever the side.

    Parameters
    ----------
    state
        ``float64[QUEUE]``, changed.
    our_side, our_tick
        1 where the order bids and -1 where it asks; its price in ticks.
    power
        The power law's ``n``; ``inf``: risk-averse.
    kind
        :data:`SIZES` or :data:`TRADES`.
    side
        Of a level 1 for a bid, -1 for an ask; of a trade its aggressor's, 1 bought. A trade whose
        aggressor isn't known (0) changes nothing: it is an auction or a cross.
    tick, size
        Its price in ticks; what rests there now, or what was traded.
    """
    if state[LEFT] <= 0.0:
        return 0.0
    beyond = (our_tick - tick) * our_side  # positive: the row is at a price worse for the others
    if kind == TRADES:
        if side != -our_side or beyond < 0:
            return 0.0
        if beyond > 0:  # nobody is ahead of us any more: the price has gone through
            state[AHEAD] = state[LEVEL] = 0.0
            return _fill(state, size)
        ours = size - state[AHEAD]
        state[AHEAD] = max(0.0, state[AHEAD] - size)
        state[LEVEL] = max(0.0, state[LEVEL] - size)
        # Decimal sizes leave dust behind when they are taken from one another.
        return _fill(state, ours) if ours > DUST * size else 0.0
    if side == our_side:
        if tick == our_tick:
            _resize(state, size, power)
        return 0.0
    if beyond < 0 or size <= state[CROSSED]:
        return 0.0
    ours = size - state[CROSSED]
    state[CROSSED] = size
    state[AHEAD] = state[LEVEL] = 0.0
    return _fill(state, ours)


@nb.njit(cache=True, error_model="numpy")
def _fill(state: Floats, units: float) -> float:
    got = min(units, state[LEFT])
    state[LEFT] -= got
    state[FILLED] += got
    return float(got)


@nb.njit(cache=True, error_model="numpy")
def _resize(state: Floats, size: float, power: float) -> None:
    """Take note that others now rest ``size`` at our price."""
    ahead, behind = state[AHEAD], state[LEVEL] - state[AHEAD]
    gone = state[LEVEL] - size
    state[LEVEL] = size
    if gone > 0.0 and power != np.inf:
        from_behind = min(gone * behind_of(ahead, behind, power), behind)
        ahead -= gone - from_behind
    state[AHEAD] = max(0.0, min(ahead, size))


@nb.njit(cache=True, error_model="numpy")
def queue_all(
    state: Floats,
    our_side: int,
    our_tick: int,
    power: float,
    kinds: Bytes,
    sides: Bytes,
    ticks: Ints,
    sizes: Floats,
    start: int,
    rows: Ints,
    units: Floats,
) -> int:
    """Take rows from ``start`` on until the order is filled or the rows end.

    The same step as :func:`queue`, row by row.

    Parameters
    ----------
    kinds, sides, ticks, sizes
        The rows; see :func:`queue`.
    rows, units
        Written: the row of each fill, and its units. Where they are full, the rest waits.

    Returns
    -------
    int
        How many fills.
    """
    count = 0
    for i in range(start, len(kinds)):
        if state[LEFT] <= 0.0 or count == len(rows):
            break
        got = queue(state, our_side, our_tick, power, kinds[i], sides[i], ticks[i], sizes[i])
        if got > 0.0:
            rows[count], units[count] = i, got
            count += 1
    return count
