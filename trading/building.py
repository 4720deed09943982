"""The datasets of recordings as a command: which are built, how far they are, what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

import venues
from features.building import Built, Parts, build_matrix
from features.decisions import Recipe
from features.sourcecode import code_of
from features.sources import Choice, Files, Source, Stored
from market.config import reason_of
from market.dayfiles import DAY
from market.errors import ConfigError, DataError
from market.series import Series
from market.store import TickStore
from venues.files import find
from venues.library.reading import read
from venues.library.words import instant, moment, size

__all__ = ["Job", "build", "days", "jobs"]

_CODE = code_of(venues)
"""Of what reads files, as it was imported."""

_TOLD = 3
"""Columns that are known least often, told by name."""


@dataclass(frozen=True)
class Job:
    """One dataset.

    Parameters
    ----------
    symbol
        Of what.
    recipe
        What is made.
    tick
        Price step of the order book.
    """

    symbol: str
    recipe: Recipe
    tick: str = ""


def jobs(
    data: str,
    symbols: Sequence[str],
    known: Mapping[str, Job],
    recipe: Recipe,
    columns: tuple[str, ...] = (),
    every: int | None = None,
) -> list[Job]:
    """Return a dataset for each symbol.

    Parameters
    ----------
    data
        As :func:`build` takes it.
    symbols
        Which; all that are recorded if there are none, of the ``known`` if there are any.
    known
        What is made of which symbol.
    recipe
        What is made of others.
    columns, every
        In place of what the recipes say.

    Raises
    ------
    DataError
        Nothing that is known is recorded.
    """
    recipe = _changed(recipe, columns, every)
    if not symbols:
        there = _recorded(data)
        peer = recipe.features.peer if "peer" in recipe.features.streams else ""
        symbols = [one for one in there if (one in known if known else one != peer)]
        if not symbols:
            raise DataError(
                f"{data} has {', '.join(there)}, of which none is in the config; name it with "
                "--symbol, or add it under `symbols`"
            )
    return [
        replace(known[one], recipe=_changed(known[one].recipe, columns, every))
        if one in known
        else Job(one, recipe)
        for one in symbols
    ]


def _changed(recipe: Recipe, columns: tuple[str, ...], every: int | None) -> Recipe:
    told = recipe.model_dump() | ({} if every is None else {"every": every})
    if columns:
        told["features"]["columns"] = columns
    try:
        return Recipe.model_validate(told)
    except ValidationError as error:
        raise ConfigError(reason_of(error.errors()[0]), key="columns") from None


def days(kind: str | None, start: str | None, end: str | None) -> Choice:
    """Return a part of a recording, its first and last day told as ``2026-04-03``."""
    choice = Choice(kind)
    if start is not None:
        choice = replace(choice, first=instant(start) // DAY)
    if end is not None:
        choice = replace(choice, last=instant(end, end=True) // DAY)
    return choice


def build(
    jobs: Sequence[Job],
    data: str,
    choice: Choice,
    root: Path,
    console: Console,
    parts: Parts | None = None,
) -> int:
    """Build the datasets that aren't there, and tell what there is; return the exit status.

    Parameters
    ----------
    jobs
        Which.
    data
        A folder of recordings, a recording, or a tick store: its folder or URI.
    choice
        Which part of the recordings.
    root
        Where matrices are kept.
    console
        Where progress and table go.
    parts
        Who does the work, all symbols at once: see :mod:`actors.building`. By default it is done
        here, one symbol after another.

    Raises
    ------
    DataError, ConfigError, StateError
        As :func:`features.building.build_matrix`.
    """
    reading = _Reading()
    sources = [_source(job, data, choice, reading) for job in jobs]
    stopped = Event()
    with _bars(console) as bars:

        def one(job: Job, source: Source) -> Built:
            bar = bars.add_task(job.symbol, total=None, rate="")

            def show(done: int, of: int, told: str) -> None:
                if stopped.is_set():
                    raise CancelledError
                bars.update(bar, completed=done, total=of, rate=told)

            def report(done: int, of: int) -> None:
                show(done, of, f"{done:,} of {of:,} events")

            def compiling(done: int, of: int) -> None:
                show(done, of, f"compiling, {done} of {of}")
                if done == of:
                    show(0, 1, "first events")

            return build_matrix(source, job.recipe, root, parts, report, compiling)

        if parts is None:
            made = [one(job, source) for job, source in zip(jobs, sources, strict=True)]
        else:
            with ThreadPoolExecutor(max(len(jobs), 1)) as pool:
                try:
                    made = list(pool.map(one, jobs, sources))
                except BaseException:
                    stopped.set()  # an interrupt, or a fault of one: the others needn't go on
                    raise
    for built in made:
        _tell(built, console)
    for name, count in reading.bad.items():
        console.print(
            f"[yellow]{count:,} bad rows[/] of {escape(name)} left out; `pregao data check` lists "
            "them",
            soft_wrap=True,
        )
    return 0


def _recorded(data: str) -> tuple[str, ...]:
    """Return the symbols that a folder, a file or a store holds."""
    if "://" in data:
        return TickStore(data).symbols()
    path = Path(data)
    if path.is_file():
        return tuple(dict.fromkeys(series.symbol for series in read(path).series))
    return tuple(find(path))


def _tell(built: Built, console: Console) -> None:
    """Say what a dataset is, and which columns keep decisions from being made."""
    card, folder = built.matrix.card, built.matrix.folder
    weight = size(sum(file.stat().st_size for file in folder.iterdir()))
    spent = "[green]cached[/]" if built.cached else f"{card.seconds:.1f} s"
    console.print(
        f"[bold]{card.symbol}[/] {spent}: "
        f"{card.decisions:,} decisions, {len(card.names)} columns, {weight}; of {card.events:,} "
        f"events with {card.gaps:,} gaps, {moment(card.first)} to {moment(card.last)}",
        soft_wrap=True,
    )
    if card.decisions < card.due:
        least = sorted(card.unknown.items(), key=lambda one: -one[1])[:_TOLD]
        told = ", ".join(f"{name} ({share:.1%})" for name, share in least if share)
        console.print(
            f"  {card.due - card.decisions:,} of {card.due:,} decisions left out; most often "
            f"unknown: {told}",
            soft_wrap=True,
        )
    console.print(f"  {folder}", soft_wrap=True)


def _source(job: Job, data: str, choice: Choice, reading: _Reading) -> Source:
    """Return where a job's recording is read from."""
    path = Path(data)
    how = (job.symbol, job.recipe.features, replace(choice, tick=job.tick))
    if "://" in data:
        return Stored(data, *how)
    if path.is_file():
        return Files((path,), reading, *how, _CODE)
    peer = (job.recipe.features.peer,) if "peer" in job.recipe.features.streams else ()
    found = find(path, (job.symbol, *filter(None, peer)))
    if found[job.symbol].is_dir():
        return Stored(path, *how)
    return Files(tuple(dict.fromkeys(found.values())), reading, *how, _CODE)


class _Reading:
    """Reads files, and knows how many rows of which were bad."""

    def __init__(self) -> None:
        self.bad = dict[str, int]()

    def __call__(self, path: Path) -> Iterable[Series]:
        recording = read(path)
        if recording.bad:
            self.bad[str(path)] = len(recording.bad)
        return recording.series


def _bars(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[rate]}"),
        console=console,
        transient=True,
    )
