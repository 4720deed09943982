"""Recordings into the store: what was taken, what was there, what is kept aside and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from market.calendar import calendar_of
from market.dayfiles import shelf_of
from market.errors import DataError
from market.series import Series
from market.store import TickStore
from venues.files import Recording
from venues.files.recording import TOLERATED
from venues.library.files import found, is_store
from venues.library.reading import read
from venues.library.runs import runs
from venues.library.tables import sheet

__all__ = ["Taking", "bring_in"]


@dataclass(frozen=True)
class Taking:
    """How recordings are read, and what is done about contradictions.

    Parameters
    ----------
    symbol
        What to read of a file that has several, or what a file that doesn't say is of; else from
        its columns or its name.
    zone
        Time zone of times that name none; the format's own if left out.
    tolerate
        Share of bad rows up to which the others of a file are used.
    keep_first
        Put an event that contradicts a stored one into quarantine instead of refusing the file.
    """

    symbol: str | None = None
    zone: str | None = None
    tolerate: float = TOLERATED
    keep_first: bool = False


def bring_in(root: str, paths: Iterable[Path], taking: Taking, console: Console) -> int:
    """Import files and folders; print what became of every row; return 1 if a file was refused.

    What is stored already is not stored again, so that an import that was stopped, or a folder
    that grew, is simply imported again.

    Raises
    ------
    DataError
        A path is neither file nor folder, or is a tick store.
    """
    store = TickStore(root)
    paths = list(paths)
    for path in paths:
        if is_store(path):
            raise DataError(f"{path} is a tick store; `pregao data export` what is wanted of it")
    files, left = found(paths)
    table = sheet(f"into {store.root}")
    for name in ("symbol", "kind"):
        table.add_column(name, no_wrap=True)
    for name in ("rows", "new", "holes", "doubles", "bad"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("file, read as")
    refused: list[str] = []
    faults: list[str] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("importing", total=len(files))
        for path in files:
            progress.update(task, description=f"importing {path.name}")
            try:
                recording = read(path, taking.symbol, taking.tolerate, taking.zone)
                _take(store, path, recording, taking, table)
                faults += runs(recording.bad)
            except DataError as error:
                refused.append(str(error))
            progress.advance(task)
    if table.row_count:
        console.print(table)
    for line in faults:
        console.print(f"[yellow]kept aside[/] {escape(line)}", soft_wrap=True)
    for path in left:
        console.print(f"[dim]left out   {escape(str(path))}: {path.suffix} is not read[/]")
    for line in refused:
        console.print(f"[red]refused[/]    {escape(line)}", soft_wrap=True)
    return int(bool(refused))


def _take(store: TickStore, path: Path, recording: Recording, taking: Taking, table: Table) -> None:
    """Store a file's series, and add their rows to the table."""
    if not taking.keep_first:
        # All before any: a file is taken whole or not at all.
        for one in recording.series:
            store.agree(one, path.name)
    bad, doubles = f"{len(recording.bad):,}", f"{recording.duplicates:,}"
    for number, one in enumerate(recording.series):
        before = len(store.quarantine(one.symbol)) if taking.keep_first else 0
        added = _append(store, one, path, taking)
        clashes = len(store.quarantine(one.symbol)) - before if taking.keep_first else 0
        table.add_row(
            f"[bold]{one.symbol}[/]",
            shelf_of(one.kind, one.step),
            f"{len(one):,}",
            f"[green]{added:,}[/]" if added else "[dim]0[/]",
            f"{int(one.fresh.sum()):,}",
            "" if number else doubles,
            ("" if number else bad) + (f" + {clashes:,}" if clashes else ""),
            "" if number else f"{escape(path.name)} [dim]{recording.layout}[/]",
        )
    if recording.bad:
        store.set_aside(recording.series[0].symbol, recording.bad)


def _append(store: TickStore, series: Series, path: Path, taking: Taking) -> int:
    return store.append(series, path.name, taking.keep_first, calendar_of(series.symbol))
