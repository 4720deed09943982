"""History into the store, a piece at a time: what is there is not fetched again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from market.dayfiles import DAY
from market.errors import DataError
from market.events import SECOND
from market.holes import holes
from market.series import Series
from market.store import TickStore
from venues.library.sources import Source
from venues.library.words import moment

__all__ = ["Fetched", "download", "fill", "there"]

_BARS = 1000
"""Bars fetched at once, at least."""
_HOUR = 3_600 * SECOND
"""As long without one is worth telling all the same."""
_PAUSE = 60 * SECOND
"""Where events come when they please, so long without one says nothing."""


@dataclass(frozen=True)
class Fetched:
    """What a download gave.

    Parameters
    ----------
    source
        Of what.
    added
        Rows that were new.
    pieces, skipped
        Of how many pieces it consists, and how many of them were there already.
    missing
        Parts of what was asked for of which nothing is there, from and to; where events come when
        they please, those of an hour or more.
    """

    source: Source
    added: int
    pieces: int
    skipped: int
    missing: tuple[tuple[int, int], ...]


async def download(
    store: TickStore, wanted: list[Source], start: int, end: int, console: Console
) -> list[Fetched]:
    """Fetch what the venues have from ``start`` to ``end``, both included, nanoseconds.

    A day at a time, oldest first, each stored before the next is asked for: whatever stops a
    download, the same command goes on where it stood.

    Raises
    ------
    DataError
        ``end`` lies before ``start``, or a venue keeps no history of a kind.
    VenueError
        A venue can't be reached, or refuses.
    """
    if end < start:
        raise DataError(f"the end must not lie before the start, {moment(end)} < {moment(start)}")
    done = []
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[rows]:,} new rows"),
    )
    with Progress(*columns, console=console) as progress:
        for one in wanted:
            pieces = list(_pieces(start, end, one.step))
            name = f"{one.symbol} {one.kind}"
            task = progress.add_task(name, total=len(pieces), rows=0)
            added = skipped = 0
            seen, patience = start, 2 * one.step or _HOUR
            missing: list[tuple[int, int]] = []
            for low, high in pieces:
                if there(store, one.symbol, one.kind, one.step, low, high):
                    skipped, seen = skipped + 1, high
                else:
                    added += _store(store, one, await _history(one, low, high))
                    times, step = _stored(store, one, low, high)
                    patience = 2 * step or patience
                    marks = np.concatenate([[seen], times])
                    wide = np.flatnonzero(np.diff(marks) > patience)
                    missing += zip(marks[wide].tolist(), marks[wide + 1].tolist(), strict=True)
                    seen = int(marks[-1])
                progress.update(task, advance=1, rows=added)
            if end - seen > patience:
                missing.append((seen, end))
            done.append(Fetched(one, added, len(pieces), skipped, tuple(missing)))
    return done


async def fill(store: TickStore, one: Source) -> tuple[int, int]:
    """Fetch what the venue has of a source's holes; return rows added and holes left.

    What comes is judged by the step of what is stored around the hole, for a few rows don't show
    their own: the two on both sides of a hole that the venue has too would pass for neighbours.

    Raises
    ------
    DataError
        The venue keeps no history of this kind.
    VenueError
        It can't be reached, or refuses.
    """
    added = 0
    for hole in store.holes(one.symbol, one.kind):
        if hole.start < 0:
            continue
        # With the rows on both sides: only so is it known whether anything is missing still.
        whole = [(hole.start, hole.end)]
        long = hole.end - hole.start > 2 * DAY
        step = one.step or store.read(one.symbol, one.kind, hole.start, hole.end).step
        for low, high in _pieces(hole.start, hole.end, one.step) if long else whole:
            came = await _history(one, low, high)
            if step and came.kind != "trades":
                came = replace(came, step=step, fresh=came.fresh | holes(came.times, step))
            added += _store(store, one, came)
    return added, len(store.holes(one.symbol, one.kind))


async def _history(one: Source, start: int, end: int) -> Series:
    if one.history is None:
        raise DataError(
            f"{one.venue} keeps no history of {one.kind}; what is not collected live is lost"
        )
    return await one.history(start, end)


def _store(store: TickStore, one: Source, series: Series) -> int:
    return store.append(series, f"{one.venue} history", keep_first=True)


def _stored(
    store: TickStore, one: Source, low: int, high: int
) -> tuple[npt.NDArray[np.int64], int]:
    """Return the times of what is stored in a range, and its step; 0 where it is uneven."""
    if one.kind not in store.kinds(one.symbol):
        return np.empty(0, np.int64), one.step
    series = store.read(one.symbol, one.kind, low, high)
    return series.times, one.step or series.step


def _pieces(start: int, end: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield the days of a range; of long bars, as many days as make a page."""
    long = max(1, -(-_BARS * step // DAY)) * DAY
    while start <= end:
        high = min(end, (start // long + 1) * long - 1)
        yield start, high
        start = high + 1


def there(store: TickStore, symbol: str, kind: str, step: int, low: int, high: int) -> bool:
    """Return whether all from ``low`` to ``high`` is stored, from end to end without a hole."""
    if kind not in store.kinds(symbol):
        return False
    series = store.read(symbol, kind, low, high)
    if not len(series):
        return False
    patience = 2 * (step or series.step) or _PAUSE
    times = series.times
    inside = series.fresh[1:] if times[0] - low < patience else series.fresh
    whole = times[0] - low < patience and high - times[-1] < patience
    return bool(whole and not np.any(inside))
