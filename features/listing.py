"""Which columns there are, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import get_args

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features.catalogue import FAMILIES, SETS, expand
from features.column import Column, Family, Need
from market.errors import ConfigError

__all__ = ["Row", "listed", "ls", "table"]

_EVENTS = {"prices": "", "trades": " trades", "book": " updates"}


@dataclass(frozen=True)
class Row:
    """A column, in words.

    Parameters
    ----------
    name
        Template, or name.
    numbers
        Those of the instances in the sets: ``14``, ``5 50``.
    column, family
        What is known of it.
    warmup
        Events until each instance is given.
    """

    name: str
    numbers: tuple[str, ...]
    column: Column
    family: Family
    warmup: tuple[int, ...]

    @property
    def bounds(self) -> str:
        """Range it never leaves: ``0 … 1``; empty where it has none."""
        low, high = self.column.low, self.column.high
        if low == -inf and high == inf:
            return ""
        return f"{_bound(low)} … {_bound(high)}"

    @property
    def known_after(self) -> str:
        """Warm-up of the instances, with what is counted where that is not ticks or bars."""
        return ", ".join(map(str, self.warmup)) + _EVENTS[self.family.stream]


def listed(names: Iterable[str] = (), needs: Iterable[str] = ()) -> list[Row]:
    """Return columns, those that need the same together.

    Parameters
    ----------
    names
        Columns and sets; without any, every template there is.
    needs
        Only what needs one of these; without any, all.

    Raises
    ------
    ConfigError
        There is no such column, set or need.
    """
    order = get_args(Need)
    for need in needs:
        if need not in order:
            raise ConfigError(f"need must be {', '.join(order)}, was {need!r}")
    found = expand(names)
    rows = [Row(one.name, (), one.column, one.of, (one.warmup,)) for one in found] or [
        _template(family, column) for family in FAMILIES for column in family.columns
    ]
    kept = [row for row in rows if row.family.need in (tuple(needs) or order)]
    return sorted(kept, key=lambda row: order.index(row.family.need))


def table(rows: Sequence[Row]) -> Table:
    """Return a table with a row for each column."""
    shown = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="bold cyan")
    longest = max((len(row.name) for row in rows), default=0)
    shown.add_column("column", min_width=longest + 1, overflow="fold")
    shown.add_column("formula, source", ratio=1)
    shown.add_column("unit, range", max_width=14)
    shown.add_column("warm-up", max_width=8)
    said = ""
    for row in rows:
        if row.family.need != said:
            said = row.family.need
            shown.add_row(f"[cyan]{said}[/]")
        shown.add_row(
            f" [bold]{escape(row.name)}[/]\n [dim]{', '.join(row.numbers)}[/]",
            f"{escape(row.column.formula)}\n[dim]{escape(row.family.source)}[/]",
            f"{escape(row.column.unit)}\n[dim]{row.bounds}[/]",
            row.known_after,
        )
    return shown


def ls(names: Sequence[str], needs: Sequence[str], console: Console) -> int:
    """Print the columns; return the exit status."""
    rows = listed(names, needs)
    console.print(table(rows))
    families = len({id(row.family) for row in rows})
    console.print(f"columns: {len(rows)}, families: {families}")
    if not names:
        console.print(f"sets: {', '.join(SETS)}; numbers in a name may be others: rsi_7")
    return 0


def _template(family: Family, column: Column) -> Row:
    numbers = tuple(" ".join(map(str, args)) for args in family.instances if args)
    warmup = tuple(dict.fromkeys(family.warmup(args) for args in family.instances))
    return Row(column.name, numbers, column, family, warmup)


def _bound(value: float) -> str:
    return {inf: "∞", -inf: "-∞"}.get(value) or f"{value:,g}"
