"""The audit as a command: what it looks at, the tables it shows, the exit status it ends with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features.audit.checks import Audited, able, audit
from features.batch import compute_rows
from features.catalogue import expand
from features.compiling import compile_steps
from features.config import FeatureConfig
from features.labels import LabelConfig
from features.labels.purge import Purged, labellers, purge
from market.beside import Beside
from market.errors import DataError
from market.execution import Costs
from market.tape import Tape

__all__ = ["Subject", "run"]

DECISIONS = 200
"""So many random ones have their labels looked at."""

_RETURN = FeatureConfig(columns=("log_return_1",))


@dataclass(frozen=True)
class Subject:
    """What is audited.

    Parameters
    ----------
    tape, beside
        A recording.
    features
        Its columns; those that lack a recording are left out, and told.
    labels, costs
        Its labels.
    """

    tape: Tape
    beside: Beside
    features: FeatureConfig
    labels: LabelConfig
    costs: Costs | None = None


def run(
    subjects: Iterable[Subject], console: Console, cuts: int = 8, seed: int = 7, events: int = 5_000
) -> int:
    """Audit columns and labels on recordings; return the exit status.

    Parameters
    ----------
    subjects
        What is audited, one after the other.
    console
        Where the tables go.
    cuts
        Random times at which the data ends, and an engine is restarted.
    seed
        Of everything random.
    events
        Ticks or bars of each recording that are looked at, its first ones.
    """
    faulty, left = False, iter(subjects)
    while True:
        with console.status("reading") as status:
            subject = next(left, None)
            if subject is None:
                return int(faulty)
            tape = subject.tape.slice(0, events)
            if len(tape) < 2:
                raise DataError(f"{tape.symbol}: an audit needs two events, there are {len(tape)}")
            beside = subject.beside.until(int(tape.times[-1]))
            can, can_not = able(subject.features.columns, beside)
            config = subject.features.model_copy(update={"columns": can})

            def compiling(done: int, of: int, symbol: str = tape.symbol) -> None:
                status.update(f"{symbol}: compiling columns, {done} of {of}")

            compile_steps(config, compiling)
            status.update(f"{tape.symbol}: auditing {len(can)} columns")
            rng = np.random.default_rng(seed)
            columns = audit(config, tape, beside, rng, cuts) if can else ()
            status.update(f"{tape.symbol}: auditing labels")
            rows = np.sort(rng.choice(len(tape), min(DECISIONS, len(tape)), replace=False))
            noise = compute_rows(_RETURN, tape, rows)[1]
            labels = purge(labellers(subject.labels, subject.costs), tape, rows, noise)
        console.print(f"[bold]{tape.symbol}[/]: {_told(tape, beside)}")
        _show_columns(columns, console)
        _show_labels(labels, console)
        _conclude(columns, labels, can_not, tape, cuts, console)
        faulty |= _faults(columns, labels) > 0


def _told(tape: Tape, beside: Beside) -> str:
    parts = [f"{len(tape):,} {'bars' if tape.bars else 'ticks'}"]
    if beside.trades is not None:
        parts.append(f"{len(beside.trades):,} trades")
    if beside.book is not None:
        parts.append(f"{len(beside.book):,} changes of the book")
    if beside.peer is not None:
        parts.append(f"{len(beside.peer):,} prices of {beside.peer.symbol}")
    parts.append(f"holes: {int(tape.fresh.sum())}")
    return ", ".join(parts)


def _show_columns(columns: Sequence[Audited], console: Console) -> None:
    """Print a row for each column, those that need the same together, and what is wrong."""
    table = _sheet("column", ("warm-up", "nan", "min", "median", "max"))
    notes, nowhere = list[str](), Counter[str]()
    said = ""
    for one in sorted(columns, key=lambda one: (one.found.of.stream, one.found.of.need)):
        need, name = one.found.of.need, escape(one.found.name)
        if need != said:
            table.add_row(f"[cyan]{need}[/]")
        said, note = need, ""
        if not one.warmup:
            nowhere[need] += 1
        elif one.warmup != one.found.warmup:
            note = f"first known after {one.warmup:,} events, not {one.found.warmup:,}"
        table.add_row(
            f" {name}",
            f"{one.found.warmup:,}",
            _share(one.unknown),
            *(_number(value) for value in one.quartiles),
            _verdict(one.faults, not one.warmup),
        )
        notes += _noted(name, one.faults, note)
    for missing, count in nowhere.items():
        notes.append(f"[yellow]– never known, for no {missing} is:[/] {count} columns")
    _print(table, notes, console)


def _show_labels(labels: Sequence[Purged], console: Console) -> None:
    """Print a row for each kind of label, and what is wrong."""
    table = _sheet("label", ("decisions", "unknown", "ends after", "median", "at most"))
    notes: list[str] = []
    for one in labels:
        table.add_row(
            one.name,
            f"{one.decisions:,}",
            f"{one.unknown:,}",
            *(_number(value) for value in one.span),
            _verdict(one.faults),
        )
        notes += _noted(one.name, one.faults)
    _print(table, notes, console)


def _print(table: Table, notes: Sequence[str], console: Console) -> None:
    console.print(table)
    for note in notes:
        console.print(note, soft_wrap=True)
    console.print()


def _conclude(
    columns: Sequence[Audited],
    labels: Sequence[Purged],
    can_not: Sequence[str],
    tape: Tape,
    cuts: int,
    console: Console,
) -> None:
    """Print what was looked at, and the verdict."""
    lacking = Counter(one.of.need for one in expand(can_not))
    if lacking:
        told = ", ".join(f"{count} of {need}" for need, count in lacking.items())
        console.print(f"left out, for nothing is recorded that they need: {told}")
    cuts = min(cuts, len(tape) - 1)
    console.print(
        f"{len(columns)} columns and {len(labels)} kinds of label; {len(tape):,} rows streamed and "
        f"in batch, the data cut at {cuts} random times, restarted at each: ",
        end="",
    )
    faults = _faults(columns, labels)
    console.print("[bold green]no fault[/]\n" if not faults else f"[bold red]faults: {faults}[/]\n")


def _faults(columns: Sequence[Audited], labels: Sequence[Purged]) -> int:
    return sum(len(one.faults) for one in columns) + sum(len(one.faults) for one in labels)


def _sheet(name: str, figures: Sequence[str]) -> Table:
    """Return a table that fits 80 columns: where there is less room, names break, not figures."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="bold cyan")
    table.add_column(name, overflow="fold")
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    return table


def _number(value: float) -> str:
    """Return a figure of seven characters at most: four digits, or four places."""
    size = abs(value)
    if np.isnan(value):
        return ""
    if value and not 1e-3 <= size < 1e5:
        digits, power = f"{value:.1e}".split("e")
        short = f"{digits}e{int(power)}".replace(".0e", "e")
        return short if len(short) < 8 else f"{value:.0e}"
    if size >= 1e3:
        return f"{value:,.0f}"
    return f"{value:.4g}" if size >= 1.0 else f"{value:.4f}".rstrip("0").rstrip(".")


def _share(part: float) -> str:
    return f"{part:.1%}" if part < 0.0995 else f"{part:.0%}"


def _verdict(faults: Sequence[str], never: bool = False) -> str:
    return "[red]✗[/]" if faults else "[yellow]–[/]" if never else "[green]✓[/]"


def _noted(name: str, faults: Sequence[str], note: str = "") -> Iterator[str]:
    """Yield what a verdict is short for."""
    if faults:
        yield f"[red]✗ {name}: {escape('; '.join(faults))}[/]"
    if note:
        yield f"[dim]{name}: {note}[/]"
