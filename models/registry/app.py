"""The registry's command line: ``pregao models --help``.

Each command imports what it needs when it runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from market.plainly import console, plainly

if TYPE_CHECKING:
    from models.registry.registry import Registry

__all__ = ["app"]

app = typer.Typer(help="List, promote and roll back registered ensembles.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--folder", help="The floor's, as in its config.")]
Server = Annotated[
    str,
    typer.Option("--uri", envvar="PREGAO_REGISTRY", help="MLflow server in place of the folder."),
]
Symbol = Annotated[str, typer.Argument(help="Whose.", show_default=False)]
Version = Annotated[
    str, typer.Argument(help="Number, hash, latest, champion, challenger or shadow.")
]
FLOOR = Path("var/demo")


@app.command()
@plainly
def ls(
    symbols: Annotated[
        list[str] | None, typer.Argument(help="Symbols; all there are if left out.")
    ] = None,
    folder: Folder = FLOOR,
    uri: Server = "",
) -> None:
    """List registered ensembles: alias, verdict, trials, log-loss."""
    from models.registry.listing import ls as run

    with _opened(folder, uri) as registry:
        raise typer.Exit(run(registry, symbols or (), console))


@app.command()
@plainly
def show(
    symbol: Symbol, version: Version = "latest", folder: Folder = FLOOR, uri: Server = ""
) -> None:
    """Tell all of one: verdict, hashes of what it was made of, metrics, members."""
    from models.registry.listing import show as run

    with _opened(folder, uri) as registry:
        raise typer.Exit(run(registry, symbol, version, console))


@app.command()
@plainly
def promote(
    symbol: Symbol,
    version: Version,
    alias: Annotated[
        Literal["champion", "challenger", "shadow"],
        typer.Option("--as", help="Champion needs a verdict of the gate that promotes."),
    ] = "champion",
    folder: Folder = FLOOR,
    uri: Server = "",
) -> None:
    """Make a version champion, challenger or shadow."""
    with _opened(folder, uri) as registry:
        entry = registry.promote(symbol, version, alias)
    console.print(f"{symbol} {entry.number} ({entry.version}) is [bold]{alias}[/]")


@app.command()
@plainly
def rollback(symbol: Symbol, folder: Folder = FLOOR, uri: Server = "") -> None:
    """Make the champion before this one champion again."""
    with _opened(folder, uri) as registry:
        entry = registry.rollback(symbol)
    console.print(f"{symbol} {entry.number} ({entry.version}) is [bold]champion[/] again")


def _opened(folder: Path, uri: str) -> Registry:
    from pydantic import ValidationError

    from market.config import reason_of
    from market.errors import ConfigError
    from models.registry import Registry, RegistryConfig

    try:
        return Registry(RegistryConfig(folder=folder / "registry", uri=uri))
    except ValidationError as error:
        raise ConfigError(reason_of(error.errors()[0]), key="--uri") from None
