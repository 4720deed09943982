"""What was asked about a run, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, isinf, isnan

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from trading.robustness.attribution import Attribution
from trading.robustness.montecarlo import MonteCarlo
from trading.robustness.overfitting import Overfitting
from trading.robustness.sensitivity import Sensitivity
from trading.robustness.shocks import Shocks
from trading.robustness.slippage import Slippage
from trading.robustness.stress import Stress
from trading.robustness.whole import Robustness
from validation.estimate import Estimate

__all__ = ["tables"]

THOUSAND = 1000.0

_KINDS = {"trades": "drawn again", "shuffled": "shuffled", "paths": "other markets"}


def tables(found: Robustness) -> Iterator[RenderableType]:
    """One table for each thing that was asked, for 80 columns.

    Examples
    --------
    >>> from rich.console import Console
    >>> found = Overfitting(
    ...     ("a", "b"), 2, 1.9, 0.5, 0.7, "b", 1.2, 0.5, 3.1, (), (), 1.0, 0.2, 0.1, 0.4
    ... )
    >>> [table] = tables(Robustness("run", overfitting=found))
    >>> Console(width=80).print(table)
    overfitting
    <BLANKLINE>
     variants best Sharpe deflated years (needed)   PBO in out  lost
     ─...─
     2        b       1.2    70.0%      0.5 (3.1) 50.0%  1 0.2 40.0%
    <BLANKLINE>
    """
    luck = [one for one in (found.trades, found.shuffled, found.markets) if one is not None]
    made = [
        *([_luck(luck)] if luck else []),
        *([_shocks(found.shocks)] if found.shocks is not None else []),
        *([_stress(found.stress)] if found.stress is not None else []),
        *map(_sensitivity, found.sensitivity),
        *([_overfitting(found.overfitting)] if found.overfitting is not None else []),
        *([_attribution(found.attribution)] if found.attribution is not None else []),
        *([_slippage(found.slippage)] if found.slippage is not None else []),
    ]
    for table in made:
        # a table's own title and caption are wrapped to its width
        title, caption, table.title, table.caption = table.title, table.caption, None, None
        yield Group(*(one for one in (f"[bold]{title}[/]", table, caption) if one))


def _table(title: str, *heads: str, words: int = 1) -> Table:
    """Begin a table; its first columns are words."""
    table = Table(title=title, box=SIMPLE_HEAD)
    table.padding = 0
    for at, head in enumerate(heads):
        table.add_column(head, justify="left" if at < words else "right")
    return table


def _luck(found: list[MonteCarlo]) -> Table:
    level = f"{found[0].level:.0%}"
    table = _table(f"luck, {level} intervals", "", "P&L", "drawdown", "streak", "loss", "ruin")
    for one in found:
        table.add_row(
            _KINDS[one.kind],
            _money(one.pnl),
            _share(one.drawdown),
            f"{one.streak.value:.0f} ({one.streak.low:.0f}…{one.streak.high:.0f})",
            f"{one.loss:.1%}",
            f"{one.ruin:.1%}",
        )
    return table


def _shocks(found: Shocks) -> Table:
    table = _table(
        "worse terms", "costs", "slippage", "late", "P&L", "Sharpe", "drawdown", "trades", words=0
    )
    for one in found.cells:
        table.add_row(
            f"x{one.costs:g}",
            f"x{one.slippage:g}",
            f"{one.latency:g} s",
            _money(one.pnl),
            f"{one.sharpe:.2f}",
            f"{one.drawdown:.1%}",
            f"{one.trades:,}",
        )
    dies = found.break_even if isfinite(found.break_even) else found.break_even_same_trades
    if isnan(dies):
        return table
    table.caption = (
        "the edge outlives all of these costs"
        if isinf(dies)
        else "there is no edge even without costs"
        if dies == 0.0
        else f"the edge dies at {dies:.2g} times the costs"
    )
    return table


def _stress(found: Stress) -> Table:
    table = _table(
        "stress", "scenario", "what happens", "P&L", "change", "drawdown", "limits", words=2
    )
    for one in (found.base, *found.ordeals):
        table.add_row(
            one.name,
            one.told,
            f"{one.pnl:+,.2f}",
            f"{one.change:+,.2f}",
            f"{one.drawdown:.1%}",
            "held" if one.kept else "[red]broken[/]",
        )
    broken = [f"{one.name}: {', '.join(one.breaches)}" for one in found.ordeals if not one.kept]
    table.caption = escape("\n".join(broken)) or None
    return table


def _sensitivity(found: Sensitivity) -> Table:
    first, *second = found.parameters
    across = [f"{one:g}" for one in found.values[1]] if second else ["Sharpe"]
    title = f"Sharpe ratio over {first}" + (f" and {second[0]}" if second else "")
    table = _table(title, first, *across)
    for row, value in enumerate(found.values[0]):
        cells = [
            f"[bold]{one:.2f}[/]" if (row, column) == found.best else f"{one:.2f}"
            for column, one in enumerate(found.sharpe[row])
        ]
        table.add_row(f"{value:g}", *cells)
    flat = "-" if isnan(found.flatness) else f"{found.flatness:.0%}"
    sure = "-" if isnan(found.deflated) else f"{found.deflated:.1%}"
    table.caption = (
        f"{flat} of the best one's neighbours are nearly as good; it is above 0 with {sure}, "
        f"{found.trials} trials considered"
    )
    return table


def _overfitting(found: Overfitting) -> Table:
    table = _table(
        "overfitting",
        "variants", "best", "Sharpe", "deflated", "years (needed)", "PBO", "in", "out", "lost",
        words=2,
    )  # fmt: skip
    table.add_row(
        str(found.trials),
        escape(found.best),
        f"{found.sharpe:.2g}",
        f"{found.deflated:.1%}",
        f"{found.years:.2g} ({found.years_needed:.2g})",
        f"{found.pbo:.1%}",
        f"{found.mean_inside:.2g}",
        f"{found.mean_outside:.2g}",
        f"{found.loss:.1%}",
    )
    return table


def _attribution(found: Attribution) -> Table:
    one = found.total
    table = _table("where it comes from", "", "amount", "")
    largest = max((abs(value) for _, value in one.rows()), default=0.0) or 1.0
    for name, value in (*one.rows(), ("all", one.pnl)):
        bar = "█" * round(30 * abs(value) / largest)
        table.add_row(name, f"{value:+,.2f}", f"[{'red' if value < 0 else 'green'}]{bar}[/]")
    table.columns[2].justify = "left"
    return table


def _slippage(found: Slippage) -> Table:
    table = _table("slippage", "", "trades", "notional", "paid", "bp")
    for one in (found.whole, *found.symbols, *found.sizes):
        table.add_row(
            escape(one.label),
            f"{one.trades:,}",
            f"{one.notional:,.0f}",
            f"{one.paid:,.2f}",
            "-" if isnan(one.basis_points) else f"{one.basis_points:.2f}",
        )
    held = found.capacity
    if isinf(held.dead):
        table.caption = "no trade shows what size would cost: capacity is not known"
    elif held.dead > 0.0:
        table.caption = (
            f"most is earned at {held.best:.2g} times the size, nothing at {held.dead:.2g}"
        )
    return table


def _money(one: Estimate) -> str:
    text = f"{one.value:+,.2f}" if abs(one.value) < THOUSAND else f"{one.value:+,.0f}"
    return text if isnan(one.low) else f"{text} ({one.low:+,.0f}…{one.high:+,.0f})"


def _share(one: Estimate) -> str:
    return f"{one.value:.1%} ({one.low:.1%}…{one.high:.1%})"
