"""The command line of the library: ``pregao data --help``.

Each command imports what it needs when it runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from market.plainly import console, plainly

__all__ = ["app"]

app = typer.Typer(help="Collect, fetch, import and look after data.", no_args_is_help=True)

STORE = "var/data"
Store = Annotated[
    str, typer.Option("--store", help="Tick store: a folder, or s3://…, gs://…, abfs://….")
]
OtherStore = Annotated[str | None, typer.Option("--store", help="In place of the config's.")]
Collection = Annotated[Path, typer.Option("--config", help="YAML file with store and venues.")]
COLLECTION = Path("configs/collect.yaml")
Symbols = Annotated[list[str] | None, typer.Argument(help="Symbols; all there are if left out.")]


@app.command()
@plainly
def ls(symbols: Symbols = None, store: Store = STORE) -> None:
    """List what is stored: rows, days, holes, bad rows, size; name a symbol for its figures."""
    from venues.library.listing import ls as run

    raise typer.Exit(run(store, symbols or (), console))


@app.command()
@plainly
def collect(
    config: Collection = COLLECTION,
    store: OtherStore = None,
    seconds: Annotated[float, typer.Option(min=0.0, help="Stop after so long; 0: at Ctrl-C.")] = 0,
) -> None:
    """Take live market data into the store, going on behind what is there, until Ctrl-C."""
    from venues.library.commands import collect as run

    raise typer.Exit(run(config, store, seconds, console))


@app.command()
@plainly
def download(
    venue: Annotated[Literal["deriv", "binance"], typer.Argument(help="Whose history.")],
    start: Annotated[str, typer.Option("--from", help="First day or time, UTC.")],
    end: Annotated[str, typer.Option("--to", help="Last day or time, UTC.")],
    symbols: Symbols = None,
    kind: Annotated[str, typer.Option(help="ticks, trades, bars-1m; several by commas.")] = "ticks",
    archive: Annotated[bool, typer.Option("--archive", help="From Binance's files.")] = False,
    config: Collection = COLLECTION,
    store: OtherStore = None,
) -> None:
    """Fetch a venue's history; what is stored already is not fetched again."""
    from venues.library.commands import download as run

    raise typer.Exit(run(config, store, venue, symbols or (), kind, start, end, archive, console))


@app.command("import")
@plainly
def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders of them.")],
    store: Store = STORE,
    symbol: Annotated[str | None, typer.Option(help="Of files that don't say it.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone of times that name none.")] = None,
    tolerate: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of bad rows a file may have.")
    ] = 0.01,
    keep_first: Annotated[
        bool, typer.Option("--keep-first", help="Keep what contradicts the store aside.")
    ] = False,
) -> None:
    """Take recordings into the store; what is bad is told and kept aside, nothing is guessed."""
    from venues.library.importing import Taking, bring_in

    raise typer.Exit(bring_in(store, paths, Taking(symbol, zone, tolerate, keep_first), console))


@app.command("check")
@plainly
def check_data(
    paths: Annotated[list[str], typer.Argument(help="Files, folders, tick stores.")],
    everything: Annotated[bool, typer.Option("--all", help="Tell all.")] = False,
) -> None:
    """Find holes, impossible rows, doubles and unusable files; exit status 1 if there are any."""
    from venues.library.checking import check, report

    raise typer.Exit(report(check(paths), console, *((sys.maxsize,) if everything else ())))


@app.command()
@plainly
def gaps(
    symbols: Symbols = None,
    fill: Annotated[bool, typer.Option("--fill", help="Fetch what the venues have.")] = False,
    config: Collection = COLLECTION,
    store: OtherStore = None,
) -> None:
    """List the holes of what is stored, or fill them; exit status 1 if any is left."""
    from venues.library.commands import holes

    raise typer.Exit(holes(store, symbols or (), fill, config, console))


@app.command()
@plainly
def export(
    symbol: Annotated[str, typer.Argument(help="Which.")],
    out: Annotated[Path, typer.Argument(help="File to write: .csv or .parquet.")],
    kind: Annotated[str | None, typer.Option(help="Where there are several: bars-1m, …")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day or time, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last day or time, UTC.")] = None,
    bars: Annotated[str | None, typer.Option(help="Make bars: 1m, 500t, volume:100, …")] = None,
    store: Store = STORE,
) -> None:
    """Write a symbol's events, or bars made of them, to a file that anything reads."""
    from venues.library.exporting import export as run

    raise typer.Exit(run(store, symbol, kind, start, end, bars, out, console))
