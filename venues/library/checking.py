"""What is wrong with recordings: holes, impossible rows, doubles, files that are none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape

from market.errors import DataError, StateError
from market.series import Series
from market.store import TickStore
from venues.library.files import found, is_store
from venues.library.reading import read
from venues.library.runs import runs
from venues.library.words import length, moment

__all__ = ["Finding", "check", "report"]

LARGEST_JUMP = 1.0
"""Absolute log return between neighbours that no market makes: a factor of 2.7."""


@dataclass(frozen=True)
class Finding:
    """What a look at one recording gave.

    Parameters
    ----------
    where
        File, or symbol and kind of a store.
    summary
        What it is, in a line.
    refused
        Why it can't be used at all; empty if it can.
    holes, bad, doubles, note
        What is wrong, one line each.
    """

    where: str
    summary: str = ""
    refused: str = ""
    holes: Sequence[str] = ()
    bad: Sequence[str] = ()
    doubles: Sequence[str] = ()
    note: str = field(default="", compare=False)

    @property
    def right(self) -> bool:
        """Whether there is nothing to complain about."""
        return not (self.refused or self.holes or self.bad or self.doubles)


def check(paths: Iterable[str]) -> Iterator[Finding]:
    """Look at files, folders and stores (also by URI); every recording gives one finding.

    Nothing is changed, and nothing taken for granted: every row is read.

    Raises
    ------
    DataError
        A path is neither file nor folder.
    """
    for given in paths:
        path = Path(given)
        if "://" in given or is_store(path):
            yield from _store(TickStore(given))
            continue
        files, left = found([path])
        for one in files:
            yield _file(one)
        for one in left:
            yield Finding(str(one), note=f"left out: {one.suffix or 'no suffix'} is not read")


def report(findings: Iterable[Finding], console: Console, most: int = 8) -> int:
    """Print findings as they come; return 1 if something is wrong, else 0.

    Parameters
    ----------
    findings
        Of :func:`check`.
    console
        Where to.
    most
        Lines of one sort for one recording; how many more there are is told.
    """
    looked = wrong = 0
    for one in findings:
        if one.note:
            console.print(f"[dim]–  {escape(one.where)}: {escape(one.note)}[/]")
            continue
        looked += 1
        wrong += not one.right
        mark = "[green]✓[/]" if one.right else "[red]✗[/]"
        console.print(
            f"{mark}  [bold]{escape(one.where)}[/]  [dim]{escape(one.summary)}[/]", soft_wrap=True
        )
        if one.refused:
            console.print(f"     [red]refused[/]  {escape(one.refused)}", soft_wrap=True)
        for name, lines in (("hole", one.holes), ("bad row", one.bad), ("double", one.doubles)):
            for line in lines[:most]:
                console.print(f"     [yellow]{name:<8}[/] {escape(line)}", soft_wrap=True)
            if len(lines) > most:
                console.print(f"     [dim]{'':<8} and {len(lines) - most:,} more (--all)[/]")
    tail = "[green]nothing wrong[/]" if not wrong else f"[red]{wrong} with something wrong[/]"
    console.print(f"{looked} looked at, {tail}")
    return int(wrong > 0)


def _file(path: Path) -> Finding:
    try:
        recording = read(path, tolerate=1.0)
    except DataError as error:
        return Finding(str(path), refused=str(error))
    rows = sum(len(one) for one in recording.series)
    names = ", ".join(dict.fromkeys(f"{one.symbol} {one.kind}" for one in recording.series))
    first = min(int(one.times[0]) for one in recording.series)
    last = max(int(one.times[-1]) for one in recording.series)
    return Finding(
        str(path),
        f"{recording.layout}, {names}, {rows:,} rows, {moment(first)} – {moment(last)}",
        holes=[line for one in recording.series for line in _holes(one)],
        bad=runs(recording.bad),
        doubles=[f"{recording.duplicates:,} rows say again what stands there already"]
        if recording.duplicates
        else (),
    )


def _store(store: TickStore) -> Iterator[Finding]:
    for symbol in store.symbols():
        try:
            aside = runs(store.quarantine(symbol))
        except DataError as error:
            yield Finding(f"{store.root}: {symbol} quarantine", refused=str(error))
            aside = []
        for kind in store.kinds(symbol):
            where = f"{store.root}: {symbol} {kind}"
            try:
                series = store.read(symbol, kind)
            except (DataError, StateError) as error:
                yield Finding(where, refused=str(error))
                continue
            first, last = int(series.times[0]), int(series.times[-1])
            yield Finding(
                where,
                f"{len(series):,} rows, {moment(first)} – {moment(last)}",
                holes=_holes(series),
                bad=[*_jumps(series), *aside],
            )
            aside = []


def _holes(series: Series) -> list[str]:
    behind = np.flatnonzero(series.fresh)
    times = series.times
    return [
        f"{moment(int(times[at - 1]))} – {moment(int(times[at]))}, "
        f"{length(int(times[at] - times[at - 1]))}"
        if at
        else f"in front of {moment(int(times[0]))}, of unknown length"
        for at in behind.tolist()
    ]


def _jumps(series: Series) -> list[str]:
    """Return the steps from one price to the next that no market makes."""
    if series.kind == "book" or len(series) < 2:
        return []
    price = series.columns["close" if series.kind == "bars" else "price"]
    jumps = np.abs(np.diff(np.log(price))) > LARGEST_JUMP
    return [
        f"{moment(int(series.times[at + 1]))}: price jumps from {price[at]:g} to {price[at + 1]:g}"
        for at in np.flatnonzero(jumps).tolist()
    ]
