"""Importance: planted columns matter by each measure, noise by none; and the figures of it."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from sklearn.metrics import log_loss

from features.selection import SelectionConfig, select, trees
from features.selection.importance import importance
from features.selection.plots import plot_clusters, plot_importance, plot_stability, save
from features.selection.stability import select_in_folds
from market.errors import DataError
from tests.planted import planted, thirds


@pytest.fixture(scope="module")
def data():
    """Columns, labels, names."""
    return planted(1800, 6, np.random.default_rng(0))


@pytest.fixture(scope="module")
def found(data):
    """Importance with every told column shuffled along with its twin."""
    X, y, names = data
    clusters = np.array([0, 1, 2, 0, 1, 2, -1, -1, 5, 9, -1, 4])
    return importance(
        X, y, names, thirds(1800), rng=np.random.default_rng(1), clusters=clusters, rounds=40
    )


def test_all_three_measures_put_the_planted_first(found) -> None:
    for by in ("gain", "clustered", "shap"):
        assert set(found.order(by)[:6].tolist()) == set(range(6)), by
    assert found.order("permutation")[0] in range(6)
    assert found.gain.sum() == pytest.approx(1.0)
    assert found.shap.shape == (12, 3)
    assert (found.skill > 0.1).all()


def test_noise_matters_nowhere_on_held_out_rows(found) -> None:
    told = found.clustered[:6].min()
    assert (np.abs(found.permutation[6:]) < 0.1 * told).all()
    assert found.permutation_se[6:].max() < 0.05 * told
    assert found.gain[6:].min() > 0.0  # though splits were made on all of it


def test_twins_stand_in_for_each_other_until_they_are_shuffled_together(found) -> None:
    # A ratio of 1.5 is far from the 1 of columns that don't stand in for each other.
    pairs = found.permutation[:3] + found.permutation[3:6]
    assert (found.clustered[:3] > 1.2 * pairs).sum() >= 2
    np.testing.assert_array_equal(found.clustered[:3], found.clustered[3:6])
    np.testing.assert_array_equal(found.clustered[6:], found.permutation[6:])
    np.testing.assert_array_equal(found.clustered_se[6:], found.permutation_se[6:])
    assert len(set(found.clusters.tolist())) == 9


def test_permutation_is_the_rise_of_the_log_loss(data) -> None:
    X, y, _ = data
    booster = trees.fit(X[:900], y[:900], 3, np.ones(900), 20, np.random.default_rng(2))
    held, labels = X[900:], y[900:]
    weights = np.random.default_rng(3).random(900)
    groups = [np.array([0]), np.array([1, 4])]
    rises = trees.permuted(booster, held, labels, weights, groups, 2, np.random.default_rng(4))

    def loss(rows):
        return log_loss(labels, booster.predict(rows, num_threads=1), sample_weight=weights)

    rng = np.random.default_rng(4)
    for repeat in range(2):
        order = rng.permutation(900)
        for i, group in enumerate(groups):
            shuffled = held.copy()
            for j in group:
                shuffled[:, j] = held[order, j]
            assert rises[i, repeat] == pytest.approx(loss(shuffled) - loss(held), rel=1e-9)


def test_one_fold_equals_its_parts(data) -> None:
    X, y, names = data
    fold = np.arange(1200), np.arange(1200, 1800)
    one = importance(
        X, y, names, [fold], rng=np.random.default_rng(5), rounds=20, repeats=4, explained=600
    )
    rng = np.random.default_rng(5)
    booster = trees.fit(X[:1200], y[:1200], 3, np.ones(1200), 20, rng)
    groups = [np.array([j]) for j in range(12)]
    rises = trees.permuted(booster, X[1200:], y[1200:], np.ones(600), groups, 4, rng)
    np.testing.assert_allclose(one.permutation, rises.mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(one.permutation_se, rises.std(axis=1, ddof=1) / 2.0, rtol=1e-9)
    raw = booster.predict(X[1200:], raw_score=True)
    parts = booster.predict(X[1200:], pred_contrib=True)
    total = 0.0
    for k in range(3):  # local accuracy: the parts add up to the prediction
        of = parts[:, 13 * k : 13 * (k + 1)]
        np.testing.assert_allclose(of.sum(axis=1), raw[:, k], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(one.shap[:, k], np.abs(of[:, :12]).mean(axis=0), rtol=1e-9)
        total += one.shap[:, k].sum()
    assert total > 0.1
    proba = booster.predict(X[1200:])
    assert one.loss[0] == pytest.approx(log_loss(y[1200:], proba), rel=1e-9)
    prior = np.tile(np.bincount(y[:1200]) / 1200, (600, 1))
    assert one.baseline[0] == pytest.approx(log_loss(y[1200:], prior), rel=1e-9)


def test_noise_has_no_skill() -> None:
    rng = np.random.default_rng(6)
    X, y = rng.normal(size=(1200, 8)), rng.integers(0, 2, 1200)
    lost = importance(
        X, y, [f"n{i}" for i in range(8)], thirds(1200), rng=rng, rounds=30, explained=50
    )
    assert (lost.skill < 0.01).all()
    assert lost.classes == (0, 1)


def test_unknown_labels_and_columns_never_looked_at(data) -> None:
    X, y, names = data
    known = np.random.default_rng(7).random(1800) < 0.5
    constant = np.hstack([X, np.ones((1800, 1))])
    labels = np.where(known, y, -1)
    folds = thirds(1800)
    one = importance(
        constant, labels, [*names, "one"], folds, rng=np.random.default_rng(8), rounds=10
    )
    assert one.gain[-1] == one.permutation[-1] == one.permutation_se[-1] == 0.0
    assert (one.shap[-1] == 0.0).all()
    spoilt = constant.copy()
    spoilt[~known] = 1e6
    again = importance(
        spoilt, labels, [*names, "one"], folds, rng=np.random.default_rng(8), rounds=10
    )
    np.testing.assert_array_equal(again.permutation, one.permutation)
    np.testing.assert_array_equal(again.shap, one.shap)


def test_wrong_input_is_told(data) -> None:
    X, y, names = data
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match="X must be"):
        importance(X, y, names[1:], thirds(1800), rng=rng)
    with pytest.raises(ValueError, match="one fold or more, was given none"):
        importance(X, y, names, [], rng=rng)
    with pytest.raises(ValueError, match="were 1, 0, 1 and 1"):
        importance(X, y, names, [], rng=rng, rounds=1, repeats=0, shuffled=1, explained=1)
    with pytest.raises(DataError, match="held \\[1\\]"):
        importance(X, np.ones(1800, int), names, thirds(1800), rng=rng)
    with pytest.raises(DataError, match="every fold must hold known labels"):
        importance(X, y, names, [(np.arange(9), np.arange(0))], rng=rng)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_figures_are_the_same_bytes_each_time(data, found, kind, tmp_path) -> None:
    X, y, names = data
    config = SelectionConfig(columns=4)
    folds = select_in_folds(X, y, names, thirds(1800), config, rng=np.random.default_rng(10))
    before = dict(matplotlib.rcParams)
    drawings = {
        "importance": lambda: plot_importance(found, top=3),
        "stability": lambda: plot_stability(folds, top=3),
        "clusters": lambda: plot_clusters(folds.selections[0].grouping, names),
    }
    for name, draw in drawings.items():
        one, other = tmp_path / f"{name}.{kind}", tmp_path / f"{name}_again.{kind}"
        save(draw(), one)
        save(draw(), other)
        assert one.read_bytes() == other.read_bytes()
        assert len(one.read_bytes()) > 5000
    assert dict(matplotlib.rcParams) == before


def test_figures_show_their_words(data, found) -> None:
    X, y, names = data
    figure = plot_importance(found, top=5)
    shown = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert shown == [found.names[j] for j in found.order("permutation")[:5][::-1]]
    bars = [bar.get_width() for bar in figure.axes[0].patches]
    np.testing.assert_allclose(bars, 100.0 * found.gain[found.order("permutation")[:5][::-1]])
    with pytest.raises(ValueError, match=r"\.png or \.svg, was 'a\.pdf'"):
        save(figure, Path("a.pdf"))
    one = select(X[:, :1], y, names[:1], SelectionConfig(), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="two columns or more, had 1"):
        plot_clusters(one.grouping, names[:1])
