"""What `pregao policy show` does: all that an exported policy says of itself."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from actors.schooling import schooling
from market.errors import StateError
from policies.exported import OnnxPolicy
from venues.library.words import moment

__all__ = ["run"]


def run(file: Path, console: Console) -> None:
    """Print what a policy sees and may answer, and what it was made of.

    Raises
    ------
    StateError
        The file is no exported policy.
    """
    policy = OnnxPolicy.load(file)
    spec = policy.spec
    table = Table.grid(padding=(0, 2))
    table.add_row("policy", f"[bold]{escape(policy.name)}[/] {escape(policy.version)}")
    table.add_row("schema", spec.digest)
    table.add_row("sees", f"{spec.size} numbers: {', '.join(spec.names)}")
    table.add_row("answers", _answers(policy))
    if spec.max_hold:
        table.add_row("holds", f"{spec.max_hold} decisions at most")
    if spec.trades_per_hour:
        table.add_row("opens", f"{spec.trades_per_hour} positions an hour at most")
    try:
        school = schooling(file)
    except StateError as error:
        console.print(table)
        console.print(f"[yellow]{escape(str(error))}[/]", soft_wrap=True)
        return
    for symbol, until in school.until.items():
        table.add_row("learnt", f"{symbol} until {moment(until)}")
    if school.lineage is not None:
        made = msgspec.to_builtins(school.lineage)
        made["steps"] = f"{made['steps']:,}"
        made["ensembles"] = ", ".join(f"{k} {v}" for k, v in made["ensembles"].items())
        for name, value in made.items():
            table.add_row(name, escape(str(value)))
    console.print(table)


def _answers(policy: OnnxPolicy) -> str:
    """Tell the actions in a few words."""
    action = policy.spec.action
    if action.mode == "exposure":
        levels = ", ".join(f"{level:g}" for level in action.levels)
        return (
            f"hold, or one of {levels} of the largest position; within {action.dead_zone:g} "
            "of it nothing is done"
        )
    told = ", ".join(
        f"{name} {'/'.join(f'{x:g}' for x in values)}"
        for name, values in (
            ("sizes", action.sizes), ("stops", action.losses), ("targets", action.profits),
        )
    )  # fmt: skip
    return f"hold, close, or enter {action.sides} with {told} (volatilities of an event)"
