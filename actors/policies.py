"""What `pregao policy train` does: policies trained by recordings, with curves, and exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from actors.cluster import joined
from actors.config import FloorConfig
from actors.lessons import school
from actors.material import Material, learnable
from actors.pieces import resources
from actors.replay import chosen
from actors.schooling import home
from envs.tape import DecisionTape
from market.errors import ConfigError, StateError
from models.registry import Registry, RegistryConfig
from models.registry.lineage import code_digest as models_digest
from policies import lineage
from policies.board import Board
from policies.checkpoints import Checkpoints
from venues.files import find

__all__ = ["run"]


def run(
    config: FloorConfig,
    data: Path,
    symbols: Sequence[str],
    console: Console,
    seed: int | None = None,
    version: str = "latest",
    resume: bool = False,
    together: bool = False,
) -> None:
    """Train a policy for each recorded symbol, on all but the hold-out; or one for all of them.

    Parameters
    ----------
    config
        The floor's.
    data
        Folder of recordings, or a tick store.
    symbols
        Which of them; all that the floor knows if left out.
    seed
        Of the training; the floor's if left out.
    version
        Of each symbol's ensemble.
    resume
        Go on where a training broke off.
    together
        One policy for all symbols, as the floor trains it.
    """
    models, code = models_digest(), lineage.code_digest()
    files = find(data, symbols or None)
    asked = chosen(config, files)
    _enough(asked)
    seed = asked.seed if seed is None else seed
    where = RegistryConfig.of(asked.folder)
    console.print("[dim]starting Ray; a training that is stopped goes on with --resume[/]")
    with Registry(where) as registry, joined(asked.ray, watched=False):
        found = [
            learnable(asked, one.symbol, files, registry, models, console, version)
            for one in asked.symbols
        ]
        registry.close()
        groups = [found] if together else [[one] for one in found]
        for group in groups:
            _train(asked, group, seed, where, code, console, resume)


def _enough(config: FloorConfig) -> None:
    """Refuse to wait for what never comes; see :func:`actors.training.run`."""
    training = config.training
    if training.algorithm == "sac":
        raise ConfigError(
            "sac needs continuous actions, and a market's are numbered; take ppo or dqn",
            key="training.algorithm",
        )
    if config.ray.address == "local" and training.runners > config.ray.cpus:
        raise ConfigError(
            f"asks for {training.runners} remote runners, Ray has {config.ray.cpus} CPUs here; "
            "set ray.cpus, use fewer, or join a cluster by ray.address",
            key="training.runners",
        )


def _train(
    config: FloorConfig,
    group: Sequence[tuple[Material, DecisionTape]],
    seed: int,
    registry: RegistryConfig,
    code: str,
    console: Console,
    resume: bool,
) -> None:
    """Train one policy, with its curves shown, and say what may be done with it."""
    training = config.training
    if config.ray.address == "local" and training.learner_gpus > resources().get("GPU", 0.0):
        raise ConfigError(
            f"asks for {training.learner_gpus:g} of a GPU, this machine has none to give; set it "
            "to 0, or join a cluster that has one by ray.address",
            key="training.learner_gpus",
        )
    names = [one.entry.symbol for one, _ in group]
    folder = home(config.folder, names[0] if len(group) == 1 else "")
    done = Checkpoints(folder / "checkpoints").latest() if resume else None
    board = Board(", ".join(names), console.width, [] if done is None else _curve(done.state))
    decisions = sum(len(tape) for _, tape in group)
    told = ", ".join(f"{one.entry.symbol} {one.entry.number}" for one, _ in group)
    console.print(
        f"{', '.join(names)}: {decisions:,} decisions to learn from, with what ensemble {told} "
        f"said out of fold; seed {seed}"
        + ("" if done is None else f"; going on after {done.steps:,} steps")
    )
    with Live(board, console=console, refresh_per_second=4, transient=False) as live:

        def watch(iteration: dict[str, float]) -> None:
            board.iteration(iteration)
            live.update(board)

        policy = school(
            [tape for _, tape in group],
            training,
            seed,
            folder,
            registry,
            {one.entry.symbol: one.entry.version for one, _ in group},
            code,
            watch,
            resume,
        )
    console.print(f"\n{_next(config, policy, names)}", soft_wrap=True)


def _curve(state: Mapping[str, object]) -> list[float]:
    """Return the rewards of the iterations before."""
    curve = state.get("curve", [])
    if not isinstance(curve, list):
        raise StateError("a checkpoint without its curve; train without --resume")
    return [float("nan") if one is None else float(one) for one in curve]


def _next(config: FloorConfig, policy: Path, names: Sequence[str]) -> str:
    one = f" --symbol {names[0]}" if len(names) == 1 else ""
    return (
        f"exported [bold]{escape(str(policy))}[/]; not judged yet\n"
        f"[dim]pregao policy show {escape(str(policy))}[/]\n"
        f"[dim]pregao policy evaluate CONFIG --data FOLDER{one}   "
        "beside its baselines, on the hold-out[/]\n"
        f"[dim]pregao gate CONFIG --data FOLDER{one} --policy ppo   the verdict[/]\n"
        f"[dim]tensorboard --logdir {escape(str(policy.parent / 'tensorboard'))}[/]\n"
        f"[dim]mlflow ui --backend-store-uri sqlite:///{escape(str(config.folder))}"
        "/registry/mlflow.db[/]"
    )
