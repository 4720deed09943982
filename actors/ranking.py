"""What `pregao policy rank` does: train with given parameters, and say how near that comes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from rich.console import Console
from rich.table import Table

from actors.cluster import RayConfig, joined
from market.config import Config
from policies.curriculum import Ladder
from policies.ranking.exam import Exam, Mark
from policies.ranking.exams import EXAMS, exam
from policies.ranking.market import PlantedExam
from policies.ranking.standing import Standing, rank, written
from policies.training import Training

__all__ = ["RankingConfig", "run", "table"]


class RankingConfig(Config):
    """Which exams, and with what.

    Parameters
    ----------
    exams
        Their names; all of them if left out.
    seeds
        Trainings of each exam; the median of three or more says something.
    training
        Parameters in place of the exam's own, by name; see :class:`policies.training.Training`.
    ray
        Which Ray.
    """

    exams: tuple[str, ...] = tuple(EXAMS)
    seeds: Annotated[int, Field(ge=1, le=99)] = 3
    training: dict[str, Any] = Field(default_factory=dict)
    ray: RayConfig = RayConfig(cpus=2)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        unknown = sorted(set(self.exams) - set(EXAMS))
        if unknown:
            raise ValueError(f"exams must be of {', '.join(EXAMS)}, was {unknown[0]}")
        known = Training.model_fields
        strange = sorted(set(self.training) - set(known))
        if strange:
            raise ValueError(f"training must hold {', '.join(known)} alone, was {strange[0]}")
        return self

    def settings(self, posed: Exam) -> Training:
        """Return the parameters for an exam."""
        own = posed.training.model_dump() | self.training
        return Training.model_validate(own)


def run(config: RankingConfig, console: Console, path: Path | None) -> bool:
    """Sit through the exams; say whether all are passed.

    Parameters
    ----------
    config
        Which, and with what.
    console
        Where the table goes.
    path
        Where the JSON goes, if anywhere.
    """
    standings: list[Standing] = []
    exams = [exam(name) for name in config.exams]
    with (
        tempfile.TemporaryDirectory() as name,
        joined(config.ray, watched=False),
        console.status("starting") as status,
    ):

        def tell(posed: Exam, seed: int, told: dict[str, float]) -> None:
            share = told["steps"] / told["of"]
            status.update(f"{posed.name}, seed {seed}: {share:.0%}, reward {told['reward']:.4f}")

        learn = partial(learnt, Path(name), tell)
        for one in rank(exams, learn, range(config.seeds), time.process_time, config.settings):
            standings.append(one)
            scores = " ".join(f"{score:.3f}" for score in one.scores)
            console.print(f"{one.exam}: {scores}, median {one.median:.3f}: {one.verdict}")
    console.print(table(standings))
    if path is not None:
        written(standings, path)
        console.print(f"written to {path}")
    return all(one.verdict != "fail" for one in standings)


def learnt(
    folder: Path,
    tell: Callable[[Exam, int, dict[str, float]], None],
    posed: Exam,
    training: Training,
    seed: int,
) -> Path:
    """Train in an exam's world; return the exported policy. Ray must be running."""
    from policies.export import export
    from policies.rllib import train

    world, place = posed.world(), folder / f"{posed.name}-{seed}"
    ladder = None if posed.curriculum is None else Ladder(posed.curriculum)
    place.mkdir()
    result = train(
        world, training, seed, place, lambda told: tell(posed, seed, told), teacher=ladder
    )
    path = place / "policy.onnx"
    if isinstance(posed, PlantedExam):
        export(result.module, path, posed.name, spec=training.env.spec)
    else:
        export(result.module, path, posed.name, schema=world.schema)
    return path


def judged(paths: Sequence[tuple[str, Path]], console: Console) -> None:
    """Judge exported policies by an exam, without training."""
    rows = Table("exam", "policy", "score", "earned", "best", "flat", "exposed")
    for name, path in paths:
        mark = exam(name).judge(path)
        rows.add_row(name, path.name, *_figures(mark))
    console.print(rows)


def _figures(mark: Mark) -> tuple[str, ...]:
    exposed = "" if mark.exposed != mark.exposed else f"{mark.exposed:.3f}"
    return (
        f"{mark.score:.3f}",
        *(f"{x:.5g}" for x in (mark.earned, mark.best, mark.flat)),
        exposed,
    )


def table(standings: Sequence[Standing]) -> Table:
    """Lay standings out."""
    rows = Table("exam", "what", "scores", "median", "verdict", "steps", "CPU s")
    for one in standings:
        rows.add_row(
            one.exam,
            one.about,
            " ".join(f"{score:.3f}" for score in one.scores),
            f"{one.median:.3f}",
            one.verdict,
            f"{one.steps:,}",
            " ".join(f"{seconds:.0f}" for seconds in one.seconds),
        )
    return rows
