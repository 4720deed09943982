"""The command line: ``pregao --help``.

Each command imports what it needs when it runs: Ray and the libraries behind it take seconds, and
neither ``--help`` nor an early Ctrl-C should wait for them.
"""

from __future__ import annotations

import atexit
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from market.plainly import console, plainly
from venues.library.app import app as data_app

if TYPE_CHECKING:
    from actors.config import FloorConfig
    from trading.desk import DeskSpec

app = typer.Typer(
    help="A trading floor of Ray actors that says honestly whether a strategy has an edge.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="Work on configuration files.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(data_app, name="data")
features_app = typer.Typer(
    help="List and audit columns, build datasets of them.", no_args_is_help=True
)
app.add_typer(features_app, name="features")


ConfigFile = Annotated[Path, typer.Argument(help="YAML file.", show_default=False)]


@app.command()
@plainly
def demo(
    config: Annotated[Path, typer.Option(help="YAML file.")] = Path("configs/demo.yaml"),
    seconds: Annotated[
        float, typer.Option(min=0.0, help="Stop after so much live trading; 0: at Ctrl-C.")
    ] = 0.0,
) -> None:
    """Run the whole floor on the bundled exchange: collect, learn, judge, trade on paper."""
    console.print("[dim]starting Ray and the exchange[/]")
    from actors.demo import demo as run
    from features.layout import lay
    from market.config import load
    from serve.deploy import deploy, shutdown
    from serve.settings import FileConfig

    settings = load(config, FileConfig)

    @contextmanager
    def door(floor: FloorConfig, desks: list[DeskSpec]) -> Iterator[str]:
        known = {
            "model_dirs": {desk.symbol: desk.model for desk in desks},
            "feature_schemas": {desk.symbol: lay(desk.features).schema for desk in desks},
        }
        try:
            yield deploy(settings.serve.model_copy(update=known))
        finally:
            shutdown()

    run(settings.floor, settings.ports, door, seconds or inf, console)


DataFolder = Annotated[
    Path, typer.Option("--data", help="Folder of recordings: CSV, Parquet, or a tick store.")
]


@app.command()
@plainly
def replay(
    config: ConfigFile,
    data: DataFolder,
    learn: Annotated[bool, typer.Option("--learn", help="Learn anew.")] = False,
) -> None:
    """Run the floor on recordings: learn from their first part, trade the rest on paper."""
    from actors.replay import chosen
    from actors.replay import replay as run
    from actors.terminal import verdict_table
    from market.config import load
    from serve.settings import FileConfig
    from venues.files import find

    files = find(data)
    settings = chosen(load(config, FileConfig).floor, files)
    state, mark = run(settings, files, learn, console)
    console.print(verdict_table(state.symbols))
    console.print(f"decisions, orders and fills: [bold]{mark}[/]")


@app.command()
@plainly
def backtest(config: ConfigFile, data: DataFolder) -> None:
    """Make the decisions of the last replay again, without Ray."""
    from actors.replay import backtest as run
    from actors.replay import chosen
    from market.config import load
    from serve.settings import FileConfig
    from trading.report import page, table
    from venues.files import find

    files = find(data)
    settings = chosen(load(config, FileConfig).floor, files)
    result, mark = run(settings, files, console)
    console.print(table(result))
    report = settings.folder / "backtest.html"
    page(result, report)
    console.print(f"report: {report}")
    console.print(f"decisions, orders and fills: [bold]{mark}[/]")


@config_app.command("check")
@plainly
def check(file: ConfigFile) -> None:
    """Say whether a configuration file is right, and if not, what is wrong where."""
    from market.config import load
    from serve.settings import FileConfig
    from venues.library.config import CollectConfig, about
    from venues.simulated import ExchangeConfig

    subject = about(file)
    if subject == "collecting":
        names = load(file, CollectConfig).names
    elif subject == "exchange":
        names = load(file, ExchangeConfig).names
    else:
        names = [one.symbol for one in load(file, FileConfig).symbols]
    console.print(f"[green]right[/] {file}: {len(names)} symbols ({', '.join(names)})")


Symbols = Annotated[
    list[str] | None, typer.Option("--symbol", help="Whose; all there are if left out.")
]
Columns = Annotated[
    list[str] | None, typer.Option(help="Columns and sets in place of the config's.")
]


@features_app.command("ls")
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


@features_app.command()
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
    from features.audit.report import run
    from market.config import load
    from serve.settings import FileConfig

    floor = None if config is None else load(config, FileConfig).floor
    found = subjects(floor, data, symbols or (), tuple(columns or ()), seed)
    raise typer.Exit(run(found, console, cuts, seed, events))


@features_app.command("build")
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
        from market.config import load
        from serve.settings import FileConfig

        floor = load(config, FileConfig).floor
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

    with joined(RayConfig() if floor is None else floor.ray):
        raise typer.Exit(run(made, data, part, out, console, in_tasks))


@features_app.command()
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
    from market.config import load
    from serve.settings import FileConfig

    floor = load(config, FileConfig).floor
    run(floor, data, symbols or (), tuple(columns or ()), out, console)


@app.command()
@plainly
def exchange(
    config: Annotated[Path, typer.Option(help="YAML file.")] = Path("configs/exchange.yaml"),
) -> None:
    """Serve the bundled exchange, Deriv's and Binance's protocols, until Ctrl-C."""
    from venues.simulated.__main__ import main

    raise typer.Exit(main(["--config", str(config)]))


@app.command()
@plainly
def doctor(
    config: Annotated[Path, typer.Option(help="YAML file.")] = Path("configs/demo.yaml"),
) -> None:
    """Look whether this machine can run the floor; each failure comes with its remedy."""
    from actors.doctor import examine, report
    from market.config import load
    from serve.settings import FileConfig

    raise typer.Exit(report(examine(load(config, FileConfig).ports), console))


# Once a command is done, what is left is Python's own end, which an interrupt must not tear.
atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)

if __name__ == "__main__":
    sys.exit(app())
