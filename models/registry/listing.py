"""What a registry holds, as tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from tempfile import TemporaryDirectory

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from market.errors import StateError
from models import card as cards
from models.card import Card
from models.registry.entry import Entry
from models.registry.registry import Registry

__all__ = ["entries", "figures", "ls", "show"]

SHOWN = {"log_loss": "log-loss", "skill": "skill", "calibration_error": "calibration"}
"""Metrics that a list has room for."""


def ls(registry: Registry, symbols: Sequence[str], console: Console) -> int:
    """List what is registered, and how many trials there were.

    Raises
    ------
    StateError
        There is nothing, or nothing of one of ``symbols``.
    """
    found = registry.list()
    known = list(dict.fromkeys(one.symbol for one in found))
    for symbol in symbols:
        if symbol not in known:
            raise StateError(_nothing(registry, symbol, known))
    if not found:
        raise StateError(_nothing(registry, "", known))
    shown = [one for one in found if not symbols or one.symbol in symbols]
    console.print(entries(shown, registry.config.where))
    for symbol in dict.fromkeys(one.symbol for one in shown):
        console.print(f"[dim]{symbol}: {registry.trials(symbol):,} trials[/]")
    return 0


def show(registry: Registry, symbol: str, version: str, console: Console) -> int:
    """Tell all of one version: verdict, hashes, metrics, members; its files are checked."""
    entry = registry.resolve(symbol, version)
    console.print(figures(entry))
    for check in entry.verdict.get("checks", ()):
        sign = "[green]✓[/]" if check["passed"] else "[red]✗[/]"
        console.print(f"  {sign} {check['name']}:", Text(str(check["text"])))
    console.print(_metrics(entry))
    with TemporaryDirectory() as folder:
        card, _ = cards.read(registry.fetch(entry, folder))
    console.print(_members(card))
    moves = registry.history(symbol)
    if moves:
        told = ", ".join(f"{one.act} {one.before or 'none'} → {one.number}" for one in moves)
        console.print(f"champions of {symbol}: {told}", markup=False)
    return 0


def entries(shown: Sequence[Entry], title: str = "") -> Table:
    """Return a row for each entry."""
    table = _sheet(title)
    metrics = [name for name in SHOWN if any(name in one.metrics for one in shown)]
    for name in ("symbol", "", "version", "alias", "verdict"):
        table.add_column(name, no_wrap=True)
    for name in metrics:
        table.add_column(SHOWN[name], justify="right", no_wrap=True)
    said = ""
    for one in shown:
        again, said = one.symbol == said, one.symbol
        table.add_row(
            "" if again else f"[bold]{one.symbol}[/]",
            str(one.number),
            one.version,
            f"[bold]{' '.join(one.aliases)}[/]",
            _judged(one),
            *(_number(one.metrics.get(name, math.nan)) for name in metrics),
        )
    return table


def figures(entry: Entry) -> Table:
    """Return what an entry is, and what it was made of."""
    table = _sheet(f"{entry.symbol} {entry.number}")
    table.add_column("")
    table.add_column("")
    table.show_header = False
    rows = {
        "version": entry.version,
        "alias": " ".join(entry.aliases) or "[dim]none[/]",
        "verdict": _judged(entry),
        "trials": f"{entry.trials:,} before it was registered",
        "schema": entry.schema,
    }
    rows |= {name: getattr(entry.lineage, name) for name in ("data", "features", "code", "config")}
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _metrics(entry: Entry) -> Table:
    table = _sheet("metrics")
    table.add_column("metric")
    table.add_column("value", justify="right")
    for name, value in entry.metrics.items():
        table.add_row(name, _number(value))
    return table


def _members(card: Card) -> Table:
    """Return a row for each member; a weight for each regime, where there are several."""
    pools = card.combination.pools
    table = _sheet(f"members ({card.combination.kind})")
    for name in ("member", "kind", "window", *("weight" for _ in pools), "sha256"):
        table.add_column(name, justify="right" if name in ("weight", "window") else "left")
    for i, one in enumerate(card.members):
        weights = (f"{pool.weights[i]:.3f}" for pool in pools)
        table.add_row(one.name, one.kind, str(one.window), *weights, one.sha256[:16])
    return table


def _nothing(registry: Registry, symbol: str, known: Sequence[str]) -> str:
    of = f" of {symbol}" if symbol else ""
    has = f"it has {', '.join(known)}" if known else "train an ensemble first"
    has += "; another floor's is `--folder`, as in its config"
    return f"registry {registry.config.where} holds nothing{of}; {has}"


def _judged(entry: Entry) -> str:
    colour = "green" if entry.promoted else "red" if entry.verdict else "dim"
    return f"[{colour}]{entry.judged}[/]"


def _number(value: float) -> str:
    return "[dim]unknown[/]" if math.isnan(value) else f"{value:.5g}"


def _sheet(title: str) -> Table:
    return Table(
        title=title or None,
        title_style="bold",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        header_style="bold cyan",
    )
