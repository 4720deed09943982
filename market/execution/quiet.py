"""Stretches of events in which nothing can happen to a sleeve: they may be left out."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from market.execution.costs import FUNDING_EVERY
from market.execution.sleeve import SEEN, TARGET, UNITS, WAITING, levels

__all__ = ["quiet"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@nb.njit(cache=True, error_model="numpy", nogil=True)
def quiet(
    money: Floats,
    clock: Ints,
    terms: Floats,
    times: Ints,
    high: Floats,
    low: Floats,
    widen: Floats,
    first: int,
    stop: int,
) -> int:
    """Find the first event that :func:`market.execution.sleeve.advance` might do something on.

    It does nothing on those before: no order is under way, no funding falls due, and no level is
    touched. So they may be left out, and the state comes out the same but for the time last seen.

    Parameters
    ----------
    money, clock, terms
        As :func:`~market.execution.sleeve.advance` takes them; not changed.
    times, high, low
        ``[n]``: the events.
    widen
        ``float64[n]``, or empty: 1 throughout.
    first, stop
        The stretch to look at, ``stop`` exclusive.

    Returns
    -------
    int
        From ``first`` to ``stop``; ``stop`` if there is none.
    """
    units = money[UNITS]
    if money[WAITING] != 0.0:
        return first
    if units == 0.0:
        return stop
    level = levels(money, terms)[0]
    target, every, payment = money[TARGET], int(terms[FUNDING_EVERY]), 0
    if every > 0:
        payment = (clock[SEEN] // every + 1) * every
    halts = len(widen) > 0
    if units > 0.0:
        best = target if target > 0.0 else math.inf
        for i in range(first, stop):
            if every > 0 and times[i] >= payment:
                return i
            if (low[i] <= level or high[i] >= best) and not (halts and widen[i] == math.inf):
                return i
    else:
        best = target if target > 0.0 else -math.inf
        for i in range(first, stop):
            if every > 0 and times[i] >= payment:
                return i
            if (high[i] >= -level or low[i] <= best) and not (halts and widen[i] == math.inf):
                return i
    return stop
