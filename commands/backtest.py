"""`pregao backtest`: what a strategy would have done on recordings, and the report of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from commands.words import ConfigFile, DataFolder, Symbols
from market.plainly import console, plainly

__all__ = ["app"]

app = typer.Typer()


@app.command()
@plainly
def backtest(
    config: ConfigFile,
    data: DataFolder,
    symbols: Symbols = None,
    path: Annotated[
        Literal["event", "kernel"],
        typer.Option(help="The live trader; or with all predictions made beforehand."),
    ] = "event",
    policy: Annotated[
        Literal["ppo", "follow", "hold", "probe", "flat"] | None,
        typer.Option(help="Who trades, in place of the config's."),
    ] = None,
    walk_forward: Annotated[
        int, typer.Option(min=0, help="Learn anew before each of so many tests.")
    ] = 0,
    allocation: Annotated[
        Literal["equal", "volatility", "sharpe"] | None,
        typer.Option(help="Also say what sharing capital out between symbols would come to."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report; the config's if left out.")
    ] = None,
) -> None:
    """Make the decisions of the last replay again, without Ray; or walk forward, learning anew.

    Writes a report with JSON beside it. By event path and with the config's policy the fingerprint
    is the replay's.
    """
    from actors.backtesting import Plan
    from actors.backtesting import backtest as run
    from actors.replay import chosen
    from commands.reading import read
    from risk.allocation import Allocation
    from venues.files import find

    files = find(data)
    settings = chosen(read(config, data).floor, files)
    shares = None if allocation is None else Allocation(method=allocation)
    plan = Plan(path, policy or "", walk_forward, shares)
    folder = out or settings.folder
    _, mark = run(settings, files, tuple(symbols or ()), plan, folder, console)
    if mark:
        console.print(f"decisions, orders and fills: [bold]{mark}[/]")
