"""Two recordings of the same market as one: each event once, and who contradicts whom told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from market.series import KINDS, Column, Series

__all__ = ["Merged", "distinct", "merge"]

Index = npt.NDArray[np.intp]

_COMPARED = {
    "ticks": ("price", "bid", "ask"),
    "bars": tuple(KINDS["bars"]),
    "trades": ("price", "size", "side"),
    "book": (),
}
"""What two accounts of one event must agree on.

A trade's time is not among it: one source tells it in milliseconds, another in microseconds.
"""


@dataclass(frozen=True)
class Merged:
    """Two series made one.

    Parameters
    ----------
    series
        Each event once; where both have it, as ``old`` told it, with what only ``new`` knows.
    added
        Rows of ``new`` that ``old`` lacks.
    changed
        Whether ``series`` differs from ``old`` at all.
    conflicts
        Pairs of rows, of ``series`` and of ``new``, that tell one event differently.
    """

    series: Series
    added: int
    changed: bool
    conflicts: tuple[tuple[int, int], ...]


def merge(old: Series, new: Series, knows_before: bool = True) -> Merged:
    """Merge two series of one symbol and kind.

    An event is known by its time (ticks, bars), by the venue's number (trades that have one), or
    by all it says (book; other trades, the number aside where one series has none at all): of rows
    that are equal throughout as many are kept as the series with more of them has, for a tape may
    well have two equal trades in one instant.

    ``nan``, or side 0, means that a source does not tell: the other's word is taken.

    Parameters
    ----------
    old, new
        What was known, and what comes to it.
    knows_before
        Whether ``new`` knows what came before its first row. Of ``fresh`` its word counts, being
        the later one, except at a first row that doesn't.
    """
    at_old, at_new = _common(old, new)
    columns = {name: column.copy() for name, column in old.columns.items()}
    clash = np.zeros(len(at_old), np.bool_)
    changed = False
    for name in _COMPARED[old.kind]:
        ours, theirs = columns[name][at_old], new.columns[name][at_new]
        we_know, they_know = _known(name, ours), _known(name, theirs)
        clash |= we_know & they_know & (ours != theirs)
    for name in _COMPARED[old.kind]:
        ours, theirs = columns[name][at_old], new.columns[name][at_new]
        learnt = ~_known(name, ours) & _known(name, theirs) & ~clash
        columns[name][at_old[learnt]] = theirs[learnt]
        changed = changed or bool(learnt.any())
    if old.kind == "trades":
        ours, theirs = columns["id"][at_old], new.columns["id"][at_new]
        numbered = (ours < 0) & (theirs >= 0)
        columns["id"][at_old[numbered]] = theirs[numbered]
        changed = changed or bool(numbered.any())
    told = (at_new > 0) | knows_before
    fresh = old.fresh.copy()
    fresh[at_old[told]] = new.fresh[at_new[told]]
    extra = np.setdiff1d(np.arange(len(new)), at_new)
    changed = changed or bool(len(extra)) or bool((fresh != old.fresh).any())
    times = np.concatenate([old.times, new.times[extra]])
    joined = {
        name: np.concatenate([column, new.columns[name][extra]]) for name, column in columns.items()
    }
    order = _order(old.kind, times, joined)
    kept = np.argsort(order)[at_old[clash]]
    series = Series(
        old.symbol,
        old.kind,
        old.step or new.step,
        times[order],
        {name: column[order] for name, column in joined.items()},
        np.concatenate([fresh, new.fresh[extra]])[order],
    )
    clashes = tuple(zip(kept.tolist(), at_new[clash].tolist(), strict=True))
    return Merged(series, len(extra), changed, clashes)


def distinct(series: Series) -> Merged:
    """Drop what a series says twice; only trades and book can."""
    if series.kind in ("ticks", "bars"):
        return Merged(series, len(series), True, ())
    ids = series.columns.get("id")
    numbered = ids is not None and bool((ids >= 0).all())
    if not numbered or ids is None:
        # Equal trades in one instant are two; so are equal rows of a book, which harm nobody.
        return Merged(series, len(series), True, ())
    if (np.diff(ids) > 0).all():
        return Merged(series, len(series), True, ())
    _, first, which = np.unique(ids, return_index=True, return_inverse=True)
    rows = np.arange(len(series))
    again = rows[first[which] != rows]
    clash = np.zeros(len(again), np.bool_)
    for name in _COMPARED["trades"]:
        column = series.columns[name]
        clash |= column[first[which[again]]] != column[again]
    keep = np.sort(first)
    kept = Series(
        series.symbol,
        series.kind,
        series.step,
        series.times[keep],
        {name: column[keep] for name, column in series.columns.items()},
        series.fresh[keep],
    )
    place = np.searchsorted(keep, first[which[again[clash]]])
    clashes = tuple(zip(place.tolist(), again[clash].tolist(), strict=True))
    return Merged(kept, len(kept), True, clashes)


def _known(name: str, column: Column) -> npt.NDArray[np.bool_]:
    return column != 0 if name == "side" else ~np.isnan(column)


def _common(old: Series, new: Series) -> tuple[Index, Index]:
    """Return the rows of ``old`` and of ``new`` that are of the same events."""
    if old.kind in ("ticks", "bars"):
        _, at_old, at_new = np.intersect1d(
            old.times, new.times, assume_unique=True, return_indices=True
        )
        return at_old, at_new
    if old.kind == "trades":
        ours, theirs = old.columns["id"], new.columns["id"]
        if (ours >= 0).all() and (theirs >= 0).all():
            _, at_old, at_new = np.intersect1d(ours, theirs, return_indices=True)
            return at_old, at_new
    bare = old.kind == "trades" and any((one.columns["id"] < 0).all() for one in (old, new))
    both = np.concatenate([_rows(old, bare), _rows(new, bare)])
    _, codes = np.unique(both, return_inverse=True)
    _, at_old, at_new = np.intersect1d(
        _nth(codes[: len(old)]), _nth(codes[len(old) :]), assume_unique=True, return_indices=True
    )
    return at_old, at_new


def _rows(series: Series, bare: bool) -> npt.NDArray[np.void]:
    """Return each row as bytes, so that rows compare whole and ``nan`` equals itself.

    ``bare`` leaves the venue's number out.
    """
    fields = [("time", "i8"), *KINDS[series.kind].items()]
    table = np.zeros(len(series), np.dtype([(name, kind) for name, kind in fields]))
    table["time"] = series.times
    for name, column in series.columns.items():
        if not (bare and name == "id"):
            table[name] = column
    return table.view(f"V{table.dtype.itemsize}")


def _nth(codes: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """Return a number for each code and how many equal ones stand before it."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(codes) else order
    lengths = np.diff(np.r_[starts, len(codes)])
    nth = np.empty(len(codes), np.int64)
    nth[order] = np.arange(len(codes)) - np.repeat(starts, lengths)
    return codes.astype(np.int64) * (1 << 32) + nth


def _order(kind: str, times: npt.NDArray[np.int64], columns: dict[str, Column]) -> Index:
    """Return the order of events: by time, then by the venue's number; else as they came."""
    if kind == "trades":
        return np.lexsort((columns["id"], times))
    if kind == "book":
        return np.lexsort((columns["last"], times))
    return np.argsort(times, kind="stable")
