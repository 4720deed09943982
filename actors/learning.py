"""From recorded tapes to desks with a verdict: ensembles, then the policy, then the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from actors.config import FloorConfig
from actors.schooling import own_policy
from actors.trainer import Learned, Trainer
from market.beside import Beside
from market.tape import Tape
from trading.desk import DeskSpec
from validation.verdict import Verdict
from venues.doors import Source

__all__ = ["describe", "learn"]

POLL_SECONDS = 0.3
"""How often the progress bars ask the trainers."""

TRAINERS = 2
"""Trainers side by side; each wants a core."""


def describe(
    config: FloorConfig,
    symbol: str,
    source: Source,
    model: Path,
    policy: Path,
) -> DeskSpec:
    """Describe a symbol's desk."""
    one = config.symbol(symbol)
    folder = config.folder / "journals"
    return DeskSpec(
        instrument=one.instrument,
        policy=one.policy,
        every=one.every,
        capital=config.capital,
        features=config.features_of(symbol),
        risk=config.risk,
        model=model,
        trained_policy=policy,
        journal=f"sqlite:///{(folder / f'{symbol}.db').resolve()}",
        source=source,
        seed=config.seed,
        flush_every=config.journal_flush if isinstance(source, Path) else 1,
        follow=one.follow,
    )


def learn(
    config: FloorConfig,
    tapes: Sequence[Tape],
    beside: Mapping[str, Beside],
    source: Callable[[str], Source],
) -> list[DeskSpec]:
    """Fit every symbol's ensemble, train one policy for all, judge each on its hold-out.

    A symbol whose own policy was trained with this very ensemble is traded by that.

    Parameters
    ----------
    config
        The floor's.
    tapes
        What to learn from, one a symbol.
    beside
        What was recorded beside each symbol's tape.
    source
        Where a symbol's desk will get its market data.

    Returns
    -------
    list[DeskSpec]
        A desk a symbol, with the gate's verdict on it, in the order of ``tapes``.
    """
    # Two threads a trainer: one works, one answers how far it is. The first trains the policy.
    trainers: list[Any] = [
        Trainer.options(
            max_concurrency=2, num_gpus=0 if number else config.training.learner_gpus
        ).remote(config)
        for number in range(min(TRAINERS, len(tapes)))
    ]
    with _bars(trainers) as (follow, say):
        fitted: list[Learned] = follow(
            "ensembles",
            [(t.fit, (tape, beside[tape.symbol])) for t, tape in _deal(trainers, tapes)],
        )
        for one in fitted:
            say(f"[dim]{one.symbol:<8} {escape(one.columns)}[/]")
        own = {
            one.symbol: found
            for one in fitted
            if config.symbol(one.symbol).policy == "ppo"
            and (found := own_policy(config.folder, one.symbol, one.version, one.unseen))
        }
        for symbol in own:
            say(f"[dim]{symbol:<8} traded by its own policy, of `pregao policy train`[/]")
        if any(one.policy == "ppo" and one.symbol not in own for one in config.symbols):
            (policy,) = follow("policy (PPO)", [(trainers[0].train_policy, (tuple(fitted),))])
        else:
            policy = config.folder / "policy" / "policy.onnx"
        specs = [
            describe(
                config, one.symbol, source(one.symbol), one.folder, own.get(one.symbol, policy)
            ).beginning(tape, one.unseen)
            for tape, one in zip(tapes, fitted, strict=True)
        ]
        judged: list[tuple[Path, Verdict]] = follow(
            "hold-out and gate",
            [
                (trainer.judge, (desk, tape, beside[tape.symbol], one))
                for (trainer, tape), desk, one in zip(
                    _deal(trainers, tapes), specs, fitted, strict=True
                )
            ],
        )
    for trainer in trainers:
        ray.kill(trainer)
    return [
        desk.registered(model, verdict)
        for desk, (model, verdict) in zip(specs, judged, strict=True)
    ]


Call = tuple[Any, tuple[Any, ...]]
Follow = Callable[[str, list[Call]], list[Any]]


def _deal(trainers: Sequence[Any], tapes: Sequence[Tape]) -> Iterator[tuple[Any, Tape]]:
    """Give each tape a trainer, in turn; the same one every time it is dealt."""
    for index, tape in enumerate(tapes):
        yield trainers[index % len(trainers)], tape


@contextmanager
def _bars(trainers: Sequence[Any]) -> Iterator[tuple[Follow, Callable[[str], None]]]:
    """Show a bar per stage, filled by what the trainers say of themselves; and lines above."""
    columns: Iterable[Any] = (
        SpinnerColumn(),
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[now]}"),
    )
    with Progress(*columns) as bars:

        def follow(stage: str, calls: list[Call]) -> list[Any]:
            bar = bars.add_task(stage, total=len(calls), now="")
            waiting = [method.remote(*arguments) for method, arguments in calls]
            answers, busy = list(waiting), list(waiting)
            while busy:
                done, busy = ray.wait(busy, num_returns=len(busy), timeout=POLL_SECONDS)
                ray.get(done)  # a failure is raised here, not at the end
                said = [one for one in ray.get([t.progress.remote() for t in trainers]) if one.task]
                # A trainer that waits for its next call still tells of the last one, at 1.
                share = sum(one.fraction for one in said if one.fraction < 1.0)
                now = "   ".join(f"{one.task}: {one.stage}" for one in said) if busy else ""
                finished = len(calls) - len(busy)
                bars.update(bar, completed=min(finished + share, len(calls)), now=now)
            bars.update(bar, completed=len(calls), now="")
            return ray.get(answers)

        yield follow, lambda line: bars.console.print(line, highlight=False)
