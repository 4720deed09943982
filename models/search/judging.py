"""What a proposal is worth inside the part that a search may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from features.dataset import Dataset
from features.selection import Selection
from models.combination.pool import Pool
from models.combination.stack import fit_pool
from models.config import EnsembleConfig
from models.fit import FittedEnsemble, fit_ensemble
from models.fitting.keeping import kept
from models.fitting.study import WHOLE, Result, Runner, Said, Study, Task, serial
from models.member import Floats, Ints, frequencies
from models.runtime import EnsembleRuntime
from models.search.book import Outcome
from models.search.config import SearchConfig
from models.search.material import Material
from models.search.objective import Score, score, series, sharpe
from models.search.proposal import Proposal

__all__ = ["Judge", "Pruned", "Report"]

Report = Callable[[int, float], bool]
"""Told the number of folds done and the objective so far; says whether to go on."""


class Pruned(Exception):
    """A trial was given up: others did better by as many folds."""


class Judge:
    """Judges proposals on the same decisions, folds and seed.

    Parameters
    ----------
    material
        What the search may see.
    search
        What is searched.
    base
        The floor's ensemble, of which a proposal is a change.
    seed
        Of everything drawn.
    folder
        Where fitted members are kept, so that none is fitted twice.
    code
        Digest of the code; see :func:`models.fitting.keeping.kept`.
    """

    def __init__(
        self,
        material: Material,
        search: SearchConfig,
        base: EnsembleConfig,
        seed: int,
        folder: Path,
        code: str,
    ) -> None:
        self.material, self.search, self.base, self.seed = material, search, base, seed
        self._kept = kept(folder, serial, code)
        self._chosen: dict[tuple[int, ...], Result] = {}

    def __call__(self, proposal: Proposal, report: Report) -> Outcome:
        """Fit a proposal fold by fold, as training would, and judge what it says out of fold.

        What shall be kept of an ensemble, members fitted on everything, isn't needed for that.

        Parameters
        ----------
        proposal
            What is tried.
        report
            Is told of each fold.

        Raises
        ------
        Pruned
            It said not to go on.
        ConfigError
            Its settings don't go together.
        DataError
            There is too little to fit it on.
        """
        dataset = self.material.dataset(proposal.columns, proposal.labels)
        config = proposal.ensemble(self.base, self.search)
        runner = self._folds(proposal, report)
        fitted = fit_ensemble(dataset, config, self.seed, _silent, runner=runner)
        spoken = np.isfinite(fitted.oof[:, 0])
        found = self._outcome(dataset, spoken, fitted.oof, fitted.oof_base)
        metrics = {name: fitted.metrics[name] for name in ("log_loss", "skill")}
        return Outcome(found.score, found.low, found.high, found.figures | metrics)

    def fit(self, proposal: Proposal, runner: Runner) -> FittedEnsemble:
        """Fit a proposal on everything, as training would."""
        dataset = self.material.dataset(proposal.columns, proposal.labels)
        config = proposal.ensemble(self.base, self.search)
        return fit_ensemble(dataset, config, self.seed, _silent, runner=runner)

    def behind(self, proposal: Proposal, later: Material, runner: Runner) -> Outcome:
        """Fit a proposal on everything, and judge what it says of decisions that lie behind it."""
        fitted = self.fit(proposal, runner)
        dataset = later.dataset(proposal.columns, proposal.labels)
        runtime = EnsembleRuntime(fitted.card, fitted.models)
        proba, _ = runtime.predict_rows(dataset.X, dataset.fresh)
        base = np.broadcast_to(np.array(fitted.card.frequencies), proba.shape)
        return self._outcome(dataset, np.isfinite(proba[:, 0]), proba, base)

    def _outcome(
        self, dataset: Dataset, spoken: np.ndarray[tuple[int], np.dtype[np.bool_]],
        proba: Floats, base: Floats,
    ) -> Outcome:  # fmt: skip
        told = np.flatnonzero(spoken & (dataset.label >= 0))
        values = series(dataset, told, proba, base, self.material.costs)
        overlap = max(1.0, dataset.horizon / dataset.every)
        own: Score = score(values[self.search.judged_by], overlap, self.seed)
        figures = {name: float(one.mean()) for name, one in values.items()}
        figures |= {"sharpe": sharpe(values["traded"]), "decisions": float(len(told))}
        return Outcome(own.mean, own.low, own.high, _finite(figures))

    def _folds(self, proposal: Proposal, report: Report) -> Runner:
        """Do a fold after the other, and tell of each; do nothing for the whole span."""

        def run(study: Study, tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
            members = len(study.members)
            said = np.full((members, len(study.rows), 3), np.nan)
            for number, task in enumerate(tasks):
                if task.fold == WHOLE:
                    yield number, None if task.member < 0 else Said(0, np.empty((0, 3)), b"")
                elif task.member < 0:
                    yield number, self._choice(proposal, study, task)
                else:
                    ((_, result),) = self._kept(study, (task,))
                    assert isinstance(result, Said)
                    said[task.member, study.folds[task.fold].spoken] = result.proba
                    last = task.member == members - 1
                    if last and not report(task.fold + 1, self._so_far(study, proposal, said)):
                        raise Pruned
                    yield number, result

        return run

    def _choice(self, proposal: Proposal, study: Study, task: Task) -> Selection | None:
        """Choose a fold's columns, once for all trials that choose from the same."""
        key = (proposal.columns, proposal.selection, proposal.labels, study.window, task.fold)
        if key not in self._chosen:
            self._chosen[key] = study.perform(task)
        found = self._chosen[key]
        assert not isinstance(found, Said)
        return found

    def _so_far(self, study: Study, proposal: Proposal, said: Floats) -> float:
        """Return the objective over the folds done.

        A stack is fitted to the very folds that it is judged by, for want of others. That is alike
        for all trials, which are compared by it and by nothing else.
        """
        learn = study.usable.learn
        told: Ints = learn[np.isfinite(said[0, learn, 0])]
        labels = study.usable.labels[told]
        if proposal.combination == "vote":
            pool = Pool.equal(len(said))
        else:
            overlap = max(1.0, study.dataset.horizon / study.dataset.every)
            pool = fit_pool(said[:, told], labels, 0.5, 20.0, overlap)
        proba, base = np.full(said.shape[1:], np.nan), frequencies(labels)
        proba[told] = pool(said[:, told])
        values = series(
            study.dataset, told, proba, np.broadcast_to(base, proba.shape), self.material.costs
        )
        return float(values[self.search.judged_by].mean())


def _finite(figures: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if np.isfinite(value)}


def _silent(what: str, share: float) -> None:
    """Take no notice: a trial tells of its folds."""
