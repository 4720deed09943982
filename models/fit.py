"""Fitting the ensemble: members out of fold, their combination on that, then all on everything."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

import msgspec
import numpy as np

from features.dataset import Dataset
from features.selection import Selection
from market.errors import DataError
from models.card import CARD, Card, MemberCard, RoundedCard
from models.combination.card import CombinationCard
from models.combination.combiner import Combiner
from models.combination.comparison import Paired, compare, losses
from models.combination.learning import Learner
from models.combination.pool import disagreement
from models.config import EnsembleConfig
from models.drift.reference import Reference
from models.fitting.augmenting import Recorded
from models.fitting.study import WHOLE, Result, Runner, Said, Study, Task, serial
from models.member import Floats, Ints, frequencies, log_loss
from models.regime import RegimeCard
from models.scores import scores

__all__ = ["FittedEnsemble", "fit_ensemble"]


@dataclass(frozen=True)
class FittedEnsemble:
    """Members fitted on the whole dataset, and what their likes said out of fold.

    Parameters
    ----------
    card
        Everything about it but the models; its metrics are out of fold.
    models
        The members' ONNX content, in the card's order.
    oof
        ``float64[m, 3]``: probabilities by members, and a combination, that were fitted on other
        folds; ``nan`` where a window isn't full.
    oof_disagreement
        ``float64[m]``; likewise.
    oof_members
        ``float64[M, m, 3]``; likewise.
    oof_base
        ``float64[m, 3]``: class frequencies of the same training; likewise.
    oof_abstained
        ``bool[m]``: where the ensemble had nothing to say.
    columns
        Places in the dataset of the chosen columns.
    """

    card: Card
    models: tuple[bytes, ...]
    oof: Floats
    oof_disagreement: Floats
    oof_members: Floats
    oof_base: Floats
    oof_abstained: np.ndarray[tuple[int], np.dtype[np.bool_]]
    columns: Ints

    @property
    def metrics(self) -> dict[str, float]:
        """Out of fold; see :func:`models.scores.scores`."""
        return self.card.metrics

    @property
    def version(self) -> str:
        """Stands for card and models."""
        return self.card.version

    def save(self, folder: str | Path) -> Path:
        """Write the models and, last, the card; :meth:`EnsembleRuntime.load` reads them.

        A folder without a card is no ensemble, so a crash in between leaves nothing half valid.
        """
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        (path / CARD).unlink(missing_ok=True)
        for one, model in zip(self.card.members, self.models, strict=True):
            (path / one.file).write_bytes(model)
        (path / CARD).write_bytes(self.card.encode())
        return path


def fit_ensemble(
    dataset: Dataset,
    config: EnsembleConfig,
    seed: int,
    progress: Callable[[str, float], None],
    recorded: Recorded | None = None,
    runner: Runner = serial,
) -> FittedEnsemble:
    """Fit the ensemble on a dataset; the same dataset, config and seed give the same files.

    For each purged fold columns are chosen from the others, and members fitted on these; they are
    stopped early by the latest rows, which nothing was chosen from, and speak about the fold. The
    combination is fitted on these out-of-fold probabilities only; for the ensemble's own
    out-of-fold probabilities it is fitted anew without the fold. The members that are kept are
    fitted on everything, with columns chosen from everything, for as long as was best in the median
    fold.

    Parameters
    ----------
    dataset
        Of the training span alone: what shall judge the ensemble later must not be in it.
    config
        Members and folds.
    seed
        Of everything drawn.
    progress
        Called with what was done and the share of the work that is, up to 1.
    recorded
        What the dataset was made of; needed for ``config.augment``, and to learn online.
    runner
        Who does the pieces of work.

    Raises
    ------
    DataError
        Too few labelled decisions, or a feature that isn't finite.
    ConfigError
        A member, or the regime model, takes columns that the dataset lacks.
    """
    study = Study(dataset, config, seed, recorded).prepared()
    heard = _Heard(study)
    fitting = _Fitting(study, progress, runner)
    everything = (*range(len(study.folds)), WHOLE)
    chosen = dict(zip(everything, fitting.columns(everything), strict=True))
    said, efforts = fitting.folds([chosen[fold] for fold in range(len(study.folds))])
    kept = fitting.whole(chosen[WHOLE], efforts)
    rounded = fitting.rounded(said)
    files = [_file(one, how) for one, how in zip(kept, rounded, strict=True)]
    heard.listen(said)
    labels, learn = study.usable.labels, study.usable.learn
    names = [member.name for member in study.members]
    metrics = scores(
        labels[learn],
        heard.proba[learn],
        heard.base[learn],
        {name: said[i, learn] for i, name in enumerate(names)},
    )
    metrics["abstained"] = float(heard.abstained[learn].mean())
    card = Card(
        symbol=dataset.symbol,
        schema=dataset.schema,
        names=dataset.names,
        columns=tuple(dataset.names[place] for place in study.chooser.places(chosen[WHOLE])),
        selection=study.chooser.card(chosen[WHOLE], [chosen[fold] for fold in everything[:-1]]),
        window=study.window,
        members=tuple(
            MemberCard(
                name=member.name,
                kind=settings.kind,
                file=f"{member.name}.onnx",
                sha256=hashlib.sha256(file).hexdigest(),
                window=member.window,
                columns=member.columns,
                effort=one.effort,
                rounded=how,
            )
            for member, settings, one, file, how in zip(
                study.members, config.members, kept, files, rounded, strict=True
            )
        ),
        combination=heard.final,
        compared=heard.compared(names),
        frequencies=_triple(frequencies(labels[learn])),
        every=dataset.every,
        horizon=dataset.horizon,
        start=int(dataset.times[0]),
        end=int(dataset.times[-1]),
        decisions=len(dataset),
        seed=seed,
        metrics=metrics,
        settings=config.model_dump(mode="json"),
        labels=None if recorded is None else recorded.labels.model_dump(mode="json"),
    )
    if config.column_drift is not None:
        card = msgspec.structs.replace(card, reference=_reference(study, card.taken))
    return FittedEnsemble(
        card=card.sealed(),
        models=tuple(files),
        oof=heard.proba,
        oof_disagreement=heard.disagreement,
        oof_members=said,
        oof_base=heard.base,
        oof_abstained=heard.abstained,
        columns=study.chooser.places(chosen[WHOLE]),
    )


class _Fitting:
    """Lets the pieces of a study be done, stage by stage, and tells of each."""

    def __init__(
        self, study: Study, progress: Callable[[str, float], None], runner: Runner
    ) -> None:
        self._study, self._progress, self._runner = study, progress, runner
        self._done, self._pieces = 0, (len(study.members) + 1) * (len(study.folds) + 1)

    def columns(self, folds: Iterable[int]) -> list[Selection | None]:
        """Choose columns in every fold."""
        found: list[Selection | None] = []
        for one in self._do([Task(fold) for fold in folds]):
            assert not isinstance(one, Said)
            found.append(one)
        return found

    def folds(self, chosen: Sequence[Selection | None]) -> tuple[Floats, list[int]]:
        """Let members speak about each fold; return what they said, and the median efforts."""
        study = self._study
        count = len(study.members)
        tasks = [Task(fold, i, chosen[fold]) for fold in range(len(chosen)) for i in range(count)]
        said = np.full((count, len(study.rows), 3), np.nan)
        self._rounded = said.copy()
        efforts: list[list[int]] = [[] for _ in range(count)]
        for task, one in zip(tasks, self._do(tasks), strict=True):
            assert isinstance(one, Said)
            said[task.member, study.folds[task.fold].spoken] = one.proba
            if one.rounded is not None:
                self._rounded[task.member, study.folds[task.fold].spoken] = one.rounded
            efforts[task.member].append(one.effort)
        return said, [median_low(found) for found in efforts]

    def rounded(self, said: Floats) -> list[RoundedCard | None]:
        """Say what int8 does to each network, and let those that bear it speak so in ``said``."""
        usable, told = self._study.usable, list[RoundedCard | None]()
        for own, other in zip(said, self._rounded, strict=True):
            if np.isnan(other[usable.ends]).any():
                told.append(None)
                continue
            from models.quantise import LIMIT

            apart = float(np.abs(other - own)[usable.ends].max())
            labels = usable.labels[usable.learn]
            loss = log_loss(other[usable.learn], labels) - log_loss(own[usable.learn], labels)
            told.append(RoundedCard(apart, loss, apart <= LIMIT))
            if apart <= LIMIT:
                own[:] = other
        return told

    def whole(self, chosen: Selection | None, efforts: Sequence[int]) -> list[Said]:
        """Fit the members that are kept."""
        tasks = [Task(WHOLE, i, chosen, effort) for i, effort in enumerate(efforts)]
        return [one for one in self._do(tasks) if isinstance(one, Said)]

    def _do(self, tasks: Sequence[Task]) -> list[Result]:
        results: list[Result] = [None] * len(tasks)
        for number, result in self._runner(self._study, tasks):
            results[number] = result
            self._done += 1
            self._progress(self._study.told(tasks[number]), self._done / self._pieces)
        return results


class _Heard:
    """The combination of what members said: one for each fold without it, and the final one."""

    def __init__(self, study: Study) -> None:
        config, dataset = study.config, study.dataset
        self._study, self._folds = study, (*range(len(study.folds)), WHOLE)
        self._overlap = max(1.0, dataset.horizon / dataset.every)
        names = [member.name for member in study.members]
        self._learner = Learner(
            config.combination, config.calibration, config.abstain, names, self._overlap, study.seed
        )
        # Regimes come first: what they lack is told before members are fitted for an hour.
        self._regimes: dict[int, tuple[RegimeCard, Ints]] = {}
        if config.regime is not None:
            self._regimes = {fold: study.regime(fold) for fold in self._folds}
        for card, _ in self._regimes.values():
            self._learner.check(card)

    def listen(self, said: Floats) -> None:
        """Put together what members said."""
        study, m = self._study, len(self._study.rows)
        self._said = said
        self.proba, self.base = np.full((m, 3), np.nan), np.full((m, 3), np.nan)
        self.disagreement = np.full(m, np.nan)
        self.abstained = np.zeros(m, np.bool_)
        for number, fold in enumerate(study.folds):
            card, regimes = self._fit(number, fold.learn)
            base = frequencies(study.usable.labels[fold.learn])
            told = Combiner(card, _triple(base))(
                said[:, fold.spoken], None if regimes is None else regimes[fold.spoken]
            )
            self.proba[fold.spoken], self.base[fold.spoken] = told.proba, base
            self.abstained[fold.spoken] = told.abstained
        ends = study.usable.ends
        self.disagreement[ends] = disagreement(said[:, ends])
        self.final, _ = self._fit(WHOLE, study.usable.learn)

    def _fit(self, fold: int, known: Ints) -> tuple[CombinationCard, Ints | None]:
        """Fit on what was said of decisions ``known``."""
        card, regimes = self._regimes.get(fold, (None, None))
        labels = self._study.usable.labels[known]
        own = None if regimes is None else regimes[known]
        return self._learner.fit(self._said[:, known], labels, card, own), regimes

    def compared(self, names: Sequence[str]) -> dict[str, Paired]:
        """Compare the ensemble with each member, and with the class frequencies."""
        learn = self._study.usable.learn
        labels, block = self._study.usable.labels[learn], max(50, round(4.0 * self._overlap))
        own = losses(self.proba[learn], labels)
        others = {"base": self.base[learn]}
        others |= {name: self._said[i, learn] for i, name in enumerate(names)}
        return {
            name: compare(
                losses(proba, labels), own, block, np.random.default_rng(self._study.seed)
            )
            for name, proba in others.items()
        }


def _reference(study: Study, names: tuple[str, ...]) -> dict[str, object]:
    """Describe the columns that are taken, in plain types."""
    config, own = study.config.column_drift, study.dataset.names
    assert config is not None
    rows = study.rows.take([own.index(name) for name in names], axis=1)
    try:
        reference = Reference.of(rows, names, config.window)
    except ValueError as error:
        raise DataError(
            f"{study.dataset.symbol}: drift of columns can't be told ({error}); "
            "give more history, or leave ensemble.column_drift out"
        ) from error
    plain: dict[str, object] = msgspec.json.decode(msgspec.json.encode(reference))
    return plain


def _file(said: Said, rounded: RoundedCard | None) -> bytes:
    """Return a member's file, in int8 where it bears that."""
    if rounded is None or not rounded.taken:
        return said.model
    from models.quantise import quantise

    return quantise(said.model)


def _triple(values: Floats) -> tuple[float, float, float]:
    first, second, third = values.tolist()
    return first, second, third
