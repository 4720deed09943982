"""The backtest's report: a table for the terminal, a chart, and a page holding both."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from trading.backtest import BacktestResult

__all__ = ["page", "png", "table"]

_COLUMNS = {
    "events": ",.0f",
    "decisions": ",.0f",
    "orders": ",.0f",
    "trades": ",.0f",
    "pnl": "+,.2f",
    "fees": ",.2f",
    "return": "+.3%",
    "drawdown": ".3%",
}


def _cells(figures: dict[str, float]) -> list[str]:
    """Return a symbol's figures as the report writes them."""
    return [format(figures[name], form) for name, form in _COLUMNS.items()]


def table(result: BacktestResult) -> Table:
    """Return one row a symbol; money in account currency, P&L after all costs."""
    shown = Table(title="Backtest", title_justify="left", box=SIMPLE_HEAD, padding=0)
    shown.add_column("symbol", no_wrap=True)
    for name in _COLUMNS:
        shown.add_column(name, justify="right")
    for symbol, figures in result.summary().items():
        shown.add_row(symbol, *_cells(figures))
    return shown


def png(result: BacktestResult) -> bytes:
    """Draw the equity of all symbols together and its fall from the peak."""
    from matplotlib.figure import Figure

    times, equity = result.curve()
    hours = (times - times[0]) / 3.6e12
    fall = 100.0 * (equity / np.maximum.accumulate(equity) - 1.0)
    figure = Figure(figsize=(9.0, 5.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot(hours, equity, linewidth=1.0)
    upper.set_ylabel("equity")
    lower.fill_between(hours, fall, 0.0, alpha=0.5)
    lower.set_ylabel("drawdown, %")
    lower.set_xlabel("hours since the start")
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=120)
    return target.getvalue()


def page(result: BacktestResult, path: Path) -> None:
    """Write one self-contained HTML page with table and chart."""
    head = "".join(f"<th>{name}</th>" for name in ("symbol", *_COLUMNS))
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in (symbol, *_cells(figures)))
        + "</tr>"
        for symbol, figures in result.summary().items()
    )
    chart = base64.b64encode(png(result)).decode()
    path.write_text(
        "<!doctype html><meta charset=utf-8><title>Backtest</title>"
        "<style>body{font:15px system-ui;margin:2rem}td,th{padding:.2rem .8rem;text-align:right}"
        "td:first-child,th:first-child{text-align:left}img{max-width:100%}</style>"
        f"<h1>Backtest</h1><table><tr>{head}</tr>{rows}</table>"
        f'<img alt="Equity and drawdown" src="data:image/png;base64,{chart}">',
        encoding="utf-8",
    )
