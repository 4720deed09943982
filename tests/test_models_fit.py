"""The fit: nothing speaks about what it learned from, noise stays noise, signal is found."""

from dataclasses import replace

import numpy as np
import pytest

from features.config import FeatureConfig
from features.dataset import build
from features.labels import LabelConfig
from market.errors import DataError
from market.tape import Tape
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.members.config import LgbmConfig
from models.members.lgbm import Lgbm
from models.windows import full
from tests.model_data import QUICK, dataset, silent
from validation.splits import purged_kfold

MEMORY = LgbmConfig(trees=80, patience=80, leaves=60, min_leaf=1, l2=0.0, learning_rate=0.3)
"""Trees that learn anything by heart."""


def test_signal_is_found_and_noise_is_not():
    found = fit_ensemble(dataset(2500, ic=0.5), QUICK, 1, silent)
    nothing = fit_ensemble(dataset(2500, ic=0.0), QUICK, 1, silent)
    assert found.metrics["skill"] > 0.03
    assert found.metrics["accuracy"] > found.metrics["base_accuracy"] + 0.05
    assert abs(nothing.metrics["skill"]) < 0.002
    np.testing.assert_allclose(np.nanmean(nothing.oof, axis=0), nothing.card.frequencies, atol=0.02)


def test_what_is_said_of_a_fold_does_not_know_its_outcomes():
    data = dataset(900, ic=0.3, horizon=5, gaps=(300,))
    settings = QUICK.model_copy(update={"folds": 3})
    whole = fit_ensemble(data, settings, 1, silent)
    for _, test in purged_kfold(data.label_end, data.rows, 3, settings.embargo):
        label = data.label.copy()
        label[test] = np.where(label[test] >= 0, 2 - label[test], -1)
        other = fit_ensemble(replace(data, label=label), settings, 1, silent)
        np.testing.assert_array_equal(other.oof_members[:, test], whole.oof_members[:, test])
        outside = np.setdiff1d(np.arange(len(data)), test)
        assert (other.oof_members[:, outside] != whole.oof_members[:, outside]).any()


def test_what_is_learned_by_heart_is_not_out_of_fold_skill():
    # Slow columns and overlapping labels without any relation: a row's neighbours know its
    # outcome, so whatever leaks across a fold's edge shows as skill.
    right, chance = [], []
    for seed in range(6):
        data = dataset(1500, ic=0.0, horizon=50, seed=seed, rho=0.995)
        config = EnsembleConfig(members=(MEMORY,), folds=5, embargo=50)
        fitted = fit_ensemble(data, config, 1, silent)
        known = data.label >= 0
        right.append((fitted.oof_members[0].argmax(axis=1) == data.label)[known].mean())
        chance.append(fitted.metrics["base_accuracy"])
    rows, labels = data.X.astype(np.float32), data.label.astype(np.int64)
    train = np.flatnonzero(known)
    even, odd = train[::2], train[1::2]
    heart = Lgbm(MEMORY).fit(rows, labels, even, even, 1, effort=80).predict_proba(rows, odd)
    assert (heart.argmax(axis=1) == labels[odd]).mean() > 0.65  # neighbours do know
    assert np.mean(right) < 0.42  # of three classes; shuffled folds give what stands above


def test_out_of_fold_covers_full_windows_only():
    data = dataset(1000, horizon=3, gaps=(400, 402))
    fitted = fit_ensemble(data, QUICK, 1, silent)
    spoken = np.zeros(len(data), np.bool_)
    spoken[full(data.fresh, 4)] = True
    assert (np.isfinite(fitted.oof).all(axis=1) == spoken).all()
    assert (np.isfinite(fitted.oof_disagreement) == spoken).all()
    np.testing.assert_allclose(fitted.oof[spoken].sum(axis=1), 1.0)
    assert spoken[data.label < 0].any()  # spoken about without being learned from


def test_seeded_twins_are_the_same_ensemble():
    data = dataset(900, ic=0.2)
    one, twin = fit_ensemble(data, QUICK, 5, silent), fit_ensemble(data, QUICK, 5, silent)
    other = fit_ensemble(data, QUICK, 6, silent)
    assert one.card == twin.card
    assert one.models == twin.models
    np.testing.assert_array_equal(one.oof, twin.oof)
    assert other.version != one.version


def test_card_tells_what_it_is():
    data = dataset(900, ic=0.2)
    card = fit_ensemble(data, QUICK, 5, silent).card
    assert (card.symbol, card.schema, card.names) == (data.symbol, data.schema, data.names)
    assert (card.window, [one.window for one in card.members]) == (4, [1, 4])
    assert (card.start, card.end, card.decisions) == (data.times[0], data.times[-1], 900)
    assert sum(card.frequencies) == pytest.approx(1.0)
    assert EnsembleConfig.model_validate(card.settings) == QUICK


@pytest.mark.parametrize("kept", [0, 1])
def test_one_member_is_an_ensemble(kept):
    fitted = fit_ensemble(
        dataset(900, ic=0.4),
        QUICK.model_copy(update={"members": QUICK.members[kept : kept + 1]}),
        1,
        silent,
    )
    assert len(fitted.models) == 1
    assert (fitted.oof_disagreement[np.isfinite(fitted.oof_disagreement)] == 0.0).all()


def test_progress_goes_from_nothing_to_all():
    steps = []
    fit_ensemble(dataset(900), QUICK, 1, lambda what, share: steps.append((what, share)))
    shares = [share for _, share in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [one for one, _ in steps[:2]] == ["columns, fold 1 of 3", "columns, fold 2 of 3"]


def test_works_on_real_features():
    # Returns that turn back: the next move leans against the last one.
    rng = np.random.default_rng(3)
    moves = rng.normal(size=2500)
    for i in range(1, len(moves)):
        moves[i] -= 0.5 * moves[i - 1]
    prices = 100.0 * np.exp(1e-4 * np.cumsum(moves))
    times = 1_700_000_000_000_000_000 + 2_000_000_000 * np.arange(len(moves))
    tape = Tape.of_ticks("R_75", times, prices)
    data = build(tape, FeatureConfig(), LabelConfig(horizon=1), 1)
    fitted = fit_ensemble(data, QUICK, 1, silent)
    assert fitted.metrics["skill"] > 0.03


def test_too_few_decisions_are_refused():
    with pytest.raises(DataError, match=r"R_75: 195 labelled .* needs at least 300: collect more"):
        fit_ensemble(dataset(200, horizon=2), QUICK, 1, silent)


@pytest.mark.parametrize(("horizon", "left"), [(200, 0), (330, 0)])
def test_labels_that_reach_across_the_folds_are_refused(horizon, left):
    told = rf"R_75: {left} .* one of 3 folds, as labels reach {horizon} .* shorten labels.horizon"
    with pytest.raises(DataError, match=told):
        fit_ensemble(dataset(700, horizon=horizon), QUICK, 1, silent)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_values_that_are_not_finite_are_refused(value):
    data = dataset(900)
    data.X[17, 2] = value
    with pytest.raises(DataError, match=r"slow_2 must be finite, was .* in decision 17"):
        fit_ensemble(data, QUICK, 1, silent)
