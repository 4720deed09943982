"""Columns are chosen, and labels weighed, from what a fold learns from and from nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from features.labels import WeightConfig
from features.labels import weigh as weigh_tape
from features.selection import SelectionConfig
from market.tape import Tape
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.fitting.choosing import weigh
from models.fitting.study import WHOLE, Study, Task
from models.members.config import LgbmConfig
from models.runtime import EnsembleRuntime
from models.windows import full
from tests.model_data import QUICK, dataset, silent, slow
from validation.splits import purged_kfold

FEW = QUICK.model_copy(update={"selection": SelectionConfig(columns=3)})
TREES = LgbmConfig(trees=60, patience=10, min_leaf=20)


def wide(m, ic, noise=40, seed=1, **more):
    """Return a dataset with columns of noise around those of ``model_data``."""
    data = dataset(m, ic, seed=seed, **more)
    extra = slow(m, noise, 0.9, np.random.default_rng([seed, 7]))
    half = noise // 2
    names = [f"noise_{i}" for i in range(noise)]
    return replace(
        data,
        X=np.hstack([extra[:, :half], data.X, extra[:, half:]]),
        names=(*names[:half], *data.names, *names[half:]),
    )


@pytest.fixture(scope="module")
def data():
    return wide(1800, ic=0.5, gaps=(500,))


@pytest.fixture(scope="module")
def fitted(data):
    return fit_ensemble(data, FEW, 1, silent)


def test_the_column_that_tells_is_chosen_everywhere(data, fitted):
    card = fitted.card
    assert card.selection.ranked[0] == "signal"
    assert all(names[0] == "signal" for names in card.selection.folds)
    assert len(card.selection.folds) == 3
    assert sorted(card.selection.ranked) == sorted(card.columns)
    assert [data.names.index(name) for name in card.columns] == fitted.columns.tolist()
    assert (np.diff(fitted.columns) > 0).all()
    one = card.selection
    assert -1.0 < one.low <= one.stability <= one.high <= 1.0
    assert card.told == (
        f"3 of 44 columns, stability {one.stability:.2f} [{one.low:.2f}, {one.high:.2f}]"
    )


def test_few_columns_are_all_taken_and_so_are_many_if_asked_to(data):
    few = fit_ensemble(dataset(900), QUICK, 1, silent).card
    assert (few.columns, few.selection, few.told) == (few.names, None, "all 4 columns")
    every = QUICK.model_copy(update={"selection": None, "members": QUICK.members[:1]})
    assert fit_ensemble(data, every, 1, silent).card.told == "all 44 columns"


def test_the_runtime_looks_at_the_chosen_columns_alone(data, fitted, tmp_path):
    study = Study(data, FEW, 1)
    runtime = EnsembleRuntime.load(fitted.save(tmp_path), data.schema)
    proba, _ = runtime.predict_rows(data.X, data.fresh)
    ends = full(data.fresh, runtime.window)
    others = data.X.astype(np.float32)
    others[:, np.setdiff1d(np.arange(44), fitted.columns)] = np.nan
    same, _ = runtime.predict_rows(others, data.fresh)
    np.testing.assert_array_equal(same, proba)
    for end in ends[::200]:
        said = runtime.predict(others[end - runtime.window + 1 : end + 1])
        np.testing.assert_allclose(said.probabilities, proba[end], atol=1e-6)
    rows = data.X.astype(np.float32)[:, fitted.columns]
    task = Task(WHOLE, 0, study.perform(Task(WHOLE)), fitted.card.members[0].effort)
    native = study.fit(task).predict_proba(rows, ends)
    assert np.corrcoef(native[:, 2], proba[ends, 2])[0, 1] > 0.5


def test_a_fold_chooses_without_its_outcomes():
    data = wide(1500, ic=0.1)
    whole = fit_ensemble(data, FEW, 1, silent)
    changed = []
    for fold, (_, test) in enumerate(purged_kfold(data.label_end, data.rows, 3, FEW.embargo)):
        label, X = data.label.copy(), data.X.copy()
        label[test] = np.random.default_rng(fold).integers(0, 3, len(test))
        X[test] = X[test] ** 3
        other = fit_ensemble(replace(data, label=label, X=X), FEW, 1, silent)
        assert other.card.selection.folds[fold] == whole.card.selection.folds[fold]
        changed.append(other.card.selection.folds != whole.card.selection.folds)
    assert any(changed)  # but others do look at it


def test_noise_chosen_from_many_columns_is_no_skill():
    # Chosen on all rows, the best 3 of 300 would show skill on labels that nothing tells of.
    right, chance = [], []
    config = EnsembleConfig(
        members=(TREES,), folds=4, embargo=8, selection=SelectionConfig(columns=3)
    )
    for seed in range(4):
        data = wide(900, ic=0.0, noise=300, seed=seed)
        fitted = fit_ensemble(data, config, 1, silent)
        known = data.label >= 0
        right.append((fitted.oof_members[0].argmax(axis=1) == data.label)[known].mean())
        chance.append(fitted.metrics["base_accuracy"])
        assert abs(fitted.metrics["skill"]) < 0.01
    assert np.mean(right) < np.mean(chance) + 0.02


def test_weights_are_the_uniqueness_within_the_training_rows():
    data = dataset(600, horizon=7, gaps=(200,))
    train = np.concatenate([np.arange(20, 150), np.arange(320, 500)])
    train = train[data.label[train] >= 0]
    tape = Tape.of_ticks("R_75", data.times, data.price)
    weights = weigh(data, train, "uniqueness")
    expected = weigh_tape(WeightConfig(), tape, data.rows[train], data.label_end[train])
    np.testing.assert_allclose(weights[train], expected, rtol=1e-12)
    assert weights[train].max() > 1.5 * weights[train].min()  # at the edges of what is trained on
    assert not np.delete(weights, train).any()
    equal = weigh(data, train, "equal")
    assert (equal[train] == 1.0).all()
    assert equal.sum() == len(train)
