"""A comparison of runs as a page, and as tables for a terminal."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trading.report.charts import NARROW, WIDE, dated
from trading.report.comparing import Comparison, Difference, Run
from trading.report.headline import percent, ratio, signed, span
from validation import sheet
from validation.drawing import OTHER, RULE, SERIES, extremes, legend, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["page", "show", "write"]

PAGE, JSON = "comparison.html", "comparison.json"
SHOWN = 6
"""Runs in one picture: more can't be told apart."""


class Measure(NamedTuple):
    """A column: its head, its figure, how it is written, and which way is better (0: neither)."""

    head: str
    of: Callable[[Run], float]
    text: Callable[[float], str]
    better: int


MEASURES = (
    Measure("net", lambda one: one.total.value, signed, 1),
    Measure("Sharpe", lambda one: one.sharpe.value, ratio, 1),
    Measure("drawdown", lambda one: one.drawdown, percent, -1),
    Measure("trades", lambda one: float(one.trades), lambda value: f"{value:,.0f}", 0),
    Measure("won", lambda one: one.win_rate, percent, 0),
    Measure("factor", lambda one: one.profit_factor, ratio, 1),
    Measure("costs", lambda one: one.costs, percent, -1),
)


def write(found: Comparison, folder: Path) -> Path:
    """Write the page, and the figures as JSON beside it; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    told = msgspec.json.encode(found)  # what isn't finite becomes null
    (folder / JSON).write_bytes(msgspec.json.format(told, indent=1))
    path = folder / PAGE
    path.write_text(page(found), encoding="utf-8")
    return path


def page(found: Comparison) -> str:
    """Return a whole HTML page; nothing is loaded from anywhere."""
    names = [one.name for one in found.runs]
    shared = f"{_minute(found.begin)} to {_minute(found.end)} UTC, the time that all runs share"
    beyond = sheet.table(
        ("", "beyond", "95 %", "steps", ""),
        [(one.name, signed(one.gain.value), span(one.gain, signed), f"{one.steps:,}", _word(one))
         for one in found.differences],
    )  # fmt: skip
    correlation = sheet.table(
        ("", *names),
        [(name, *(ratio(one) for one in row))
         for name, row in zip(names, found.correlation, strict=True)],
    )  # fmt: skip
    sections = (
        f'<header class="open"><h1>{len(names)} backtests side by side</h1>'
        f'<p class="lead">{html.escape(", ".join(names))}</p>'
        f'<p class="lead">{html.escape(shared)}.</p></header>'
        '<div class="charts">'
        + sheet.picture(
            "Equity and drawdown", _drawn(found, WIDE),
            "From 1 at the start of the time they share, after all costs.", "wide",
            _drawn(found, NARROW),
        )
        + "</div>"
        + sheet.section("Figures", _figures(found) + _small(
            "Each over all of its own time. ✓ marks the best; figures so near each other that luck "
            "explains the difference are told apart below, if at all."))
        + sheet.section(f"Beyond {names[0]}", beyond + _small(
            "Difference of log returns over the time they share. The interval is of both runs' "
            "returns at the same times, drawn again in blocks, each of 95 % by itself."))
        + sheet.section("Correlation of returns", correlation)
    )  # fmt: skip
    return sheet.document(f"Backtests: {', '.join(names)}", sections)


def show(found: Comparison, console: Console) -> None:
    """Print the tables."""
    console.print(
        f"[bold]{len(found.runs)} backtests[/]  [dim]shared time {_minute(found.begin)} to "
        f"{_minute(found.end)} UTC[/]",
        highlight=False,
    )
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("", max_width=18, no_wrap=True)
    for one in MEASURES:
        table.add_column(one.head, justify="right", no_wrap=True)
    best = _best(found)
    for row, run in enumerate(found.runs):
        cells = [
            f"[bold green]{one.text(one.of(run))}[/]" if best[k] == row else one.text(one.of(run))
            for k, one in enumerate(MEASURES)
        ]
        table.add_row(escape(run.name), *cells)
    console.print(table)
    for each in found.differences:
        tone = "bold" if each.sure else "dim"
        console.print(
            f"[{tone}]{escape(each.name)}[/] beyond {escape(each.other)}: "
            f"{signed(each.gain.value)} [dim]({span(each.gain, signed)}; {_word(each)})[/]",
            highlight=False,
        )


def _figures(found: Comparison) -> str:
    best = _best(found)
    rows = []
    for row, run in enumerate(found.runs):
        cells = [
            f"{'✓ ' if best[k] == row else ''}{one.text(one.of(run))}"
            for k, one in enumerate(MEASURES)
        ]
        interval = span(run.total, signed)
        rows.append((run.name, cells[0], interval, *cells[1:], run.sample))
    return sheet.table(("", "net", "95 %", *(one.head for one in MEASURES[1:]), "data"), rows)


def _best(found: Comparison) -> list[int]:
    """Return the row of the best run by each measure; -1 where none is, or several are."""
    rows = []
    for one in MEASURES:
        values = np.array([one.better * one.of(run) for run in found.runs])
        known = values[~np.isnan(values)]
        top = float(known.max()) if len(known) else math.nan
        at = np.flatnonzero(values == top)
        rows.append(int(at[0]) if one.better and len(at) == 1 else -1)
    return rows


def _word(one: Difference) -> str:
    if one.gain.low == one.gain.high == 0.0:
        return "the same"
    if not one.sure:
        return "luck explains it"
    return "more than luck" if one.gain.low > 0.0 else "less than luck explains"


def _drawn(found: Comparison, size: tuple[float, float]) -> str:
    times = np.array(found.times, np.int64)

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.3))
        days = dated(lower, times)
        upper.axhline(1.0, color=RULE, linewidth=0.8)
        for k, one in enumerate(found.runs[:SHOWN]):
            worth = np.array(found.equity[k])
            at = extremes(worth, 1000)
            upper.plot(days[at], worth[at], color=SERIES[k], linewidth=1.4, label=one.name)
            peak = np.maximum.accumulate(worth)
            fall = 100.0 * (worth / np.maximum(peak, 1e-300) - 1.0)
            at = extremes(fall, 1000)
            lower.plot(days[at], fall[at], color=SERIES[k], linewidth=1.0)
        lower.axhline(0.0, color=OTHER, linewidth=0.8)
        upper.set_ylabel("equity, from 1")
        lower.set_ylabel("below peak, %")
        legend(upper, 3 if size == WIDE else 1)
        lower.margins(x=0.01)

    return panels(draw, size)


def _small(text: str) -> str:
    return f"<figcaption>{html.escape(text)}</figcaption>"


def _minute(time: int) -> str:
    return datetime.fromtimestamp(time // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
