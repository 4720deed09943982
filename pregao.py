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

from commands.backtest import app as backtest_app
from commands.compare import app as compare_app
from commands.features import app as features_app
from commands.learning import app as learning_app
from commands.policies import app as policies_app
from commands.stress import app as stress_app
from commands.words import ConfigFile, DataFolder
from market.plainly import console, plainly
from models.registry.app import app as models_app
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
app.add_typer(features_app, name="features")
app.add_typer(models_app, name="models")
app.add_typer(policies_app, name="policy")


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
    from commands.reading import read
    from features.layout import lay
    from serve.deploy import deploy, shutdown

    settings = read(config)

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
    from commands.reading import read
    from venues.files import find

    files = find(data)
    settings = chosen(read(config, data).floor, files)
    state, mark = run(settings, files, learn, console)
    console.print(verdict_table(state.symbols))
    console.print(f"decisions, orders and fills: [bold]{mark}[/]")


@config_app.command("check")
@plainly
def check(file: ConfigFile) -> None:
    """Say whether a configuration file is right, and if not, what is wrong where."""
    from commands.reading import read
    from market.config import load
    from venues.library.config import CollectConfig, about
    from venues.simulated import ExchangeConfig

    subject = about(file)
    if subject == "collecting":
        names = load(file, CollectConfig).names
    elif subject == "exchange":
        names = load(file, ExchangeConfig).names
    else:
        names = [one.symbol for one in read(file).symbols]
    console.print(f"[green]right[/] {file}: {len(names)} symbols ({', '.join(names)})")


for added in (backtest_app, learning_app, stress_app, compare_app):
    app.registered_commands += added.registered_commands


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
    from commands.reading import read

    raise typer.Exit(report(examine(read(config).ports), console))


# Once a command is done, what is left is Python's own end, which an interrupt must not tear.
atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)

if __name__ == "__main__":
    sys.exit(app())
