"""What `pregao train` does: ensembles fitted in Ray tasks, piece by piece, and registered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from actors.cluster import joined
from actors.config import FloorConfig
from actors.outoffold import keep
from actors.pieces import InTasks, resources
from actors.recordings import recordings
from actors.replay import chosen
from features.dataset import build
from market.beside import Beside
from market.errors import ConfigError
from market.tape import Tape
from models.fit import FittedEnsemble, fit_ensemble
from models.fitting.augmenting import Recorded
from models.fitting.keeping import kept, prune
from models.fitting.study import Runner
from models.nets.config import NetConfig
from models.registry import Entry, Lineage, Registry, RegistryConfig
from models.registry.lineage import code_digest
from models.scorecard import scorecard
from trading.unseen import known
from venues.files import find

__all__ = ["InTasks", "registered", "run"]


def run(config: FloorConfig, data: Path, symbols: Sequence[str], console: Console) -> None:
    """Fit and register the ensemble of each recording; the hold-out is not looked at.

    What was done is kept: a run that broke off, or was stopped, goes on where it was. Of what is
    kept the longest unused is removed beyond :data:`models.fitting.keeping.MOST` bytes.

    Parameters
    ----------
    config
        The floor's.
    data
        Folder of recordings, or a tick store.
    symbols
        Which of them; all that the floor knows if left out.

    Raises
    ------
    ConfigError
        ``ensemble.gpus`` asks for what this machine hasn't got.
    FitError
        A member broke, or its process died again and again; the others' pieces are kept.
    """
    code = code_digest()
    files = find(data, symbols or None)
    asked = chosen(config, files)
    folder = asked.folder
    console.print("[dim]starting Ray; what is done is kept, and a run that is stopped goes on[/]")
    with Registry(RegistryConfig.of(folder)) as registry, joined(asked.ray, watched=False):
        _enough(asked)
        runner = kept(folder / "pieces", InTasks(), code)
        for one in asked.symbols:
            alone = asked.model_copy(update={"symbols": (one,)})
            (tape,), beside = recordings(alone, files, console)
            entry = registered(alone, tape, beside[one.symbol], runner, code, registry, console)
            console.print(_next(entry, folder), soft_wrap=True)
            prune(folder / "pieces")


def registered(
    config: FloorConfig,
    tape: Tape,
    beside: Beside,
    runner: Runner,
    code: str,
    registry: Registry,
    console: Console,
) -> Entry:
    """Fit and register one symbol's ensemble; what it said out of fold is kept for policies."""
    fitted, lineage = _fit(config, tape, beside, runner, code, console)
    draft = fitted.save(config.folder / "drafts" / tape.symbol)
    keep(config.folder, fitted)
    entry = registry.register(tape.symbol, draft, fitted.metrics, {}, lineage)
    console.print(scorecard(fitted.card))
    return entry


def _enough(config: FloorConfig) -> None:
    """Refuse to wait for a GPU that will never come; a cluster may still start one."""
    nets = any(isinstance(one, NetConfig) for one in config.ensemble.members)
    asked, here = config.ensemble.gpus, resources().get("GPU", 0.0)
    if config.ray.address == "local" and nets and asked > here:
        raise ConfigError(
            f"asks for {asked:g} of a GPU, this machine has {here:g}; set it to 0, or join a "
            "cluster that has one by ray.address",
            key="ensemble.gpus",
        )


def _fit(
    config: FloorConfig,
    tape: Tape,
    beside: Beside,
    runner: Runner,
    code: str,
    console: Console,
) -> tuple[FittedEnsemble, Lineage]:
    """Fit one symbol's ensemble on all but the hold-out, with a bar."""
    one, features = config.symbol(tape.symbol), config.features_of(tape.symbol)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("[dim]left[/]"),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[now]}"),
    )
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(tape.symbol, total=1.0, now="columns of the recording")
        made = build(tape, features, config.labels, one.every, one.costs, beside)
        learnt, _ = known(made, config.holdout)
        recorded = Recorded(tape, features, config.labels, one.every, one.costs)

        def follow(what: str, share: float) -> None:
            bars.update(bar, completed=share, now=what)

        fitted = fit_ensemble(learnt, config.ensemble, config.seed, follow, recorded, runner)
        bars.update(bar, completed=1.0, now="")
    return fitted, Lineage.of(learnt, config.ensemble, config.seed, code=code)


def _next(entry: Entry, folder: Path) -> str:
    return (
        f"registered {entry.symbol} [bold]{entry.number}[/] ({entry.version}), not judged yet: "
        f"`pregao gate` says whether there is anything in it\n"
        f"[dim]pregao models ls --folder {escape(str(folder))}[/]\n"
    )
