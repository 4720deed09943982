"""A run's report for a terminal of 80 columns: what it came to, and how sure that is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trading.report.figures import Figures, Part
from trading.report.headline import PARTS, blamed, lead, money, part_rows, percent, rows, span

__all__ = ["show", "sparkline"]

BLOCKS = "▁▂▃▄▅▆▇█"
WIDE = 64


def sparkline(values: npt.NDArray[np.float64], width: int = WIDE) -> str:
    """Draw a line in one row of characters; of each stretch the last value.

    Examples
    --------
    >>> sparkline(np.array([0.0, 1.0, 2.0, 7.0]), 4), sparkline(np.ones(3), 3)
    ('▁▂▃█', '▁▁▁')
    """
    at = np.linspace(0, len(values) - 1, min(width, len(values))).round().astype(int)
    shown = values[at]
    low, reach = float(shown.min()), float(np.ptp(shown))
    if reach <= 0.0:
        return BLOCKS[0] * len(shown)
    return "".join(BLOCKS[round(7.0 * (one - low) / reach)] for one in shown.tolist())


def show(found: Figures, console: Console) -> None:
    """Print a run's report."""
    tone = _tone(found)
    symbols = ", ".join(found.symbols)
    console.print(f"[bold]{escape(found.name)}[/]  [dim]{escape(symbols)}[/]", highlight=False)
    console.print(
        f"[dim]{found.begin[:16].replace('T', ' ')} to {found.end[:16].replace('T', ' ')} UTC, "
        f"{found.days:,.4g} days, {found.terms.sample if found.terms.sample != 'not told' else ''}"
        .rstrip(", ") + "[/]",
        highlight=False,
    )  # fmt: skip
    console.print(f"[{tone}]{escape(lead(found))}[/]", highlight=False)
    worth = np.array(found.path.equity)
    console.print(
        f"[{tone}]{sparkline(worth)}[/] [dim]{worth.min():,.0f}-{worth.max():,.0f}[/]",
        highlight=False, no_wrap=True, crop=True,
    )  # fmt: skip
    _headline(found, console)
    if found.trades.count:
        _parts("by what ended it", found.exits, console)
        if len(found.parts) > 1:
            _parts("by symbol", found.parts, console)
        if found.regimes:
            _parts("by regime", found.regimes, console)
        _money(found, console)
    _luck(found, console)
    for caveat in found.caveats:
        console.print(f"[yellow]·[/] {escape(caveat)}", highlight=False)
    if found.verdict is not None:
        console.print(f"the gate: [bold]{escape(found.verdict.headline)}[/]", highlight=False)


def _headline(found: Figures, console: Console) -> None:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True, style="bold")
    table.add_column(no_wrap=True, style="dim")
    for one in rows(found):
        table.add_row(one.name, one.figure, one.interval)
    console.print(table)


def _parts(title: str, parts: tuple[Part, ...], console: Console) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(title, no_wrap=True, max_width=20)
    for head in PARTS[1:]:
        table.add_column(head, justify="right", no_wrap=True)
    most = max(one.trades for one in parts)
    for one, (label, *row) in zip(parts, part_rows(parts), strict=True):
        bar = "▏▎▍▌▋▊▉█"[min(7, int(8 * one.trades / most))]
        table.add_row(f"[cyan]{bar}[/] {escape(label)}", *_toned(row, one))
    console.print(table)


def _toned(row: list[str], one: Part) -> list[str]:
    tone = "green" if one.mean.low > 0.0 else "red" if one.mean.high < 0.0 else ""
    return [f"[{tone}]{cell}[/]" if tone and k == 1 else cell for k, cell in enumerate(row)]


def _money(found: Figures, console: Console) -> None:
    words = [f"{name} {money(amount)}" for name, amount in blamed(found) if amount or name == "P&L"]
    console.print(f"[dim]{' → '.join(words)}[/]", highlight=False)


def _luck(found: Figures, console: Console) -> None:
    one = found.robustness.trades
    if one is not None:
        console.print(
            f"[dim]the same trades drawn again {one.samples:,} times: {percent(one.loss)} lose; "
            f"{one.level:.0%} have a largest drawdown of {span(one.drawdown, percent)}[/]",
            highlight=False,
        )


def _tone(found: Figures) -> str:
    total = found.returns.total
    return "green" if total.low > 0.0 else "red" if total.high < 0.0 else "yellow"
