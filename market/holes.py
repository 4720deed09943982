"""What counts as a hole in a series of event times: one rule, for feeds, files and the store."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from market.calendar import ALWAYS, Calendar

__all__ = ["MAX_GAP", "holes", "nominal_step"]

MAX_GAP = 1.5
"""Steps longer than so many nominal ones are holes: one missing event is one."""

_EVEN = 0.9
"""Share of the steps that must be nominal, for a series to count as evenly spaced."""


def nominal_step(times: npt.NDArray[np.int64]) -> int:
    """Return the step of an evenly spaced series, 0 where it is not evenly spaced.

    Parameters
    ----------
    times
        ``int64[n]``, nanoseconds, increasing.

    Returns
    -------
    int
        The median step if at least nine in ten steps equal it, else 0: where events come when
        they please, a long step says nothing about a loss. 0 also for fewer than three times.

    Examples
    --------
    >>> nominal_step(np.array([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 26]))
    2
    >>> nominal_step(np.array([0, 1, 5, 6, 13]))
    0
    """
    if len(times) < 3:
        return 0
    steps = np.diff(times)
    step = int(np.median(steps))
    return step if np.mean(steps == step) >= _EVEN else 0


def holes(
    times: npt.NDArray[np.int64],
    step: int,
    max_gap: float = MAX_GAP,
    calendar: Calendar = ALWAYS,
) -> npt.NDArray[np.bool_]:
    """Return which rows follow a hole.

    Parameters
    ----------
    times
        ``int64[n]``, nanoseconds, increasing.
    step
        The nominal step; 0 finds no holes.
    max_gap
        A step of more than ``max_gap * step`` is a hole.
    calendar
        Only time at which the market is open counts: nights and holidays are no holes.

    Returns
    -------
    bool[n]
        The first row never does: what came before it is unknown.

    Examples
    --------
    >>> holes(np.array([0, 2, 4, 8]), 2).tolist()
    [False, False, False, True]
    """
    found = np.zeros(len(times), np.bool_)
    if step > 0:
        found[1:] = calendar.open_time(times[:-1], times[1:]) > max_gap * step
    return found
