"""`pregao features`: list and audit columns, build datasets of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.words import Columns, ConfigFile, DataFolder, Symbols
from market.plainly import console, plainly

__all__ = ["app"]

app = typer.Typer(help="List and audit columns, build datasets of them.", no_args_is_help=True)


@app.command("ls")
@plainly
def columns(
    names: Annotated[
        list[str] | None, typer.Argument(help="Columns and sets; all if none.")
    ] = None,
    need: Annotated[
        list[str] | None,
        typer.Option(help="Those made of price, range, volume, sides, trades, book or peer."),
    ] = None,
) -> None:
    """List the columns there are: formula, source, unit, range, warm-up, what they are made of."""
    from features.listing import ls as run

    raise typer.Exit(run(names or (), need or (), console))


@app.command()
@plainly
def audit(
    config: Annotated[Path | None, typer.Argument(help="YAML file; all columns if none.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of recordings; a made-up market if none.")
    ] = None,
    symbols: Symbols = None,
    columns: Columns = None,
    cuts: Annotated[int, typer.Option(min=1, help="Random times to cut the data at.")] = 8,
    events: Annotated[int, typer.Option(min=2, help="Of each recording, its first.")] = 5_000,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 7,
) -> None:
    """Hold columns and labels against data; exit status 1 if one looks ahead, or worse."""
    from actors.audit import subjects
    from commands.reading import read
    from features.audit.report import run

    floor = None if config is None else read(config, data).floor
    found = subjects(floor, data, symbols or (), tuple(columns or ()), seed)
    raise typer.Exit(run(found, console, cuts, seed, events))


@app.command("build")
@plainly
def build_datasets(
    data: Annotated[
        str, typer.Option(help="Folder of recordings, a recording, or a tick store (s3://…).")
    ],
    config: Annotated[Path | None, typer.Argument(help="YAML file.", show_default=False)] = None,
    symbols: Symbols = None,
    columns: Columns = None,
    every: Annotated[
        int | None, typer.Option(min=1, help="Events per decision in place of the config's.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Where there are several: bars-1m, …")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last day, UTC.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of datasets.")] = Path("var/features"),
    tasks: Annotated[bool, typer.Option("--ray", help="In Ray tasks, by symbol and day.")] = False,
) -> None:
    """Make datasets of recordings of any length; what is there already is not made again."""
    from features.decisions import Recipe
    from trading.building import Job, days, jobs
    from trading.building import build as run

    recipe, known, floor = Recipe(), dict[str, Job](), None
    if config is not None:
        from commands.reading import read

        floor = read(config, data).floor
        recipe = Recipe(features=floor.features, labels=floor.labels)
        for one in floor.symbols:
            its = Recipe(
                features=floor.features_of(one.symbol),
                labels=floor.labels,
                every=one.every,
                costs=one.costs,
            )
            known[one.symbol] = Job(one.symbol, its, one.tick)
    made = jobs(data, symbols or (), known, recipe, tuple(columns or ()), every)
    part = days(kind, start, end)
    if not tasks:
        raise typer.Exit(run(made, data, part, out, console))
    from actors.building import in_tasks
    from actors.cluster import RayConfig, joined

    with joined(RayConfig() if floor is None else floor.ray, watched=False):
        raise typer.Exit(run(made, data, part, out, console, in_tasks))


@app.command()
@plainly
def importance(
    config: ConfigFile,
    data: DataFolder,
    symbols: Symbols = None,
    columns: Columns = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the figures; the floor's if left out.")
    ] = None,
) -> None:
    """Tell what columns are worth on data they were not chosen by: a table, and figures."""
    from actors.importance import run
    from commands.reading import read

    floor = read(config, data).floor
    run(floor, data, symbols or (), tuple(columns or ()), out, console)
