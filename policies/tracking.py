"""What a training did, iteration by iteration, for TensorBoard and for MLflow."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tensorboardX import SummaryWriter  # type: ignore[import-untyped]

from market.config import Config
from models.registry.client import Client, durable
from models.registry.config import RegistryConfig
from models.registry.files import Files
from models.registry.trials import KIND, Trials
from models.registry.versions import checked

__all__ = ["ARTIFACTS", "Tracker", "flat"]

ARTIFACTS = "policy"
"""Folder of a run's artifacts."""

_FLUSH_SECONDS = 5.0
_PARAMS = 100
"""Most that MLflow takes at once."""


class Tracker:
    """Writes a training's figures to TensorBoard's event files and to a run of MLflow.

    The run stands beside the symbol's trials, in the registry that has its ensembles; it is no
    trial itself, for nothing was judged yet. Figures are sent together every few seconds: a write
    to MLflow costs as much as a small iteration.

    Parameters
    ----------
    folder
        Of the training; the event files go to ``tensorboard``, which run it is to ``run.json``.
    registry
        Where MLflow is.
    symbol
        Whose experiment; any word of letters for a policy of several symbols.
    name
        Of the run.
    params
        Settings, as :func:`flat` makes them.
    resume
        Steps that were done already: the run of ``run.json`` goes on behind them, and what was
        told of later ones, before the process died, is not told twice. 0 begins a new run.
    """

    def __init__(
        self,
        folder: Path,
        registry: RegistryConfig,
        symbol: str,
        name: str,
        params: Mapping[str, str],
        resume: int = 0,
    ) -> None:
        checked(symbol)
        self._client = Client(registry)
        self._symbol = symbol
        folder.mkdir(parents=True, exist_ok=True)
        note = folder / "run.json"
        known = _noted(note) if resume else ""
        with self._client.alone(make=True):
            self.run = known if known and self._there(known) else self._begun(name, params)
            self._done = self._last() if resume else 0
        scratch = note.with_suffix(".new")
        scratch.write_text(json.dumps({"run": self.run}), encoding="utf-8")
        scratch.replace(note)
        self._writer: Any = SummaryWriter(
            str(folder / "tensorboard"), purge_step=resume + 1 if resume else None, flush_secs=2
        )
        self._waiting: list[tuple[int, float, dict[str, float]]] = []
        self._sent = 0.0

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._flush()
        self._writer.close()
        state = "FINISHED" if kind is None else "KILLED"
        with self._client.alone():
            self._client.set_terminated(self.run, state)
        self._client.close()

    def iteration(self, told: Mapping[str, float]) -> None:
        """Take an iteration's figures: ``steps``, ``seconds``, and whatever else there is."""
        steps, seconds = int(told["steps"]), float(told["seconds"])
        known = {
            name: float(value)
            for name, value in told.items()
            if name not in ("steps", "of") and math.isfinite(value)
        }
        for name, value in known.items():
            self._writer.add_scalar(name, value, steps)
        if steps > self._done:
            self._waiting.append((steps, seconds, known))
        if seconds - self._sent >= _FLUSH_SECONDS:
            self._flush()
            self._sent = seconds

    def keep(self, *files: Path) -> None:
        """Add files to the run."""
        if not self._client.local:
            for one in files:
                self._client.log_artifact(self.run, str(one), ARTIFACTS)
            return
        # As the registry finds an ensemble's: by this rule alone, so that the folder can be moved.
        root = self._client.config.folder / "artifacts" / self._symbol
        home = root / self.run / "artifacts" / ARTIFACTS
        home.mkdir(parents=True, exist_ok=True)
        for one in files:
            (home / one.name).write_bytes(one.read_bytes())
            durable(home / one.name)

    def _begun(self, name: str, params: Mapping[str, str]) -> str:
        from mlflow.entities import Param

        trials = Trials(self._client, Files(self._client))
        experiment = trials.experiment(self._symbol, make=True).experiment_id
        run = self._client.create_run(experiment, tags={KIND: "policy"}, run_name=name).info.run_id
        rows = [Param(key, value[:500]) for key, value in params.items()]
        for begin in range(0, len(rows), _PARAMS):
            self._client.log_batch(run, params=rows[begin : begin + _PARAMS])
        return str(run)

    def _there(self, run: str) -> bool:
        """Whether the registry has the run; another folder's note may name one it hasn't."""
        from market.errors import StateError

        try:
            self._client.get_run(run)
        except StateError:
            return False
        return True

    def _last(self) -> int:
        told = self._client.get_metric_history(self.run, "seconds")
        return max((int(one.step) for one in told), default=0)

    def _flush(self) -> None:
        from mlflow.entities import Metric

        if not self._waiting:
            return
        begin = self._client.get_run(self.run).info.start_time
        rows = [
            Metric(name, value, begin + int(1000 * seconds), steps)
            for steps, seconds, known in self._waiting
            for name, value in known.items()
        ]
        with self._client.alone():
            for first in range(0, len(rows), 1000):
                self._client.log_batch(self.run, rows[first : first + 1000])
        self._waiting = []


def _noted(note: Path) -> str:
    try:
        return str(json.loads(note.read_text(encoding="utf-8"))["run"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def flat(config: Config) -> dict[str, str]:
    """Return settings as MLflow shows them: a word for each, inner ones by dotted names.

    Examples
    --------
    >>> from envs.market import EnvConfig
    >>> flat(EnvConfig())["reward.risk"]
    '0.0'
    """
    out: dict[str, str] = {}

    def put(head: str, value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                put(f"{head}.{name}" if head else str(name), inner)
        else:
            out[head] = json.dumps(value) if isinstance(value, list) else str(value)

    put("", config.model_dump(mode="json"))
    return out
