"""The command line: ``pregao --help``.

Each command imports what it needs when it runs: Ray and the libraries behind it take seconds, and
neither ``--help`` nor an early Ctrl-C should wait for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

from market.errors import PregaoError

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

console = Console(highlight=False)
errors = Console(stderr=True)


def _plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """Print an error of ours as one line, without a traceback; an interrupt is no error."""

    @wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except Exception as error:
            cause = _unwrapped(error)
            if not isinstance(cause, PregaoError):
                raise
            _say(cause)
        except KeyboardInterrupt:
            errors.print("interrupted; everything is stopped")
            raise typer.Exit(130) from None

    return wrapped


def _unwrapped(error: BaseException) -> BaseException:
    """Return what was raised in an actor; Ray's wrapping is of its class too."""
    ray = sys.modules.get("ray.exceptions")
    while ray is not None and isinstance(error, ray.RayTaskError):
        error = error.cause
    return error


def _say(error: PregaoError) -> NoReturn:
    errors.print("[bold red]error[/]", end=" ")
    errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1) from None


ConfigFile = Annotated[Path, typer.Argument(help="YAML file.", show_default=False)]


@app.command()
@_plainly
def demo(
    config: Annotated[Path, typer.Option(help="YAML file.")] = Path("configs/demo.yaml"),
    seconds: Annotated[
        float, typer.Option(min=0.0, help="Stop after so much live trading; 0: at Ctrl-C.")
    ] = 0.0,
) -> None:
    """Run the whole floor on the bundled exchange: collect, learn, judge, trade on paper."""
    console.print("[dim]starting Ray and the exchange[/]")
    from actors.demo import demo as run
    from features.engine import FeatureEngine
    from market.config import load
    from serve.deploy import deploy, shutdown
    from serve.settings import FileConfig

    settings = load(config, FileConfig)

    @contextmanager
    def door(floor: FloorConfig, desks: list[DeskSpec]) -> Iterator[str]:
        known = {
            "model_dirs": {desk.symbol: desk.model for desk in desks},
            "feature_schema": FeatureEngine(floor.features).schema,
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
@_plainly
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
@_plainly
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
@_plainly
def check(file: ConfigFile) -> None:
    """Say whether a configuration file is right, and if not, what is wrong where."""
    from market.config import load
    from serve.settings import FileConfig

    settings = load(file, FileConfig)
    names = ", ".join(one.symbol for one in settings.symbols)
    console.print(f"[green]right[/] {file}: {len(settings.symbols)} symbols ({names})")


@app.command()
@_plainly
def doctor(
    config: Annotated[Path, typer.Option(help="YAML file.")] = Path("configs/demo.yaml"),
) -> None:
    """Look whether this machine can run the floor; each failure comes with its remedy."""
    from actors.doctor import examine, report
    from market.config import load
    from serve.settings import FileConfig

    raise typer.Exit(report(examine(load(config, FileConfig).ports), console))


if __name__ == "__main__":
    sys.exit(app())
