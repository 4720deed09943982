"""Ray shell that learns: a symbol's ensemble, everybody's policy, and the gate's verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import ray

from actors.config import FloorConfig
from envs.tape import DecisionTape
from features.dataset import build
from market.beside import Beside
from market.tape import Tape
from models.fit import fit_ensemble
from models.fitting.augmenting import Recorded
from models.registry import Lineage, Registry, RegistryConfig
from models.registry.lineage import code_digest
from policies.export import export
from policies.rllib import train
from risk.lease import LeaseBook
from trading.backtest import run
from trading.desk import DeskSpec
from trading.holdout import gather
from trading.journal import MemoryJournal
from trading.unseen import known
from validation.gate import judge
from validation.verdict import Verdict

__all__ = ["Learned", "Progress", "Trainer", "TrainerShell"]


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
    frequencies
        Class frequencies of the training labels: the forecast to beat.
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
    frequencies: tuple[float, float, float]
    metrics: dict[str, float]
    columns: str
    lineage: Lineage


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
        self._code = code_digest()
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
        return Learned(
            symbol=tape.symbol,
            folder=fitted.save(config.folder / "drafts" / tape.symbol),
            unseen=unseen,
            tape=DecisionTape.of(learnt, fitted.oof, fitted.oof_disagreement, one.instrument),
            frequencies=fitted.card.frequencies,
            metrics=fitted.metrics,
            columns=fitted.card.told,
            lineage=Lineage.of(
                learnt, config.ensemble, features, config.labels, one, config.seed, code=self._code
            ),
        )

    @ray.method
    def train_policy(self, tapes: tuple[DecisionTape, ...]) -> Path:
        """Train the policy on every symbol's tape and export it; return the exported file."""
        config, report = self._config, self._report("policy")

        def follow(iteration: dict[str, float]) -> None:
            report(f"reward {iteration['reward']:+.4f}", iteration["steps"] / iteration["of"])

        folder = config.folder / "policy"
        result = train(tapes, config.training, config.seed, folder, follow)
        export(result.module, folder / "policy.onnx", "ppo")
        return folder / "policy.onnx"

    @ray.method
    def judge(
        self, spec: DeskSpec, tape: Tape, beside: Beside, learned: Learned
    ) -> tuple[Path, Verdict]:
        """Run the desk over the hold-out, ask the gate, and register model and verdict."""
        config, symbol = self._config, tape.symbol
        report = self._report(symbol)
        report("hold-out backtest", 0.0)
        unseen, near = tape.after(spec.warm_from), beside.after(spec.warm_from)
        book = LeaseBook(config.risk, [one.symbol for one in config.symbols], first=True)
        trader = spec.trader(MemoryJournal(keep=False))
        result = run([unseen], lambda _: trader, book, {symbol: near})
        report("gate", 0.8)
        number = self._registry.tried(symbol, f"{spec.policy} on {learned.folder.name}")
        evidence = gather(
            result.sleeves[symbol],
            unseen,
            spec.features,
            config.labels,
            spec.every,
            np.array(learned.frequencies),
            number,
            near,
        )
        verdict = judge(evidence, config.gate, np.random.default_rng(config.seed))
        self._registry.found(symbol, number, verdict.figures)
        entry = self._registry.register(
            symbol, learned.folder, learned.metrics, verdict, learned.lineage
        )
        return self._registry.fetch(entry, config.folder / "models" / symbol), verdict

    def _report(self, task: str) -> Callable[[str, float], None]:
        """Return a callback that keeps the progress of a task."""

        def report(stage: str, fraction: float) -> None:
            self._progress = Progress(task, stage, min(max(fraction, 0.0), 1.0))

        return report


Trainer = ray.remote(TrainerShell)
