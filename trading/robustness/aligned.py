"""Returns of several runs over the same spans, so that they can be compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from trading.record import Record

__all__ = ["aligned"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def aligned(records: Mapping[str, Record], spans: int = 512) -> tuple[Ints, Floats]:
    """Cut the time that all runs share into equal spans, and return what each earned in them.

    Parameters
    ----------
    records
        By name.
    spans
        Equal spans, at most; fewer where the run with the fewest decisions has fewer, for most
        spans would hold nothing.

    Returns
    -------
    int64[m + 1]
        Where the spans end, ns.
    float64[m, N]
        Net returns; equity at a time is the latest known. 0 once nothing is left.

    Raises
    ------
    DataError
        They share no time.
    """
    if not records:
        raise ValueError("records must hold a run at least, was empty")
    curves = {name: (one.times, one.equity) for name, one in records.items()}
    first = max(int(times[0]) for times, _ in curves.values())
    last = min(int(times[-1]) for times, _ in curves.values())
    if last <= first:
        raise DataError(f"the runs {', '.join(curves)} share no time; run them on the same tapes")
    count = max(1, min(spans, *(len(times) - 1 for times, _ in curves.values())))
    edges = first + np.round(np.linspace(0.0, 1.0, count + 1) * (last - first)).astype(np.int64)
    columns = []
    for times, equity in curves.values():
        worth = np.maximum(equity[np.searchsorted(times, edges, side="right") - 1], 0.0)
        columns.append(np.diff(worth) / np.where(worth[:-1] > 0.0, worth[:-1], np.inf))
    return edges, np.column_stack(columns)
