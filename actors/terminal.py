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

_STATE_STYLE = {"RUNNING": "green", "REDUCE_ONLY": "yellow", "HALTED": "bold red"}


def floor_table(state: FloorState, footer: str = "") -> RenderableType:
    """Draw the floor: a row per symbol, totals, and what ``footer`` says."""
    table = Table(expand=True, box=None, pad_edge=False, header_style="bold cyan")
    for name, justify in _COLUMNS:
        table.add_column(name, justify=justify, no_wrap=True)
    for symbol in state.symbols:
        table.add_row(*_row(symbol))
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


_COLUMNS: tuple[tuple[str, Literal["left", "right"]], ...] = (
    ("Symbol", "left"),
    ("Policy", "left"),
    ("Price", "right"),
    ("Prediction", "left"),
    ("Position", "right"),
    ("P&L", "right"),
    ("Trades", "right"),
    ("Lease", "left"),
    ("p50/p99 ms", "right"),
    ("MB", "right"),
    ("Gate", "left"),
)


def _row(state: SymbolState) -> tuple[RenderableType, ...]:
    restarts = Text(f" ↻{state.restarts}", style="magenta") if state.restarts else Text()
    return (
        Text(state.symbol, style="bold") + restarts,
        state.policy,
        f"{state.price:,.4f}".rstrip("0").rstrip(".") if isfinite(state.price) else "–",
        _prediction(state),
        _signed(state.exposure, "+.0%"),
        _signed(state.pnl),
        str(state.trades),
        _lease(state),
        _pair(state.latency_p50_ms, state.latency_p99_ms),
        f"{state.memory_mb:.0f}" if isfinite(state.memory_mb) else "–",
        Text(state.verdict, style="green" if state.verdict == "edge" else "yellow"),
    )


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
    used = min(max(state.lease_used, 0.0), 1.0)
    filled = round(used * 6)
    return Text.assemble(("█" * filled, "cyan"), ("░" * (6 - filled), "dim"), f" {used:.0%}")


def _pair(first: float, second: float) -> str:
    if not (isfinite(first) and isfinite(second)):
        return "–"
    return f"{first:.1f}/{second:.1f}"


def _signed(value: float, form: str = "+,.2f") -> Text:
    style = "green" if value > 0 else "red" if value < 0 else "dim"
    return Text(format(value, form), style=style)
