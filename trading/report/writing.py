"""A report's doors: files into a folder, words into a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from trading.record import Record
from trading.report import plain
from trading.report.figures import Figures, Terms
from trading.report.measuring import measure
from trading.report.page import page
from trading.report.terminal import show
from trading.robustness.whole import Robustness
from validation.verdict import Verdict

__all__ = ["PAGE", "summary", "write"]

PAGE = "backtest.html"


def write(
    record: Record,
    folder: Path,
    robustness: Robustness | None = None,
    verdict: Verdict | None = None,
    terms: Terms | None = None,
    *,
    figures: Figures | None = None,
) -> Path:
    """Write a run's page, and its figures as JSON beside it.

    Parameters
    ----------
    record
        Of the run.
    folder
        Made if it isn't there.
    robustness, verdict, terms
        As :func:`trading.report.measuring.measure` takes them.
    figures
        What it found, where that was done before; then those three are not looked at.

    Returns
    -------
    The page.
    """
    found = figures or measure(record, robustness, verdict, terms)
    folder.mkdir(parents=True, exist_ok=True)
    plain.write(found, folder / plain.NAME)
    path = folder / PAGE
    path.write_text(page(record, found), encoding="utf-8")
    return path


def summary(run: Record | Figures, console: Console) -> None:
    """Print what a run came to; figures that were measured before are not measured again."""
    show(run if isinstance(run, Figures) else measure(run), console)
