"""One row after the other: what comes too late, twice, or from another price level is left out."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

__all__ = ["LARGEST_JUMP", "Kept", "in_order"]

LARGEST_JUMP = 1.0
"""Absolute log return between neighbours that no market makes: a factor of 2.7."""


@dataclass(frozen=True)
class Kept:
    """Which rows stay.

    Parameters
    ----------
    kept
        ``bool[n]``.
    bad
        Reason by row.
    duplicates
        Rows that said again what stood there already.
    """

    kept: npt.NDArray[np.bool_]
    bad: dict[int, str]
    duplicates: int


def in_order(
    times: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    price: npt.NDArray[np.float64],
    ties: bool = False,
) -> Kept:
    """Go through rows that are each good on their own.

    A row is left out if its time is not later than that of the row kept last (a double if one
    was kept of that time and with these values), or if its price is :data:`LARGEST_JUMP` away.

    Parameters
    ----------
    times, values, price
        ``int64[n]``, ``float64[n, k]``, and of these the one that must not jump.
    ties
        Several rows may have one time, as trades do; none of them is a double then.

    Examples
    --------
    >>> price = np.array([10.0, 11.0, 99.0, 12.0, 12.0])
    >>> stay = in_order(np.array([1, 2, 3, 4, 4]), price[:, None], price)
    >>> stay.kept.tolist(), stay.bad, stay.duplicates
    ([True, True, False, True, False], {2: 'price jumps from 11 to 99 (+800 %)'}, 1)
    """
    count, duplicates = len(times), 0
    kept = np.ones(count, np.bool_)
    bad: dict[int, str] = {}
    steps = np.diff(times)
    # Only where a neighbour is out of order is there anything to decide; exactly, further down.
    jumps = np.abs(np.diff(np.log(price))) > LARGEST_JUMP - 1e-9
    doubtful = np.flatnonzero(((steps < 0) if ties else (steps <= 0)) | jumps) + 1
    begins, ends = [0], [0]  # of the runs kept so far; runs hold increasing times
    last, row = 0, 1
    while row < count:
        if last == row - 1:
            at = int(np.searchsorted(doubtful, row))
            row = int(doubtful[at]) if at < len(doubtful) else count
            ends[-1], last = row - 1, row - 1
            if row == count:
                break
        time, now = int(times[row]), int(times[last])
        if time < now or (time == now and not ties):
            twin = -1 if ties else _kept_at(time, times, begins, ends)
            kept[row] = False
            if twin >= 0 and np.array_equal(values[twin], values[row], equal_nan=True):
                duplicates += 1
            else:
                bad[row] = (
                    "time runs backwards"
                    if ties
                    else "time runs backwards, or stands still with other prices"
                )
        elif abs(log(price[row] / price[last])) > LARGEST_JUMP:
            kept[row] = False
            change = 100.0 * (price[row] / price[last] - 1.0)
            bad[row] = f"price jumps from {price[last]:g} to {price[row]:g} ({change:+.0f} %)"
        else:
            if last == row - 1:
                ends[-1] = row
            else:
                begins.append(row)
                ends.append(row)
            last = row
        row += 1
    return Kept(kept, bad, duplicates)


def _kept_at(time: int, times: npt.NDArray[np.int64], begins: list[int], ends: list[int]) -> int:
    """Return the row kept of a time, or -1."""
    run = bisect_right(begins, time, key=lambda row: int(times[row])) - 1
    if run < 0:
        return -1
    first, stop = begins[run], ends[run] + 1
    at = first + int(np.searchsorted(times[first:stop], time))
    return at if at < stop and int(times[at]) == time else -1
