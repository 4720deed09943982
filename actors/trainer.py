"""Ray shell that learns: a symbol's ensemble, everybody's policy, and the gate's verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ray

from actors.config import FloorConfig
from actors.lessons import school
from actors.schooling import home
from envs.tape import DecisionTape
from features.dataset import build
from market.beside import Beside
from market.tape import Tape
from models.card import read
from models.fit import fit_ensemble
from models.fitting.augmenting import Recorded
from models.registry import Lineage, Registry, RegistryConfig
from models.registry.lineage import code_digest
from models.runtime import EnsembleRuntime
from policies import lineage as policies
from trading.desk import DeskSpec
from trading.judging import Terms, examine
from trading.unseen import known
from validation.verdict import Verdict

__all__ = ["Learned", "Progress", "Trainer", "TrainerShell", "terms"]


@dataclass(frozen=True)
class Learned:
    """A fitted ensemble, and what comes after it needs.

    Parameters
    ----------
    symbol
        Whose it is.
    folder
        Where it lies.
    unseen
        Venue time behind which nothing was trained on: the hold-out's begin.
    tape
        What the policy is trained on: decisions with **out-of-fold** predictions, so that it
        learns how far the ensemble can be trusted on data it hasn't seen.
    metrics
        Out of fold.
    columns
        Which it takes, in a few words.
    lineage
        What it was made of.
    """

    symbol: str
    folder: Path
    unseen: int
    tape: DecisionTape
    metrics: dict[str, float]
    columns: str
    lineage: Lineage

    @property
    def version(self) -> str:
        """Of the ensemble."""
        return read(self.folder)[0].version


@dataclass(frozen=True)
class Progress:
    """How far a trainer is with what it was asked."""

    task: str = ""
    stage: str = ""
    fraction: float = 0.0


class TrainerShell:
    """Fit, train, judge: each a call of the room that knows how.

    Parameters
    ----------
    config
        The floor's.
    """

    def __init__(self, config: FloorConfig) -> None:
        self._config = config
        self._registry = Registry(RegistryConfig.of(config.folder))
        self._code, self._policies = code_digest(), policies.code_digest()
        self._progress = Progress()

    @ray.method
    def progress(self) -> Progress:
        """Return how far the call in hand is; answers beside it."""
        return self._progress

    @ray.method
    def fit(self, tape: Tape, beside: Beside) -> Learned:
        """Fit a symbol's ensemble on all but the hold-out."""
        config, one = self._config, self._config.symbol(tape.symbol)
        features = config.features_of(tape.symbol)
        dataset = build(tape, features, config.labels, one.every, one.costs, beside)
        learnt, unseen = known(dataset, config.holdout)
        recorded = Recorded(tape, features, config.labels, one.every, one.costs)
        fitted = fit_ensemble(
            learnt, config.ensemble, config.seed, self._report(tape.symbol), recorded
        )
        folder = fitted.save(config.folder / "drafts" / tape.symbol)
        regimes = EnsembleRuntime.load(folder, learnt.schema).regimes(learnt.X, learnt.fresh)
        spec = config.training.env.spec
        return Learned(
            symbol=tape.symbol,
            folder=folder,
            unseen=unseen,
            tape=DecisionTape.of(
                learnt, fitted.oof, fitted.oof_disagreement, one.instrument, regimes, spec, tape
            ),
            metrics=fitted.metrics,
            columns=fitted.card.told,
            lineage=Lineage.of(learnt, config.ensemble, config.seed, code=self._code),
        )

    @ray.method
    def train_policy(self, learned: tuple[Learned, ...]) -> Path:
        """Train one policy on every symbol's tape and export it; return the exported file."""
        config, report = self._config, self._report("policy")

        def follow(iteration: dict[str, float]) -> None:
            report(f"reward {iteration['reward']:+.4f}", iteration["steps"] / iteration["of"])

        return school(
            [one.tape for one in learned],
            config.training,
            config.seed,
            home(config.folder),
            RegistryConfig.of(config.folder),
            {one.symbol: read(one.folder)[0].version for one in learned},
            self._policies,
            follow,
        )

    @ray.method
    def judge(
        self, spec: DeskSpec, tape: Tape, beside: Beside, learned: Learned
    ) -> tuple[Path, Verdict]:
        """Register an ensemble, and let its desk be judged by the hold-out."""
        config, symbol = self._config, tape.symbol
        self._report(symbol)("hold-out and gate", 0.0)
        entry = self._registry.register(
            symbol, learned.folder, learned.metrics, {}, learned.lineage
        )
        found = examine(self._registry, entry, spec, terms(config), learned.unseen, tape, beside)
        return self._registry.fetch(entry, config.folder / "models" / symbol), found.verdict

    def _report(self, task: str) -> Callable[[str, float], None]:
        """Return a callback that keeps the progress of a task."""

        def report(stage: str, fraction: float) -> None:
            self._progress = Progress(task, stage, min(max(fraction, 0.0), 1.0))

        return report


Trainer = ray.remote(TrainerShell)


def terms(config: FloorConfig) -> Terms:
    """Return what everybody on a floor is judged by."""
    return Terms(
        gate=config.gate,
        labels=config.labels,
        names=tuple(one.symbol for one in config.symbols),
        models=config.folder / "models",
        seed=config.seed,
    )
