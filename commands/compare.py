"""`pregao compare`: backtests side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from market.plainly import console, plainly

__all__ = ["app"]

app = typer.Typer()


@app.command()
@plainly
def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders that `pregao backtest` wrote, or their JSON.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the page; the first run's if left out.")
    ] = None,
) -> None:
    """Put backtests side by side: figures, equity, and whether luck explains the difference."""
    from trading.report import compared
    from trading.report.comparing import compare, read

    found = compare(read(runs))
    compared.show(found, console)
    first = runs[0] if runs[0].is_dir() else runs[0].parent
    console.print(f"report: {compared.write(found, out or first)}")
