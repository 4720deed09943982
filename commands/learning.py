"""`pregao train` and what follows on it: from recordings to models, and what they are worth."""

from __future__ import annotations

import typer

from commands.words import ConfigFile, DataFolder, Symbols
from market.plainly import console, plainly

__all__ = ["app"]

app = typer.Typer()


@app.command()
@plainly
def train(config: ConfigFile, data: DataFolder, symbols: Symbols = None) -> None:
    """Fit each symbol's ensemble on all but the hold-out, in Ray tasks, and register it.

    A run that broke off goes on where it was.
    """
    from actors.training import run
    from market.config import load
    from serve.settings import FileConfig

    run(load(config, FileConfig).floor, data, symbols or (), console)
