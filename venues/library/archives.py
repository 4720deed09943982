"""Binance's archive of past days into the store, resumed where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from market.dayfiles import DAY
from market.errors import DataError
from market.span import span
from market.store import TickStore
from venues.binance.archive import ArchiveFile, ArchiveKind, files_between
from venues.binance.download import Fetched, fetch
from venues.library.config import BinanceCollection
from venues.library.downloading import there
from venues.library.reading import read

__all__ = ["from_archive"]

_KINDS: dict[str, ArchiveKind] = {"trades": "aggTrades", "ticks": "bookTicker", "bars": "klines"}
_AT_ONCE = 8
"""Files fetched before they are stored: what an interruption has to read again at most."""


async def from_archive(
    store: TickStore,
    wanted: BinanceCollection,
    start: int,
    end: int,
    rng: np.random.Generator,
    console: Console,
) -> int:
    """Fetch the days from ``start`` to ``end``, nanoseconds, and return how many rows were new.

    Days that are stored whole are not fetched; a file that came in part is gone on with. What the
    archive does not have is told.

    Raises
    ------
    VenueError
        A file could not be fetched.
    DataError
        The archive has no such kind, or one of its files is damaged.
    """
    added = 0
    first, last = _date(start), _date(end)
    for symbol in wanted.symbols:
        for kind in wanted.kinds:
            base, _, text = kind.partition("-")
            if base not in _KINDS:
                raise DataError(f"Binance's archive has no {kind}; collect it live")
            files = files_between(
                wanted.venue.market, _KINDS[base], symbol, first, last, text, months=True
            )
            step = span(text) if text else 0
            missing = [one for one in files if not there(store, symbol, kind, step, *_range(one))]
            console.print(
                f"[bold]{symbol}[/] {kind}: {len(files) - len(missing)} of {len(files)} files are "
                "stored already"
            )
            for at in range(0, len(missing), _AT_ONCE):
                done = await _fetch(wanted, missing[at : at + _AT_ONCE], rng, console)
                added += await asyncio.to_thread(_store, store, done, console)
    return added


async def _fetch(
    wanted: BinanceCollection,
    files: Sequence[ArchiveFile],
    rng: np.random.Generator,
    console: Console,
) -> list[Fetched]:
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        tasks = {one: progress.add_task(one.stem, total=None) for one in files}

        def heard(one: ArchiveFile, have: int, total: int) -> None:
            progress.update(tasks[one], completed=have, total=total or None)

        return await fetch(wanted.archive, files, wanted.archive_folder, rng, heard)


def _store(store: TickStore, done: Sequence[Fetched], console: Console) -> int:
    added = 0
    for one in done:
        if one.state == "missing":
            console.print(f"[yellow]missing[/] {escape(one.file.path)}: the archive has none, yet")
            continue
        recording = read(one.path)
        [series] = recording.series
        added += store.append(series, "binance archive", keep_first=True)
        store.set_aside(series.symbol, recording.bad)
    return added


def _range(file: ArchiveFile) -> tuple[int, int]:
    """Return the first and the last nanosecond of a file."""
    begin = (file.day - date(1970, 1, 1)).days * DAY
    if not file.monthly:
        return begin, begin + DAY - 1
    after = (file.day + timedelta(days=32)).replace(day=1)
    return begin, (after - date(1970, 1, 1)).days * DAY - 1


def _date(nanoseconds: int) -> date:
    return date(1970, 1, 1) + timedelta(days=nanoseconds // DAY)
