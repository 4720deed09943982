"""Fitting the ensemble: members out of fold, the pool on that, then members on everything."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.dataset import Dataset
from market.errors import DataError
from models.augmenting import Lesson, Recorded, lesson
from models.card import CARD, Card, MemberCard
from models.choosing import Chooser, weigh
from models.config import EnsembleConfig
from models.member import Fitted, Floats, Ints, Rows, frequencies
from models.members.catalogue import make
from models.outoffold import Work, out_of_fold, usable_of
from models.pool import Pool, disagreement
from models.scores import scores
from models.stack import fit_pool

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
    fitted
        The members themselves, as their libraries made them.
    oof
        ``float64[m, 3]``: pooled probabilities by members, and a pool, that were fitted on other
        folds; ``nan`` where a window isn't full.
    oof_disagreement
        ``float64[m]``; likewise.
    oof_members
        ``float64[M, m, 3]``; likewise.
    columns
        Places in the dataset of the columns that ``fitted`` takes.
    """

    card: Card
    models: tuple[bytes, ...]
    fitted: tuple[Fitted, ...]
    oof: Floats
    oof_disagreement: Floats
    oof_members: Floats
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
) -> FittedEnsemble:
    """Fit the ensemble on a dataset; the same dataset, config and seed give the same files.

    For each purged fold columns are chosen from the others, and members fitted on these; they are
    stopped early by the latest rows, which nothing was chosen from, and speak about the fold. The
    pool is fitted on these out-of-fold probabilities only; for the ensemble's own out-of-fold
    probabilities it is fitted anew without the fold. The members that are kept are fitted on
    everything, with columns chosen from everything, for as long as was best in the median fold.

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
        What the dataset was made of; needed for ``config.augment``.

    Raises
    ------
    DataError
        Too few labelled decisions, or a feature that isn't finite.
    """
    members = make(config.members)
    window = max(member.window for member in members)
    rows = _rows(dataset)
    usable = usable_of(dataset, config, window)
    work = Work(progress, (len(members) + 1) * (config.folds + 1))
    chooser = Chooser.of(config.selection, dataset)
    found = out_of_fold(dataset, config, members, rows, usable, chooser, recorded, seed, work)
    said = found.said
    weights = weigh(dataset, usable.learn, config.weights)
    rng, of = np.random.default_rng(seed), "whole training span"
    chosen = work.done(
        f"columns, {of}", chooser.choose(rows, usable.labels, weights, usable.learn, rng)
    )
    columns = chooser.places(chosen)
    own = Lesson(chooser.narrow(rows, chosen), usable.labels, weights, usable.learn)
    whole = lesson(dataset, own, columns, config, recorded, window, rng)
    kept = tuple(
        work.done(
            f"{member.name}, {of}",
            member.fit(
                whole.rows, whole.labels, whole.learn, whole.learn[:0], seed, effort, whole.weights
            ),
        )
        for member, effort in zip(members, found.efforts, strict=True)
    )
    overlap = max(1.0, dataset.horizon / dataset.every)

    def pool(known: Ints) -> Pool:
        labels = usable.labels[known]
        return fit_pool(said[:, known], labels, config.shrink, config.spread, overlap)

    oof, apart = np.full((len(rows), 3), np.nan), np.full(len(rows), np.nan)
    for fold in found.folds:
        oof[fold.spoken] = pool(fold.learn)(said[:, fold.spoken])
    apart[usable.ends] = disagreement(said[:, usable.ends])
    labels = usable.labels[usable.learn]
    metrics = scores(
        labels,
        oof[usable.learn],
        found.base[usable.learn],
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
        columns=tuple(dataset.names[place] for place in columns),
        selection=chooser.card(chosen, found.chosen),
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
    return FittedEnsemble(card.sealed(), models, kept, oof, apart, said, columns)


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


def _triple(values: Floats) -> tuple[float, float, float]:
    first, second, third = values.tolist()
    return first, second, third
