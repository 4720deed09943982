"""The floor in the terminal: one live table, drawn from the published state."""

from __future__ import annotations

from math import isfinite
from typing import Literal

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from actors.snapshot import FloorState, SymbolState

__all__ = ["floor_table", "verdict_table"]

_OLD_SECONDS = 10.0
"""Real seconds without a frame from the venue from which on a price is shown as an old one."""

_STATE_STYLE = {"RUNNING": "green", "REDUCE_ONLY": "yellow", "HALTED": "bold red"}


def floor_table(state: FloorState, width: int, footer: str = "") -> RenderableType:
    """Draw the floor: a row per symbol, totals, and what ``footer`` says.

    Parameters
    ----------
    state
        What was published.
    width
        Of the terminal, characters; the less needed columns are left out where it is small.
    footer
        Rich markup.
    """
    shown = [i for i, (_, _, least) in enumerate(_COLUMNS) if width >= least]
    table = Table(expand=True, box=None, pad_edge=False, header_style="bold cyan")
    for i in shown:
        table.add_column(_COLUMNS[i][0], justify=_COLUMNS[i][1], no_wrap=True)
    for symbol in state.symbols:
        cells = _row(symbol)
        table.add_row(*(cells[i] for i in shown))
    risk = state.risk
    total = Text.assemble(
        ("Equity ", "dim"),
        f"{state.equity:,.2f}   ",
        ("P&L after costs ", "dim"),
        _signed(state.pnl),
        ("   Leases ", "dim"),
        f"{risk.granted_notional:,.0f} / {risk.limit_notional:,.0f}   ",
        (risk.state, _STATE_STYLE.get(risk.state, "dim")),
    )
    parts: list[RenderableType] = [table, Text(), total]
    parts += [Text(reason, style="yellow") for reason in risk.reasons]
    parts += [
        Text(f"{one.symbol}: {one.drift}", style="yellow") for one in state.symbols if one.drift
    ]
    if footer:
        parts += [Text(), Text.from_markup(footer)]
    return Panel(
        Group(*parts),
        title=f"[bold]Pregão[/]  {state.mode}  up {state.uptime:,.0f} s",
        border_style="cyan",
        padding=(1, 2),
    )


def verdict_table(states: tuple[SymbolState, ...]) -> RenderableType:
    """Draw the gate's verdict of each model, with its figures."""
    table = Table(title="Promotion gate: untouched hold-out, after costs", title_style="bold")
    table.add_column("Symbol")
    table.add_column("Verdict")
    table.add_column("Because")
    for state in states:
        style = "green" if state.verdict == "edge" else "yellow"
        table.add_row(
            state.symbol, Text(state.verdict, style=style), "\n".join(state.verdict_reasons)
        )
    return table


_COLUMNS: tuple[tuple[str, Literal["left", "right"], int], ...] = (
    ("Symbol", "left", 0),
    ("Policy", "left", 112),
    ("Price", "right", 0),
    ("Prediction", "left", 90),
    ("Position", "right", 0),
    ("P&L", "right", 0),
    ("Trades", "right", 112),
    ("Lease", "left", 90),
    ("p50/p99 ms", "right", 100),
    ("MB", "right", 120),
    ("Gate", "left", 0),
)
"""Heading, alignment, and the terminal's width from which it is shown."""


def _row(state: SymbolState) -> tuple[RenderableType, ...]:
    restarts = Text(f" ↻{state.restarts}", style="magenta") if state.restarts else Text()
    return (
        Text(state.symbol, style="bold") + restarts,
        state.policy,
        _price(state),
        _prediction(state),
        _signed(state.exposure, "+.0%"),
        _signed(state.pnl),
        str(state.trades),
        _lease(state),
        _pair(state.latency_p50_ms, state.latency_p99_ms),
        f"{state.memory_mb:.0f}" if isfinite(state.memory_mb) else "–",
        Text(state.verdict, style="green" if state.verdict == "edge" else "yellow"),
    )


def _price(state: SymbolState) -> RenderableType:
    if not isfinite(state.price):
        return "–"
    price = f"{state.price:,.4f}".rstrip("0").rstrip(".")
    if state.feed_age < _OLD_SECONDS:
        return price
    return Text(f"{price}, {state.feed_age:.0f} s old", style="yellow")


def _prediction(state: SymbolState) -> RenderableType:
    if state.probabilities is None:
        return Text("warming up", style="dim")
    down, _, up = state.probabilities
    arrow, style = ("▲", "green") if up > down else ("▼", "red")
    return Text.assemble((arrow, style), f" {max(up, down):.2f}")


def _lease(state: SymbolState) -> RenderableType:
    if state.lease_state == "NONE":
        return Text("–", style="dim")
    if state.lease_state != "RUNNING":
        return Text(state.lease_state, style=_STATE_STYLE.get(state.lease_state, "dim"))
    used = min(max(state.lease_share, 0.0), 1.0)
    filled = round(used * 6)
    return Text.assemble(("█" * filled, "cyan"), ("░" * (6 - filled), "dim"), f" {used:.0%}")


def _pair(first: float, second: float) -> str:
    if not (isfinite(first) and isfinite(second)):
        return "–"
    return f"{first:.1f}/{second:.1f}"


def _signed(value: float, form: str = "+,.2f") -> Text:
    style = "green" if value > 0 else "red" if value < 0 else "dim"
    return Text(format(value, form), style=style)
