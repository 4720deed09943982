"""The command line: ``pregao --help``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from math import inf
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from ray.exceptions import RayTaskError
from rich.console import Console

from actors.config import FloorConfig
from actors.demo import demo as run_demo
from actors.doctor import examine
from actors.doctor import report as tell
from actors.replay import backtest as run_backtest
from actors.replay import chosen
from actors.replay import replay as run_replay
from actors.terminal import verdict_table
from features.engine import FeatureEngine
from market.config import load
from market.errors import PregaoError
from serve.config import ServeConfig
from serve.deploy import deploy, shutdown
from trading.desk import DeskSpec
from trading.report import page as write_page
from trading.report import table
from venues.files import find

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


class FileConfig(FloorConfig):
    """What a configuration file may hold: a floor, and the door it is served through.

    Parameters
    ----------
    serve
        HTTP and WebSocket door.
    """

    serve: ServeConfig = ServeConfig(model_dirs={})

    @property
    def floor(self) -> FloorConfig:
        """The floor alone, which is what its actors are given."""
        return FloorConfig(**{name: getattr(self, name) for name in FloorConfig.model_fields})


def _plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """Print an error of ours as one line, without a traceback; an interrupt is no error."""

    @wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except (PregaoError, RayTaskError) as error:
            cause: BaseException = error
            while isinstance(cause, RayTaskError):  # Ray's wrapping is of the cause's class too
                cause = cause.cause
            if not isinstance(cause, PregaoError):
                raise
            _say(cause)
        except KeyboardInterrupt:
            errors.print("interrupted; everything is stopped")
            raise typer.Exit(130) from None

    return wrapped


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
    settings = load(config, FileConfig)
    ports = {"serve.port": settings.serve.port, "ray.metrics_port": settings.ray.metrics_port}
    if settings.exchange is not None:
        ports["exchange.port"] = settings.exchange.port

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

    run_demo(settings.floor, ports, door, seconds or inf, console)


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
    files = find(data)
    settings = chosen(load(config, FileConfig).floor, files)
    state, mark = run_replay(settings, files, learn, console)
    console.print(verdict_table(state.symbols))
    console.print(f"decisions, orders and fills: [bold]{mark}[/]")


@app.command()
@_plainly
def backtest(config: ConfigFile, data: DataFolder) -> None:
    """Make the decisions of the last replay again, without Ray."""
    files = find(data)
    settings = chosen(load(config, FileConfig).floor, files)
    result, mark = run_backtest(settings, files, console)
    console.print(table(result))
    report = settings.folder / "backtest.html"
    write_page(result, report)
    console.print(f"report: {report}")
    console.print(f"decisions, orders and fills: [bold]{mark}[/]")


@config_app.command("check")
@_plainly
def check(file: ConfigFile) -> None:
    """Say whether a configuration file is right, and if not, what is wrong where."""
    settings = load(file, FileConfig)
    names = ", ".join(one.symbol for one in settings.symbols)
    console.print(f"[green]right[/] {file}: {len(settings.symbols)} symbols ({names})")


@app.command()
@_plainly
def doctor(
    config: Annotated[Path, typer.Option(help="YAML file.")] = Path("configs/demo.yaml"),
) -> None:
    """Look whether this machine can run the floor; each failure comes with its remedy."""
    settings = load(config, FileConfig)
    ports = {"serve.port": settings.serve.port, "ray.metrics_port": settings.ray.metrics_port}
    if settings.exchange is not None:
        ports["exchange.port"] = settings.exchange.port
    raise typer.Exit(tell(examine(ports), console))


if __name__ == "__main__":
    sys.exit(app())
