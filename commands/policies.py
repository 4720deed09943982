"""`pregao policy`: train, search, show and evaluate who sizes and exits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.ranking import rank
from commands.words import ConfigFile, DataFolder, Symbols
from market.plainly import console, plainly

__all__ = ["app"]

app = typer.Typer(
    help="Train, search, show and evaluate policies: who sizes and exits.", no_args_is_help=True
)

app.command()(rank)

Version = Annotated[
    str, typer.Option(help="Of the ensemble: number, hash, latest, champion, challenger or shadow.")
]


@app.command()
@plainly
def train(
    config: ConfigFile,
    data: DataFolder,
    symbols: Symbols = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the training; the config's if left out.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Decisions to learn from, in all; the config's.")
    ] = None,
    version: Version = "latest",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint.")
    ] = False,
    together: Annotated[
        bool, typer.Option("--together", help="One policy for all symbols, as the floor has it.")
    ] = False,
) -> None:
    """Train a policy on all but the hold-out, with what the ensemble said out of fold.

    Shows its learning curve; TensorBoard and MLflow have it too. A training that broke off goes on
    with --resume.
    """
    from actors.policies import run
    from commands.reading import read

    floor = read(config, data).floor
    if steps is not None:
        training = floor.training.model_copy(update={"steps": steps})
        floor = floor.model_copy(update={"training": training})
    run(floor, data, symbols or (), console, seed, version, resume, together)


@app.command()
@plainly
def evaluate(
    config: ConfigFile,
    data: DataFolder,
    symbols: Symbols = None,
    policy: Annotated[
        Path | None, typer.Option(help="Exported policy; each symbol's trained one if left out.")
    ] = None,
    version: Version = "latest",
) -> None:
    """Play a policy and every baseline over the hold-out, after all costs. Each look is counted."""
    from actors.contesting import run
    from commands.reading import read

    run(read(config, data).floor, data, symbols or (), console, policy, version)


@app.command()
@plainly
def show(
    file: Annotated[Path, typer.Argument(help="Exported policy.", show_default=False)],
) -> None:
    """Tell what a policy sees, what it may answer, and what it was made of."""
    from actors.showing import run

    run(file, console)


@app.command()
@plainly
def search(
    config: ConfigFile,
    data: DataFolder,
    symbols: Symbols = None,
    what: Annotated[
        Path | None, typer.Option("--search", help="YAML file of what is searched.")
    ] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="How many; 16.")] = None,
    version: Version = "latest",
) -> None:
    """Search a training's settings, judged by a later part of the training span.

    The hold-out is not looked at. A search that broke off goes on where it was. The best is written
    as a configuration, which `pregao policy train` takes.
    """
    from actors.policy_searching import run
    from commands.reading import read
    from market.config import load
    from policies.searching import PolicySearch

    asked = PolicySearch() if what is None else load(what, PolicySearch)
    if trials is not None:
        asked = asked.model_copy(update={"trials": trials})
    run(read(config, data).floor, asked, data, symbols or (), console, version)
