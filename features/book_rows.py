"""A recorded book as flat arrays that compiled code replays: one end for each update."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from features.compiled import compiled
from market.book import Book
from market.bookkernel import Sides, first_bad
from market.errors import DataError
from market.ladder import ASK, BEST, BID, HEAD, LIMIT, NODES_END, ROOT, Floats, Ints
from market.series import Series

__all__ = ["BookRows", "clear", "updates"]


class BookRows(NamedTuple):
    """Updates of one book.

    Parameters
    ----------
    times
        ``int64[updates]``: venue time, nanoseconds.
    ends
        For each update the row after its last one; an update without a level has no row.
    sides, ticks, sizes
        Of each row, as :meth:`market.book.Book.apply` takes them.
    snapshot
        The update is the whole book: :func:`clear` before its rows are applied.
    fresh
        The update follows a hole that could not be filled.
    """

    times: Ints
    ends: Ints
    sides: Sides
    ticks: Ints
    sizes: Floats
    snapshot: npt.NDArray[np.bool_]
    fresh: npt.NDArray[np.bool_]


def updates(series: Series, tick: float | str) -> BookRows:
    """Return a series' updates: the very ones that :meth:`market.series.Series.events` yields.

    Parameters
    ----------
    series
        Of kind ``book``.
    tick
        The symbol's price step.

    Raises
    ------
    DataError
        The series is of another kind, a price is off the grid, or a size is unknown.

    Examples
    --------
    >>> from market.events import BookUpdate
    >>> told = updates(Series.from_events("X", [
    ...     BookUpdate("X", 1, 7, 7, ((9.9, 2.0), (9.8, 1.0)), ((10.2, 4.0),), snapshot=True),
    ...     BookUpdate("X", 3, 8, 8, ((9.9, 0.0),), ())]), "0.1")
    >>> told.times.tolist(), told.ends.tolist(), told.ticks.tolist(), told.snapshot.tolist()
    ([1, 3], [3, 4], [99, 98, 102, 99], [True, False])
    """
    if series.kind != "book":
        raise DataError(f"{series.symbol}: {series.kind} are no book", reason="kind")
    columns = series.columns
    begins = series.fresh.copy()
    begins[:1] = True
    keys = [columns[name] for name in ("first", "last", "previous", "snapshot")]
    for key in (series.times, *keys):
        begins[1:] |= key[1:] != key[:-1]
    starts = np.flatnonzero(begins)
    # A row of side 0 only says that there was an update.
    level = columns["side"] != 0
    counts = np.concatenate(([0], np.cumsum(level)))
    ends = counts[np.concatenate((starts[1:], [len(level)]))] if len(starts) else starts
    sides = np.ascontiguousarray(columns["side"][level], np.int8)
    sizes = np.ascontiguousarray(columns["size"][level], np.float64)
    ticks = Book(series.symbol, tick).ticks(columns["price"][level])
    row = first_bad(sides, ticks, sizes)
    if row >= 0:
        raise DataError(
            f"{series.symbol}: a book's size must be finite and >= 0, row "
            f"{np.flatnonzero(level)[row]} at {series.times[level][row]} has {sizes[row]}",
            reason="size",
        )
    whole = columns["snapshot"][starts]
    return BookRows(series.times[starts], ends, sides, ticks, sizes, whole, series.fresh[starts])


@compiled
def clear(tree: Ints, sizes: Floats) -> None:
    """Take every level away, as :func:`market.ladder.empty` begins, and keep the room."""
    end = tree[NODES_END]
    tree[:end] = 0
    sizes[:] = 0.0
    tree[NODES_END] = HEAD + 2 * ROOT
    tree[BEST + BID], tree[BEST + ASK] = -1, LIMIT
