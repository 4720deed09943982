"""The events after a decision: how far they are known, and which first leaves a range of prices."""

from __future__ import annotations

import numba as nb
import numpy as np

from features.labels.classes import Floats, Ints
from market.tape import HIGH, LOW, Tape

__all__ = ["block_extremes", "first_beyond", "known_until"]

_BITS = 5
_BLOCK = 1 << _BITS


def known_until(tape: Tape, rows: Ints) -> Ints:
    """Return the first event after each decision that is behind a gap, or the tape's length.

    Parameters
    ----------
    rows
        ``int64[m]``: event of each decision.

    Returns
    -------
    wall
        ``int64[m]``: what lies from there on says nothing about what the decision led to.
    """
    walls = np.append(np.flatnonzero(tape.fresh), len(tape))
    return walls[np.searchsorted(walls, rows, side="right")]


def block_extremes(tape: Tape) -> tuple[Floats, Floats]:
    """Return the highest high and lowest low of every 32 events: what lets a search leap."""
    starts = np.arange(0, len(tape), _BLOCK)
    tops = np.maximum.reduceat(tape.values[:, HIGH], starts)
    return tops, np.minimum.reduceat(tape.values[:, LOW], starts)


@nb.njit(cache=True)
def first_beyond(
    values: Floats,
    tops: Floats,
    bottoms: Floats,
    start: int,
    stop: int,
    lower: float,
    upper: float,
) -> int:
    """Return the first event whose high is at or above ``upper`` or low at or below ``lower``.

    Parameters
    ----------
    values
        Of the tape.
    tops, bottoms
        Its :func:`block_extremes`.
    start, stop
        Events that are searched, ``stop`` excluded; it is returned where there is none.
    """
    i = start
    while i < stop:
        if i % _BLOCK == 0:
            block = i >> _BITS
            if tops[block] < upper and bottoms[block] > lower:
                i += _BLOCK
                continue
        if values[i, HIGH] >= upper or values[i, LOW] <= lower:
            return i
        i += 1
    return stop
