"""The audit as a command: what it looks at, the tables it shows, the exit status it ends with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features.audit.checks import Audited, able, audit
from features.batch import compute_rows
from features.catalogue import expand
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
    faulty = False
    for subject in subjects:
        rng = np.random.default_rng(seed)
        tape = subject.tape.slice(0, events)
        if len(tape) < 2:
            raise DataError(f"{tape.symbol}: an audit needs two events, there are {len(tape)}")
        beside = subject.beside.until(int(tape.times[-1]))
        can, can_not = able(subject.features.columns, beside)
        columns: tuple[Audited, ...] = ()
        if can:
            config = subject.features.model_copy(update={"columns": can})
            columns = audit(config, tape, beside, rng, cuts)
        rows = np.sort(rng.choice(len(tape), min(DECISIONS, len(tape)), replace=False))
        noise = compute_rows(_RETURN, tape, rows)[1]
        kinds = labellers(subject.labels, subject.costs)
        labels = purge(kinds, tape, rows, noise)
        console.print(f"[bold]{tape.symbol}[/]: {_told(tape, beside)}")
        console.print(_columns(columns))
        console.print(_labels(labels))
        _conclude(columns, labels, can_not, tape, cuts, console)
        faulty |= _faults(columns, labels) > 0
    return int(faulty)


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


def _columns(columns: Sequence[Audited]) -> Table:
    """Return a row for each column, those that need the same together."""
    table = _sheet(("need", "column"), ("warm-up", "found", "nan", "min", "median", "max"))
    said = ""
    for one in sorted(columns, key=lambda one: (one.found.of.stream, one.found.of.need)):
        need = one.found.of.need
        again, said = need == said, need
        found = f"{one.warmup:,}" if one.warmup else "never"
        table.add_row(
            "" if again else need,
            escape(one.found.name),
            f"{one.found.warmup:,}",
            found if one.warmup == one.found.warmup else f"[yellow]{found}[/]",
            f"{one.unknown:.1%}",
            *(_number(value) for value in one.quartiles),
            _verdict(one.faults, f"no {need} known here" if not one.warmup else ""),
        )
    return table


def _labels(labels: Sequence[Purged]) -> Table:
    """Return a row for each kind of label."""
    table = _sheet(("label",), ("decisions", "unknown", "ends after", "median", "at most"))
    for one in labels:
        table.add_row(
            one.name,
            f"{one.decisions:,}",
            f"{one.unknown:,}",
            *(_number(value) for value in one.span),
            _verdict(one.faults),
        )
    return table


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


def _sheet(words: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="bold cyan")
    for name in words:
        table.add_column(name, no_wrap=True)
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", ratio=1)
    return table


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4g}"


def _verdict(faults: Sequence[str], note: str = "") -> str:
    if faults:
        return "[red]✗ " + escape("; ".join(faults)) + "[/]"
    return f"[dim]{note}[/]" if note else "[green]✓[/]"
