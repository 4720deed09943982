"""`pregao train` and what follows on it: from recordings to models, and what they are worth."""

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
def train(config: ConfigFile, data: DataFolder, symbols: Symbols = None) -> None:
    """Fit each symbol's ensemble on all but the hold-out, in Ray tasks, and register it.

    A run that broke off goes on where it was.
    """
    from actors.training import run
    from commands.reading import read

    run(read(config, data).floor, data, symbols or (), console)


@app.command()
@plainly
def gate(
    config: ConfigFile,
    data: DataFolder,
    symbols: Symbols = None,
    version: Annotated[
        str, typer.Option(help="Number, hash, latest, champion, challenger or shadow.")
    ] = "latest",
    policy: Annotated[
        Literal["follow", "ppo"],
        typer.Option(help="Who trades: the ensemble's word, or the floor's trained policy."),
    ] = "follow",
    promote: Annotated[bool, typer.Option("--promote", help="Make who passes champion.")] = False,
) -> None:
    """Judge registered ensembles by the hold-out they never touched, after all costs.

    Each look is counted. Exit status: 0 promoted, 3 not promoted, 1 and 2 error.
    """
    from actors.judging import run
    from commands.reading import read

    floor = read(config, data).floor
    raise typer.Exit(run(floor, data, symbols or (), console, version, policy, promote))


@app.command()
@plainly
def volatility(config: ConfigFile, data: DataFolder, symbols: Symbols = None) -> None:
    """Compare models of each symbol's volatility by what they forecast unseen."""
    from actors.volatility import run
    from commands.reading import read

    run(read(config, data).floor, data, symbols or (), console)


@app.command()
@plainly
def search(
    config: ConfigFile,
    data: DataFolder,
    symbols: Symbols = None,
    what: Annotated[
        Path | None, typer.Option("--search", help="YAML file of what is searched.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.0, help="Time for everything; 0: no limit.")
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Most trials of one search; 60, or as many as time allows."),
    ] = None,
) -> None:
    """Search members, columns and labels on all but the hold-out, and say what that is worth.

    The best is written as a configuration, which `pregao train` takes. A search that broke off goes
    on where it was.
    """
    from actors.searching import run
    from commands.reading import read
    from market.config import load
    from models.search.config import SearchConfig

    asked = SearchConfig() if what is None else load(what, SearchConfig)
    limits = {"seconds": None if minutes is None else 60.0 * minutes, "trials": trials}
    asked = asked.model_copy(update={key: one for key, one in limits.items() if one is not None})
    run(read(config, data), asked, data, symbols or (), console)


@app.command()
@plainly
def validate(
    config: ConfigFile,
    data: DataFolder,
    symbols: Symbols = None,
    steps: Annotated[
        int, typer.Option(min=1, help="Equal tests that cover the last three fifths.")
    ] = 3,
    unit: Annotated[
        Literal["months", "decisions", "events", "bars", "ticks"],
        typer.Option(help="Of --train, --test and --step; of the recording but for decisions."),
    ] = "months",
    train: Annotated[
        int | None, typer.Option(min=1, help="Length of each training, in place of --steps.")
    ] = None,
    test: Annotated[int, typer.Option(min=1, help="Length of each test.")] = 1,
    step: Annotated[
        int | None, typer.Option(min=1, help="From a step to the next; a test's length.")
    ] = None,
    anchored: Annotated[bool, typer.Option(help="Train on everything before the test.")] = False,
) -> None:
    """Walk each symbol's ensemble forward: fit on the past, trade what followed, judge it all.

    Every member alone, the vote and the ensemble, with all costs and intervals; the hold-out is not
    looked at. A run that broke off goes on where it was.
    """
    from actors.validating import run
    from commands.reading import read
    from validation.splits import WalkForwardConfig

    walk: WalkForwardConfig | int = steps
    if train is not None:
        asked = {"unit": unit, "train": train, "test": test, "step": step or test}
        walk = WalkForwardConfig.model_validate(asked | {"anchored": anchored})
    run(read(config, data).floor, data, symbols or (), walk, console)
