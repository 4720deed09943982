"""Any parameters, sat through the exams: scores by seed, median and verdict."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.ranking.exam import Exam, Mark, verdict
from policies.training import Training

__all__ = ["Learn", "Standing", "rank", "written"]

Learn = Callable[[Exam, Training, int], Path]
"""Trains in an exam's world with a seed; returns the exported policy."""


@dataclass(frozen=True)
class Standing:
    """How a set of parameters did in one exam.

    Parameters
    ----------
    exam, about
        Which.
    seeds
        Of the trainings.
    marks
        One a seed.
    steps
        Decisions learnt from, by each.
    seconds
        CPU seconds of each training.
    """

    exam: str
    about: str
    seeds: tuple[int, ...]
    marks: tuple[Mark, ...]
    steps: int
    seconds: tuple[float, ...]

    @property
    def scores(self) -> tuple[float, ...]:
        """One a seed."""
        return tuple(mark.score for mark in self.marks)

    @property
    def median(self) -> float:
        """Of the scores."""
        return statistics.median(self.scores)

    @property
    def verdict(self) -> str:
        """Of the median, see :func:`policies.ranking.exam.verdict`."""
        return verdict(self.median)

    def told(self) -> dict[str, Any]:
        """Return all of it, plain."""
        return {
            "exam": self.exam,
            "about": self.about,
            "seeds": list(self.seeds),
            "scores": list(self.scores),
            "median": self.median,
            "verdict": self.verdict,
            "earned": [mark.earned for mark in self.marks],
            "best": self.marks[0].best,
            "flat": self.marks[0].flat,
            "exposed": [
                None if mark.exposed != mark.exposed else mark.exposed for mark in self.marks
            ],
            "steps": self.steps,
            "cpu_seconds": list(self.seconds),
        }


def rank(
    exams: Sequence[Exam],
    learn: Learn,
    seeds: Sequence[int],
    clock: Callable[[], float],
    settings: Callable[[Exam], Training] = lambda exam: exam.training,
) -> Iterator[Standing]:
    """Train and judge, exam by exam.

    Parameters
    ----------
    exams
        Which.
    learn
        Trains and exports.
    seeds
        Of the trainings; three or more say something.
    clock
        CPU seconds used so far.
    settings
        Parameters for an exam; its own if left out.

    Raises
    ------
    ValueError
        No seeds.
    """
    if not seeds:
        raise ValueError("seeds must be at least one, was none")
    for exam in exams:
        training, marks, seconds = settings(exam), [], []
        for seed in seeds:
            began = clock()
            path = learn(exam, training, seed)
            seconds.append(clock() - began)
            marks.append(exam.judge(path))
        yield Standing(
            exam.name, exam.about, tuple(seeds), tuple(marks), training.steps, tuple(seconds)
        )


def written(standings: Sequence[Standing], path: Path) -> None:
    """Write standings as JSON, whole or not at all."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(json.dumps([one.told() for one in standings], indent=2), encoding="utf-8")
    beside.rename(path)
