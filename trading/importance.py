"""What an ensemble's columns are worth on data they were not chosen by: table and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from features.dataset import Dataset
from features.selection import Selection
from features.selection.importance import Importance, importance
from features.selection.plots import plot_clusters, plot_importance, plot_stability, save
from features.selection.stability import FoldSelections, agreement
from models.config import EnsembleConfig
from models.fitting.choosing import Chooser, weigh
from models.fitting.folds import Fold, Usable, folds_of, usable_of
from models.member import Floats, Ints

__all__ = ["Study", "draw", "study", "table"]

ROUNDS = 30
"""Trees a class. Early stopping leaves an ensemble about so many where there is little to learn;
with three times as many, held-out skill on a planted edge is gone, and permutation with it."""


@dataclass(frozen=True)
class Study:
    """What was found of one symbol's columns.

    Parameters
    ----------
    symbol
        Whose.
    found
        Their importance to boosted trees, on the folds these were not fitted to.
    chosen
        From everything, as the ensemble's members are given; ``None`` where there is nothing to
        choose.
    folds
        What the ensemble chooses in each fold, and how stable that is; likewise.
    """

    symbol: str
    found: Importance
    chosen: Selection | None
    folds: FoldSelections | None


def study(dataset: Dataset, config: EnsembleConfig, seed: int) -> Study:
    """Choose columns and measure their importance, in the folds that the ensemble is fitted in.

    Importance is of *all* columns, chosen or not: a fold's test rows have no say in which these
    are. It takes some 30 s of CPU for 130 columns in four folds.

    Parameters
    ----------
    dataset
        Of the training span alone.
    config
        Of the ensemble.
    seed
        Of everything drawn.

    Raises
    ------
    DataError
        Too few labelled decisions.
    """
    window = max(member.window for member in config.members)
    usable = usable_of(dataset, config, window)
    folds = list(folds_of(dataset, config, usable, window))
    weights = weigh(dataset, usable.learn, config.weights)
    chooser, rng = Chooser.of(config.selection, dataset), np.random.default_rng(seed)
    X, labels, names = dataset.X.astype(np.float64), usable.labels, dataset.names
    chosen = chooser.choose(dataset.X, labels, weights, usable.learn, rng)
    told = _in_folds(dataset, config, chooser, folds, usable, seed)
    groups = None if chosen is None else chosen.clusters
    tests = [(fold.learn, fold.spoken) for fold in folds]
    found = importance(
        X, labels, names, tests, rng=rng, clusters=groups, weights=weights, rounds=ROUNDS
    )
    return Study(dataset.symbol, found, chosen, told)


def _in_folds(
    dataset: Dataset,
    config: EnsembleConfig,
    chooser: Chooser,
    folds: Sequence[Fold],
    usable: Usable,
    seed: int,
) -> FoldSelections | None:
    """Choose in each fold what the ensemble chooses there, and again with labels of other rows."""
    if chooser.config is None:
        return None

    def chosen(labels: Ints, weights: Sequence[Floats]) -> list[Selection]:
        found = []
        for number, (fold, its) in enumerate(zip(folds, weights, strict=True)):
            rng = np.random.default_rng(seed + number)
            one = chooser.choose(dataset.X, labels, its, fold.early, rng)
            found += [] if one is None else [one]
        return found

    own = [weigh(dataset, fold.learn, config.weights) for fold in folds]
    by = len(dataset) // 2
    moved = np.roll(weigh(dataset, usable.learn, config.weights), by)
    lots = agreement(chosen(np.roll(usable.labels, by), [moved] * len(folds)), dataset.names)
    return agreement(chosen(usable.labels, own), dataset.names, lots.stability)


def table(one: Study, top: int = 20) -> Table:
    """Return one row a column, those of the largest permutation importance.

    Permutation is the rise of the held-out log loss when the column, or the cluster of columns that
    say much the same, is shuffled: without skill it says nothing.
    """
    found, folds = one.found, one.folds
    skill = found.skill
    title = f"{one.symbol}: held-out skill {skill.mean():+.2%} ({_told(100.0 * skill)} by fold)"
    if folds is not None:
        title += f"\n{folds.stability}"
        if folds.shifted is not None:
            title += f"; with labels of other rows {folds.shifted.index:.2f}"
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0)
    shown.add_column("column", no_wrap=True)
    for name in ("gain %", "permuted, mnat", "cluster, mnat", "SHAP", "chosen"):
        shown.add_column(name, justify="right", no_wrap=True)
    for j in found.order("permutation")[:top]:
        shown.add_row(
            found.names[j],
            f"{100.0 * found.gain[j]:.1f}",
            _with_error(found.permutation[j], found.permutation_se[j]),
            _with_error(found.clustered[j], found.clustered_se[j]),
            f"{found.shap[j].sum():.3f}",
            "" if folds is None else _share(folds, j),
        )
    return shown


def draw(one: Study, folder: Path) -> list[Path]:
    """Write the figures as PNG; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"importance": plot_importance(one.found)}
    if one.folds is not None:
        figures["stability"] = plot_stability(one.folds)
    if one.chosen is not None:
        kept = [n for n, c in zip(one.found.names, one.chosen.clusters, strict=True) if c >= 0]
        figures["clusters"] = plot_clusters(one.chosen.grouping, kept)
    paths = []
    for name, figure in figures.items():
        paths.append(folder / f"{one.symbol}-{name}.png")
        save(figure, paths[-1])
    return paths


def _with_error(mean: float, error: float) -> str:
    return f"{1e3 * mean:+.2f} ±{1e3 * error:.2f}"


def _share(folds: FoldSelections, column: int) -> str:
    count = len(folds.selections)
    return f"{round(folds.often[column] * count)} of {count}"


def _told(values: np.ndarray) -> str:
    return ", ".join(f"{value:+.2f}" for value in values)
