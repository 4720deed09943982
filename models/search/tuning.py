"""A search's trials in Ray Tune: side by side, each on a processor or a share of a GPU.

Ours are what Tune asks (its ``Searcher``) and what tells it to stop a trial (its
``TrialScheduler``), both thin: the search's book decides. So a search that was killed goes on
exactly where it was, which Tune's own snapshots, some seconds old and without a scheduler's memory,
don't give.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from uuid import uuid4

import msgspec
import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from market.errors import PregaoError
from models.nets.config import NetConfig
from models.search.book import Outcome
from models.search.judging import Judge
from models.search.proposal import Proposal
from models.search.ranges import settings_of
from models.search.search import Search

__all__ = ["in_tune"]

_SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # its own tables; the registry has the figures
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # an interrupt is for the command
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one doesn't know silence
    "RAY_USAGE_STATS_ENABLED": "0",
}


def in_tune(search: Search, judge: Judge) -> None:
    """Run the trials of a search in Ray Tune; see :data:`models.search.search.Engine`.

    A trial whose process dies is done again, once. Ray must be started.
    """
    nets = any(issubclass(settings_of(kind), NetConfig) for kind in search.search.members)
    gpus = judge.base.gpus if nets else 0.0
    there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    workers = search.search.workers or max(1, int(there.get("CPU", 1.0)))
    trial = tune.with_parameters(_trial, key=uuid4().hex, shared=judge)
    asker = _Asker(search)
    folder = search.book.path.with_suffix(".tune").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    with _quietly():
        tune.Tuner(
            tune.with_resources(trial, {"cpu": 1, "gpu": gpus}),
            tune_config=tune.TuneConfig(
                search_alg=asker,
                scheduler=_Stopper(asker),
                num_samples=-1,
                max_concurrent_trials=workers,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="search",
                storage_path=str(folder),
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=1),
            ),
        ).fit()
    shutil.rmtree(folder, ignore_errors=True)


class _Asker(Searcher):
    """What Tune asks for trials, and tells of them."""

    def __init__(self, search: Search) -> None:
        super().__init__(metric="value", mode="max")
        self.search = search
        self.numbers: dict[str, int] = {}
        self.stopped: set[str] = set()
        self._last: dict[str, dict[str, Any]] = {}

    def suggest(  # type: ignore[override]
        self, trial_id: str
    ) -> dict[str, Any] | str | None:
        row = self.search.ask()
        if row is None:
            return None if self.numbers else str(Searcher.FINISHED)
        self.numbers[trial_id] = row.number
        return {"proposal": msgspec.json.encode(row.proposal).decode()}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        self._last[trial_id] = result

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        number = self.numbers.pop(trial_id)
        last = self._last.pop(trial_id, {})
        if trial_id in self.stopped:
            self.search.pruned(number)
        elif error:
            self.search.failed(number, "its process failed twice; its memory may not have sufficed")
        elif "outcome" in last:
            self.search.done(number, msgspec.json.decode(last["outcome"], type=Outcome))
        else:
            self.search.failed(number, str(last.get("failed", "it said nothing")))

    def save(self, checkpoint_path: str) -> None:
        """Keep nothing: the book does."""

    def restore(self, checkpoint_path: str) -> None:
        """Bring nothing back: the book does."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave the search out of Tune's snapshots."""
        return {"_metric": self._metric, "_mode": self._mode}


class _Stopper(FIFOScheduler):
    """What stops a trial after a fold."""

    def __init__(self, asker: _Asker) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._asker = asker

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        asker, name = self._asker, trial.trial_id
        if result["folds"] and not asker.search.reported(
            asker.numbers[name], result["folds"], result["value"]
        ):
            asker.stopped.add(name)
            return str(TrialScheduler.STOP)
        return str(TrialScheduler.CONTINUE)


def _trial(config: dict[str, Any], key: str, shared: Judge) -> None:
    """Judge a proposal: a result for each fold, and one for what came of it."""
    judge = _first(key).setdefault("judge", shared)
    proposal = msgspec.json.decode(config["proposal"], type=Proposal)

    def report(folds: int, value: float) -> bool:
        tune.report({"folds": folds, "value": value})  # where it is to stop, this doesn't return
        return True

    try:
        outcome = judge(proposal, report)
    except PregaoError as error:
        tune.report({"folds": 0, "value": 0.0, "failed": str(error)})
    else:
        told = msgspec.json.encode(outcome).decode()
        tune.report({"folds": 0, "value": outcome.score, "outcome": told})


@lru_cache(maxsize=1)
def _first(key: str) -> dict[str, Judge]:
    """Return where a process keeps its judge: the first one knows the columns that were chosen."""
    return {}


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
