"""A search's trials in Ray Tune: side by side, each trained from rung to rung and judged there.

What Tune asks (its ``Searcher``) and what stops a trial (its ``TrialScheduler``) are both thin: the
search's book decides, so that a search that was killed goes on exactly where it was, each trial
from its own checkpoint.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from envs.tape import DecisionTape
from market.errors import PregaoError
from policies.checkpoints import Checkpoints
from policies.curriculum import Ladder
from policies.evaluate import evaluate
from policies.export import export
from policies.exported import OnnxPolicy
from policies.rllib.train import train
from policies.searching import Book, PolicySearch, Row, drawn, proposal
from policies.training import Training
from policies.world import MarketWorld
from validation.bootstrap import interval
from validation.paths import fitting_block

__all__ = ["Task", "search"]

_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # its own tables; the registry has the figures
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # an interrupt is for the command
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one doesn't know silence
    "RAY_USAGE_STATS_ENABLED": "0",
}
_BLOCK, _SAMPLES = 50, 400


@dataclass(frozen=True)
class Task:
    """What every trial is given.

    Parameters
    ----------
    search
        Space and rungs.
    training
        Settings that trials change.
    learnt, later
        What trials learn from, and what they are judged by: later, with a gap between.
    seed
        Of the draws and of each training.
    folder
        Holds the trials' checkpoints; all nodes see it, where there are several.
    """

    search: PolicySearch
    training: Training
    learnt: DecisionTape
    later: DecisionTape
    seed: int
    folder: Path


def search(
    task: Task, book: Book, counted: Callable[[int], int], watch: Callable[[Book], None]
) -> None:
    """Run what is left of a search; Ray must be started.

    Parameters
    ----------
    task
        What is searched.
    book
        What was done of it; rows are added.
    counted
        Notes a trial before it is judged; takes its number here, returns that among all trials.
    watch
        Called after each rung.
    """
    there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    workers = task.search.workers or max(1, int(there.get("CPU", 1.0)))
    asker = _Asker(task, book, counted, watch)
    folder = task.folder / "tune"
    shutil.rmtree(folder, ignore_errors=True)
    trial = tune.with_parameters(_trial, task=task)
    resources = {"cpu": 1 + task.training.runners, "gpu": task.training.learner_gpus}
    with _quietly():
        tune.Tuner(
            tune.with_resources(trial, resources),
            tune_config=tune.TuneConfig(
                search_alg=asker,
                scheduler=_Stopper(asker),
                num_samples=-1,
                max_concurrent_trials=workers,
            ),
            run_config=tune.RunConfig(
                name="policies",
                storage_path=str(folder.absolute()),
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=1),
            ),
        ).fit()
    shutil.rmtree(folder, ignore_errors=True)


def _trial(config: dict[str, Any], task: Task) -> None:
    """Train from rung to rung; a result for each rung that wasn't judged yet."""
    number, begin = int(config["number"]), int(config["rung"])
    folder = task.folder / f"trial-{number:04d}"
    try:
        training = proposal(task.training, drawn(task.search, task.seed, number))
        training = training.fitted([task.learnt])
        world = MarketWorld((task.learnt,), training.env, training.curriculum)
        rungs = task.search.steps(training.steps)
        for rung in range(begin, len(rungs)):
            saved = Checkpoints(folder / "checkpoints").latest()
            ladder = None
            if training.curriculum is not None:
                ladder = Ladder(
                    training.curriculum, None if saved is None else saved.state.get("level")
                )
            result = train(
                world, training, task.seed, folder, lambda _: None, saved is not None, ladder,
                until=rungs[rung],
            )  # fmt: skip
            export(result.module, folder / "policy.onnx", training.algorithm, training.env.spec)
            score, low, high = _score(folder / "policy.onnx", task)
            tune.report(
                {"rung": rung, "steps": result.steps, "score": score, "low": low, "high": high}
            )
    except (PregaoError, ValueError) as error:
        told = " ".join(str(error).split())
        tune.report({"rung": -1, "score": 0.0, "failed": told})  # Tune wants a score of everybody


def _score(file: Path, task: Task) -> tuple[float, float, float]:
    """Return a policy's mean log return per decision on the later tape, with its interval."""
    policy = OnnxPolicy.load(file)
    env = task.training.env.model_copy(update={"spec": policy.spec})
    gains = evaluate(policy, task.later, env).net_returns / task.later.unit
    block = fitting_block(_BLOCK, len(gains))
    low, high = interval(gains, block, _SAMPLES, 0.95, np.random.default_rng(task.seed))
    return float(gains.mean()), low, high


class _Asker(Searcher):
    """What Tune asks for trials, and tells of them."""

    def __init__(
        self,
        task: Task,
        book: Book,
        counted: Callable[[int], int],
        watch: Callable[[Book], None],
    ) -> None:
        super().__init__(metric="score", mode="max")
        self.book, self._watch, self._counted = book, watch, counted
        self._left = [one for one in range(task.search.trials) if not book.ended(one)]
        self._numbers: dict[str, int] = {}

    def suggest(  # type: ignore[override]
        self, trial_id: str
    ) -> dict[str, Any] | str | None:
        if not self._left:
            return None if self._numbers else str(Searcher.FINISHED)
        number = self._left.pop(0)
        if not self.book.trial(number):
            trial = self._counted(number)
            self.book.add(Row(number, trial, -1, 0, 0.0, 0.0, 0.0, "counted"))
        last = self.book.last(number)
        self._numbers[trial_id] = number
        return {"number": number, "rung": 0 if last is None else last.rung + 1}

    def judged(self, trial_id: str, told: dict[str, Any]) -> bool:
        """Take a rung's result; say whether the trial goes on."""
        number = self._numbers[trial_id]
        trial, last = self.book.trial(number), self.book.last(number)
        # A trial whose process died begins at the rung it was given; those behind it are judged.
        if last is not None and 0 <= told["rung"] <= last.rung:
            return last.state == "on"
        if "failed" in told:
            row = Row(number, trial, -1, 0, 0.0, 0.0, 0.0, "failed", str(told["failed"]))
        else:
            state = self.book.judged(number, told["rung"], told["score"])
            row = Row(
                number, trial, told["rung"], told["steps"], told["score"], told["low"],
                told["high"], state,
            )  # fmt: skip
        self.book.add(row)
        self._watch(self.book)
        return row.state == "on"

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        number = self._numbers.pop(trial_id)
        if error and not self.book.ended(number):
            reason = "its process failed twice; its memory may not have sufficed"
            trial = self.book.trial(number)
            self.book.add(Row(number, trial, -1, 0, 0.0, 0.0, 0.0, "failed", reason))

    def save(self, checkpoint_path: str) -> None:
        """Keep nothing: the book does."""

    def restore(self, checkpoint_path: str) -> None:
        """Bring nothing back: the book does."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave the book out of Tune's snapshots."""
        return {"_metric": self._metric, "_mode": self._mode}


class _Stopper(FIFOScheduler):
    """What stops a trial after a rung."""

    def __init__(self, asker: _Asker) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._asker = asker

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        if self._asker.judged(trial.trial_id, result):
            return str(TrialScheduler.CONTINUE)
        return str(TrialScheduler.STOP)


@contextmanager
def _quietly() -> Iterator[None]:
    """Let Tune say nothing, and restore the environment."""
    before = {name: os.environ.get(name) for name in _SETTINGS}
    os.environ.update(_SETTINGS)
    logger = logging.getLogger("ray.tune")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
