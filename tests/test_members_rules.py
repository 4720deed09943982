"""What single members promise beyond the port: optima, votes, leaves, what is held out."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from features.catalogue import find
from models.members.catalogue import make
from models.members.config import (
    ForestConfig,
    LogisticConfig,
    SvmConfig,
    TechnicalConfig,
    XgboostConfig,
)
from models.members.hinge import fit_hinge

EVERY = np.arange(1500)


def noisy(seed=1, d=4):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(1500, d)).astype(np.float32)
    labels = np.clip(np.round(rows[:, 0] + rng.normal(size=1500)), -1, 1).astype(np.int64) + 1
    return rng, rows, labels


@pytest.mark.parametrize("C", [0.01, 10.0])
def test_hinge_is_as_low_as_the_library_gets_it(C):
    rng, rows, labels = noisy()
    known, sides = rows.astype(np.float64), np.where(labels == 2, 1.0, -1.0)
    weights = rng.uniform(0.0, 2.0, len(known))

    def value(w, b):
        missed = np.maximum(1.0 - sides * (known @ w + b), 0.0)
        return w @ w / 2.0 + C * (weights @ missed**2)

    library = LinearSVC(C=C, dual=False, tol=1e-10, intercept_scaling=1e4, max_iter=10_000)
    library.fit(known, sides, weights)
    best = value(library.coef_[0], library.intercept_[0])
    found = fit_hinge(known, sides, weights, C)
    assert value(found[:-1], found[-1]) == pytest.approx(best, rel=1e-6)
    assert value(found[:-1], found[-1]) <= best * (1.0 + 1e-9)


def test_kernel_machine_sees_what_no_line_divides():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(1500, 2)).astype(np.float32)
    labels = np.where(rows[:, 0] * rows[:, 1] > 0.0, 2, 0)
    machine, line = make((SvmConfig(landmarks=60, C=1.0), LogisticConfig()))
    ends, later = EVERY[:1000], EVERY[1000:]

    def right(member):
        said = member.fit(rows, labels, ends, ends[:0], seed=1, effort=0)
        return (said.predict_proba(rows, later).argmax(axis=1) == labels[later]).mean()

    assert right(machine) > 0.9
    assert right(line) < 0.6


def test_probabilities_of_machines_are_of_rows_they_did_not_see():
    # Noise: on what it was fitted on a machine looks sure of itself; held out it knows nothing.
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(1500, 4)).astype(np.float32)
    labels = rng.integers(0, 3, 1500)
    (member,) = make((SvmConfig(landmarks=200, C=100.0, held_share=0.3),))
    told = member.fit(rows, labels, EVERY[:1000], EVERY[:0], seed=1, effort=0)
    stopped = member.fit(rows, labels, EVERY[:700], EVERY[700:1000], seed=1)
    for fitted in (told, stopped):
        assert fitted.predict_proba(rows, EVERY[1000:]).std(axis=0).max() < 0.08
    seen = member.fit(rows, labels, EVERY[:700], EVERY[:700], seed=1)
    assert seen.predict_proba(rows, EVERY[1000:]).std(axis=0).max() > 0.1


def test_logistic_is_the_library_s_own_on_many_rows():
    _, rows, labels = noisy()
    (member,) = make((LogisticConfig(C=1.0),))
    fitted = member.fit(rows, labels, EVERY, EVERY[:0], seed=1)
    library = LogisticRegression(C=1.0, tol=1e-8).fit(rows, labels)
    np.testing.assert_allclose(
        fitted.predict_proba(rows, EVERY), library.predict_proba(rows), atol=0.01
    )


def votes(*rows):
    (member,) = make((TechnicalConfig(),))
    given = np.array(rows, np.float32)
    ends = np.arange(len(given))
    return member.fit(given, np.ones(len(given), np.int64), ends, ends[:0], seed=1).score(given)


def test_each_rule_votes_as_published():
    silent = [0.0, 50.0, 0.0, 0.0]
    cases = {
        "fast average above": ([0.1, 50.0, 0.0, 0.0], 1),
        "fast average below": ([-0.1, 50.0, 0.0, 0.0], -1),
        "oversold": ([0.0, 30.0, 0.0, 0.0], 1),
        "nearly oversold": ([0.0, 30.1, 0.0, 0.0], 0),
        "overbought": ([0.0, 70.0, 0.0, 0.0], -1),
        "below the band": ([0.0, 50.0, -1.2, 0.0], 1),
        "at the upper band": ([0.0, 50.0, 1.0, 0.0], -1),
        "new high": ([0.0, 50.0, 0.0, 1.0], 1),
        "new low": ([0.0, 50.0, 0.0, -1.0], -1),
        "nearly a new low": ([0.0, 50.0, 0.0, -0.999], 0),
        "all for": ([1.0, 10.0, -2.0, 1.0], 4),
        "all against": ([-1.0, 90.0, 2.0, -1.0], -4),
        "none": (silent, 0),
    }
    assert votes(*(row for row, _ in cases.values())).tolist() == [s for _, s in cases.values()]


def test_rules_claim_what_happened_and_no_more():
    rows = np.tile(np.float32([0.1, 50.0, 0.0, 0.0]), (60, 1))
    rows[40:] = np.float32([-0.1, 50.0, 0.0, 0.0])
    labels = np.repeat([2, 1, 0], [30, 10, 20])
    weights = np.where(np.arange(60) < 15, 2.0, 1.0)
    (member,) = make((TechnicalConfig(prior=10.0),))
    ends = np.arange(60)
    fitted = member.fit(rows, labels, ends, ends[:0], seed=1, weights=weights)
    base = (np.array([20.0, 10.0, 45.0]) + 1.0) / 78.0
    np.testing.assert_allclose(fitted.table[5], (np.array([0.0, 10.0, 45.0]) + 10 * base) / 65.0)
    np.testing.assert_allclose(fitted.table[3], (np.array([20.0, 0.0, 0.0]) + 10 * base) / 30.0)
    np.testing.assert_allclose(fitted.table[8], base)  # which never came


def test_rules_ask_for_columns_that_there_are():
    for config in (TechnicalConfig(), TechnicalConfig(fast=9, slow=21, rsi=7, channel=20)):
        (member,) = make((config,))
        assert tuple(find(name).name for name in member.columns) == member.columns
    assert member.columns[0] == "ppo_9_21_9"


def test_a_leaf_of_few_rows_leans_on_the_frequencies():
    _, rows, labels = noisy()
    said = {}
    for prior in (1.0, 1e6):
        (member,) = make((ForestConfig(trees=5, min_leaf=20, row_share=0.5, prior=prior),))
        said[prior] = member.fit(rows, labels, EVERY, EVERY[:0], seed=1).predict_proba(rows, EVERY)
    base = np.bincount(labels) / len(labels)
    np.testing.assert_allclose(said[1e6], np.tile(base, (1500, 1)), atol=2e-3)
    assert np.abs(said[1.0] - base).max() > 0.2


def test_boosting_keeps_the_rounds_that_were_best():
    _, rows, labels = noisy()
    (member,) = make((XgboostConfig(trees=80, patience=5, learning_rate=0.3, min_leaf=1.0),))
    found = member.fit(rows, labels, EVERY[:1000], EVERY[1000:], seed=1)
    assert 1 <= found.effort < 75
    told = member.fit(rows, labels, EVERY[:1000], EVERY[:0], seed=1, effort=found.effort)
    np.testing.assert_array_equal(found.predict_proba(rows, EVERY), told.predict_proba(rows, EVERY))


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (TechnicalConfig, {"fast": 26}),
        (TechnicalConfig, {"oversold": 80.0}),
        (TechnicalConfig, {"window": 2}),
        (SvmConfig, {"C": 0.0}),
        (ForestConfig, {"row_share": 0.0}),
        (LogisticConfig, {"penalty": "l1"}),
    ],
)
def test_settings_that_make_no_sense_are_refused(kind, wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        kind(**wrong)
