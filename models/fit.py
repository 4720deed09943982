"""Fitting the ensemble: members out of fold, the pool on that, then members on everything."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

import numpy as np

from features.dataset import Dataset
from market.errors import DataError
from models.card import CARD, Card, MemberCard
from models.config import EnsembleConfig
from models.gru import Gru
from models.lgbm import Lgbm
from models.member import Fitted, Floats, Ints, Member, Rows, frequencies
from models.pool import Pool, disagreement
from models.scores import scores
from models.stack import fit_pool
from models.windows import full
from validation.splits import purged_kfold

__all__ = ["FittedEnsemble", "fit_ensemble"]

FEWEST = 100
"""Labelled decisions that a fold's training needs at least."""


@dataclass(frozen=True)
class FittedEnsemble:
    """Members fitted on the whole dataset, and what their likes said out of fold.

    Parameters
    ----------
    card
        Everything about it but the models; its metrics are out of fold.
    models
        The members' ONNX content, in the card's order.
    fitted
        The members themselves, as their libraries made them.
    oof
        ``float64[m, 3]``: pooled probabilities by members, and a pool, that were fitted on other
        folds; ``nan`` where a window isn't full.
    oof_disagreement
        ``float64[m]``; likewise.
    oof_members
        ``float64[M, m, 3]``; likewise.
    """

    card: Card
    models: tuple[bytes, ...]
    fitted: tuple[Fitted, ...]
    oof: Floats
    oof_disagreement: Floats
    oof_members: Floats

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
) -> FittedEnsemble:
    """Fit the ensemble on a dataset; the same dataset, config and seed give the same files.

    For each purged fold the members are fitted on the others, stopped early by the latest of
    those, and speak about the fold. The pool is fitted on these out-of-fold probabilities only;
    for the ensemble's own out-of-fold probabilities it is fitted anew without the fold. The
    members that are kept are fitted on everything, for as long as was best in the median fold.

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

    Raises
    ------
    DataError
        Too few labelled decisions, or a feature that isn't finite.
    """
    members = _members(config)
    window = max(member.window for member in members)
    rows = _rows(dataset)
    usable = _usable(dataset, config, window)
    work = _Work(progress, len(members) * (config.folds + 1))
    said, base, folds, efforts = _out_of_fold(dataset, config, members, rows, usable, seed, work)
    kept = tuple(
        work.done(
            f"{member.name}, whole training span",
            member.fit(rows, usable.labels, usable.learn, usable.learn[:0], seed, effort),
        )
        for member, effort in zip(members, efforts, strict=True)
    )
    overlap = max(1.0, dataset.horizon / dataset.every)

    def pool(known: Ints) -> Pool:
        labels = usable.labels[known]
        return fit_pool(said[:, known], labels, config.shrink, config.spread, overlap)

    oof, apart = np.full((len(rows), 3), np.nan), np.full(len(rows), np.nan)
    for train, test in folds:
        oof[test] = pool(train)(said[:, test])
    apart[usable.ends] = disagreement(said[:, usable.ends])
    labels = usable.labels[usable.learn]
    metrics = scores(
        labels,
        oof[usable.learn],
        base[usable.learn],
        {member.name: said[i, usable.learn] for i, member in enumerate(members)},
    )
    models = tuple(one.onnx() for one in kept)
    final = pool(usable.learn)
    cards = tuple(
        MemberCard(
            name=member.name,
            file=f"{member.name}.onnx",
            sha256=hashlib.sha256(model).hexdigest(),
            window=member.window,
            weight=weight,
        )
        for member, model, weight in zip(members, models, final.weights, strict=True)
    )
    card = Card(
        symbol=dataset.symbol,
        schema=dataset.schema,
        names=dataset.names,
        window=window,
        members=cards,
        bias=final.bias,
        frequencies=_triple(frequencies(labels)),
        every=dataset.every,
        horizon=dataset.horizon,
        start=int(dataset.times[0]),
        end=int(dataset.times[-1]),
        decisions=len(dataset),
        seed=seed,
        metrics=metrics,
        settings=config.model_dump(mode="json"),
    )
    return FittedEnsemble(card.sealed(), models, kept, oof, apart, said)


@dataclass(frozen=True)
class _Usable:
    """Which decisions can be learned from: ``learn`` are the labelled ones of ``ends``."""

    labels: Ints
    ends: Ints
    learn: Ints


@dataclass
class _Work:
    """Counts pieces of work, and tells of each."""

    progress: Callable[[str, float], None]
    pieces: int
    count: int = 0

    def done(self, what: str, result: Fitted) -> Fitted:
        self.count += 1
        self.progress(what, self.count / self.pieces)
        return result


def _out_of_fold(
    dataset: Dataset,
    config: EnsembleConfig,
    members: tuple[Member, ...],
    rows: Rows,
    usable: _Usable,
    seed: int,
    work: _Work,
) -> tuple[Floats, Floats, list[tuple[Ints, Ints]], list[int]]:
    """Let members fitted on the other folds speak about each.

    Returns
    -------
    said
        ``float64[M, m, 3]``.
    base
        ``float64[m, 3]``: class frequencies of the same training.
    folds
        What was learned from, and what was spoken about.
    efforts
        Of each member, that of the median fold.
    """
    learn, spoken = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
    learn[usable.learn], spoken[usable.ends] = True, True
    widest = max(member.window for member in members)
    embargo = max(config.embargo, widest * dataset.every)
    said = np.full((len(members), len(rows), 3), np.nan)
    base = np.full((len(rows), 3), np.nan)
    folds: list[tuple[Ints, Ints]] = []
    efforts: list[list[int]] = [[] for _ in members]
    for train, test in purged_kfold(dataset.label_end, dataset.rows, config.folds, embargo):
        train, test = train[learn[train]], test[spoken[test]]
        base[test] = frequencies(usable.labels[train])
        early, late = _stop(dataset, train, config.stop_share)
        for i, member in enumerate(members):
            fitted = work.done(
                f"{member.name}, fold {len(folds) + 1} of {config.folds}",
                member.fit(rows, usable.labels, early, late, seed + len(folds)),
            )
            said[i, test] = fitted.predict_proba(rows, test)
            efforts[i].append(fitted.effort)
        folds.append((train, test))
    return said, base, folds, [median_low(found) for found in efforts]


def _usable(dataset: Dataset, config: EnsembleConfig, window: int) -> _Usable:
    labels = dataset.label.astype(np.int64)
    ends = full(dataset.fresh, window)
    learn = ends[labels[ends] >= 0]
    needed = FEWEST * config.folds
    if len(learn) < needed:
        raise DataError(
            f"{dataset.symbol}: {len(learn)} labelled decisions with a full window of {window} "
            f"are too few for {config.folds} folds; needs at least {needed}: "
            "collect more history or cut folds"
        )
    return _Usable(labels, ends, learn)


def _members(config: EnsembleConfig) -> tuple[Member, ...]:
    members: list[Member] = []
    if config.lgbm is not None:
        members.append(Lgbm(config.lgbm))
    if config.gru is not None:
        members.append(Gru(config.gru))
    return tuple(members)


def _rows(dataset: Dataset) -> Rows:
    """Return the columns as the runtime will see them."""
    with np.errstate(over="ignore"):
        rows = dataset.X.astype(np.float32, copy=False)
    good = np.isfinite(rows)
    if not good.all():
        row, column = np.argwhere(~good)[0]
        raise DataError(
            f"{dataset.symbol}: {dataset.names[column]} must be finite, "
            f"was {dataset.X[row, column]} in decision {row}; build the dataset from warm features"
        )
    return rows


def _stop(dataset: Dataset, train: Ints, share: float) -> tuple[Ints, Ints]:
    """Part training rows into those to learn from and, later and purged, those to stop by."""
    cut = len(train) - max(1, round(share * len(train)))
    late = train[cut:]
    early = train[:cut]
    return early[dataset.label_end[early] < dataset.rows[late[0]]], late


def _triple(values: Floats) -> tuple[float, float, float]:
    first, second, third = values.tolist()
    return first, second, third
