"""The count of trials: a run of MLflow's each, and none is ever forgotten."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from market.errors import StateError
from models.registry.client import PAGE, Client, pages
from models.registry.entry import Trial
from models.registry.files import Files

__all__ = ["KIND", "Trials", "figured"]

KIND, NUMBER, WHAT, COUNT = "pregao.kind", "pregao.trial", "pregao.what", "pregao.trials"
_TRIAL = f"tags.`{KIND}` = 'trial'"
_ALL = 3
"""MLflow's ``ViewType.ALL``: a trial that somebody deleted was a trial."""


class Trials:
    """The experiments of a registry, one for each symbol.

    Parameters
    ----------
    client
        Of the registry.
    files
        Where its runs' files go.
    """

    def __init__(self, client: Client, files: Files) -> None:
        self._client, self._files = client, files
        self._seen: dict[str, tuple[str | None, int]] = {}
        self._runs: dict[tuple[str, int], str] = {}

    def experiment(self, symbol: str, make: bool = False) -> Any:
        """Return a symbol's experiment; ``None`` if it has none."""
        name = f"{self._client.config.prefix}/{symbol}"
        found = self._client.get_experiment_by_name(name)
        if found is None and make:
            try:
                self._client.create_experiment(name, self._files.location(symbol))
            except StateError:  # on a server another process may have been faster
                if self._client.get_experiment_by_name(name) is None:
                    raise
            found = self._client.get_experiment_by_name(name)
        if make and found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return found

    def count(self, symbol: str) -> int:
        """Count them; those of a run that MLflow's ``gc`` took away stay counted."""
        experiment = self.experiment(symbol)
        if experiment is None:
            return 0
        return max(self._counted(experiment.experiment_id), int(experiment.tags.get(COUNT, 0)))

    def add(self, symbol: str, what: str, known: int) -> int:
        """Note one more trial than the ``known``; return how many there are now."""
        experiment = self.experiment(symbol, make=True).experiment_id
        tags = {KIND: "trial", WHAT: what, NUMBER: str(known + 1)}
        run = self._client.create_run(experiment, tags=tags, run_name=what[:80] or "trial")
        number = known + 1
        if not self._client.local:  # others may have noted theirs meanwhile
            number = max(number, self._counted(experiment))
        self._client.set_experiment_tag(experiment, COUNT, str(number))
        self._runs[symbol, number] = run.info.run_id
        return number

    def found(self, symbol: str, number: int, figures: Mapping[str, float]) -> None:
        """Say what came of a trial."""
        run = self._runs.get((symbol, number)) or self._run(symbol, number)
        figured(self._client, run, figures)
        self._client.set_terminated(run)

    def all(self, symbol: str) -> tuple[Trial, ...]:
        """Return them, the first first."""
        experiment = self.experiment(symbol)
        if experiment is None:
            return ()
        runs = pages(
            self._client.search_runs,
            experiment_ids=[experiment.experiment_id],
            filter_string=_TRIAL,
            run_view_type=_ALL,
            order_by=["attributes.start_time ASC"],
        )
        # by number: two may have begun in the same millisecond
        ordered = sorted(runs, key=lambda one: int(one.data.tags.get(NUMBER, 0)))
        return tuple(Trial(one.data.tags.get(WHAT, ""), dict(one.data.metrics)) for one in ordered)

    def _counted(self, experiment: str) -> int:
        """Count runs, from the last page that was full when they were counted before.

        Runs are only ever added: however they are sorted, so many stand before a page.
        """
        token, number = self._seen.get(experiment, (None, 0))
        while True:
            page = self._client.search_runs(
                [experiment], _TRIAL, _ALL, max_results=PAGE, page_token=token
            )
            if not page.token:
                return number + len(page)
            token, number = page.token, number + len(page)
            self._seen[experiment] = token, number

    def _run(self, symbol: str, number: int) -> str:
        experiment = self.experiment(symbol)
        runs = experiment and self._client.search_runs(
            [experiment.experiment_id], f"tags.`{NUMBER}` = '{number}'", _ALL, max_results=1
        )
        if not runs:
            raise StateError(
                f"{symbol} has no trial {number}; note it with tried() before it is judged"
            )
        return str(runs[0].info.run_id)


def figured(client: Client, run: str, figures: Mapping[str, float]) -> None:
    """Write a run's figures; those that aren't finite are unknown, and left out."""
    from mlflow.entities import Metric

    begin = client.get_run(run).info.start_time
    known = {name: float(value) for name, value in figures.items() if math.isfinite(value)}
    metrics = [Metric(name, value, begin, 0) for name, value in known.items()]
    if metrics:
        client.log_batch(run, metrics)
