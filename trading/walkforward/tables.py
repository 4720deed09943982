"""A walk-forward's outcome for a terminal."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from models.combination.comparison import Paired
from trading.walkforward.judging import Judged, Outcome
from validation.estimate import Estimate

__all__ = ["table", "warnings"]

MILLI = 1e3


def table(outcome: Outcome) -> Table:
    """Return a row a variant, the ensemble last; at most 100 columns wide.

    ``gain`` is that over the class frequencies of training, in thousandths of a nat a decision;
    ``whither`` the part of it that knows the direction, ``*`` where that is surely not 0;
    ``calib.`` the distance of probabilities from frequencies; ``net`` the return after all costs.
    Each with its 95 % interval; one that leaves 0 out is coloured.
    """
    ensemble = outcome.ensemble
    labelled = sum(one.labelled for one in ensemble.steps)
    pbo = "" if outcome.pbo is None else f", PBO {outcome.pbo:.2f}"
    title = (
        f"[bold]{outcome.symbol}[/], out of sample: {ensemble.performance.decisions:,} decisions "
        f"({labelled:,} labelled) in {len(ensemble.steps)} steps\n"
        f"log-loss of the base rate {ensemble.base_log_loss:.4f}; the market itself "
        f"{outcome.held:+.1%}; trials {outcome.trials}{pbo}"
    )
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, show_edge=False)
    shown.add_column("", no_wrap=True)
    for name in ("log-loss", "gain, mnat", "whither", "calib.", "trades", "net, %"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("gate", no_wrap=True)
    for one in outcome.variants:
        if one is ensemble:
            shown.add_section()
        net = one.performance.total
        shown.add_row(
            f"[bold]{one.name}[/]" if one is ensemble else one.name,
            f"{one.log_loss:.4f}",
            _gain(one.gain),
            _whither(one.direction),
            f"{one.calibration.value:.3f}",
            f"{trades(one):,}",
            _net(net),
            one.verdict.headline,
        )
    return shown


def warnings(outcome: Outcome) -> list[str]:
    """Return what a reader must know of the columns before any figure; nothing if all is well."""
    found, told = outcome.columns, []
    if found.suspicious:
        told.append(f"[bold red]SUSPICIOUS[/] {escape(found.leaks)}")
    if found.shifted:
        told.append(f"[yellow]note[/] {escape(found.shift)}")
    missing = (found.leaks, found.leaking), (found.shift, found.shifted)
    told += [f"[dim]columns: {escape(text)}[/]" for text, known in missing if known is None]
    return told


def trades(one: Judged) -> int:
    """Round trips."""
    return int(one.performance.trades)


def _gain(one: Paired) -> str:
    digits = 0 if max(map(abs, (one.gain, one.low, one.high))) >= 0.1 else 1
    low, value, high = (f"{MILLI * each:+.{digits}f}" for each in (one.low, one.gain, one.high))
    return _coloured(f"{value} [{low}, {high}]", one.low, one.high)


def _whither(one: Paired) -> str:
    sure = one.low > 0.0 or one.high < 0.0
    return f"{MILLI * one.gain:+.1f}{'*' if sure else ' '}"


def _net(one: Estimate) -> str:
    if math.isnan(one.low) or (one.value == 0.0 and one.low == one.high):
        return f"{1e2 * one.value:+.1f}"
    text = f"{1e2 * one.value:+.1f} [{1e2 * one.low:+.1f}, {1e2 * one.high:+.1f}]"
    return _coloured(text, one.low, one.high)


def _coloured(text: str, low: float, high: float) -> str:
    if low > 0.0:
        return f"[green]{text}[/]"
    return f"[red]{text}[/]" if high < 0.0 else text
