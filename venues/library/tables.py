"""How the library's tables look."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

__all__ = ["sheet"]


def sheet(title: str = "", footer: bool = False) -> Table:
    """Return an empty table, with a row of totals if it has a footer."""
    return Table(
        title=title or None,
        title_style="bold",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        header_style="bold cyan",
        show_footer=footer,
    )
