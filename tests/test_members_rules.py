"""What single members promise beyond the port: optima, votes, leaves, what is held out."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from features.catalogue import find
from models.member import frequencies, log_loss
from models.members.catalogue import make
from models.members.config import (
    ForestConfig,
    LogisticConfig,
    SvmConfig,
    TechnicalConfig,
    XgboostConfig,
)
from models.members.hinge import fit_hinge
from models.members.trust import crossed, trust

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


def overlapping(seed, overlap, m=3000, d=4):
    """Columns and outcomes that both last long, and have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    rows = np.cumsum(rng.normal(size=(m + overlap, d)), axis=0)
    rows = (rows[overlap:] - rows[:-overlap]).astype(np.float32)
    steps = np.cumsum(rng.normal(size=m + overlap))
    moved = steps[overlap:] - steps[:-overlap]
    labels = 1 + np.sign(moved) * (np.abs(moved) > 0.43 * np.sqrt(overlap))
    return rows, labels.astype(np.int64)


@pytest.mark.parametrize("config", [SvmConfig(landmarks=40, C=1.0), LogisticConfig(C=10.0)])
def test_nothing_is_claimed_where_labels_that_overlap_know_nothing(config):
    # What either would say without asking rows that it wasn't fitted on loses a hundred times that.
    (member,) = make((config,))
    lost = []
    for seed in range(8):
        rows, labels = overlapping(seed, overlap=(12, 30)[seed % 2])
        train, later = np.arange(2000), np.arange(2030, 3000)
        said = member.fit(rows, labels, train, train[:0], seed=1).predict_proba(rows, later)
        base = np.tile(frequencies(labels[train]), (len(later), 1))
        lost.append(log_loss(said, labels[later]) - log_loss(base, labels[later]))
    assert np.mean(lost) < 0.003
    assert max(lost) < 0.02


def test_trust_is_what_blocks_bear_out_and_not_rows():
    rng = np.random.default_rng(3)
    told = rng.normal(size=(400, 3))
    labels = (0.5 * told + rng.gumbel(size=(400, 3))).argmax(axis=1)
    once = trust(told, labels, np.ones(400))
    assert 0.2 < once < 0.5
    # Ten times the same is no more known; twice the claim is half believed; none isn't.
    many = trust(told.repeat(10, axis=0), labels.repeat(10), np.full(4000, 0.1))
    assert many == pytest.approx(once, rel=1e-3)
    assert trust(2.0 * told, labels, np.ones(400)) == pytest.approx(once / 2.0, rel=1e-6)
    assert trust(np.zeros((400, 3)), labels, np.ones(400)) == 0.0
    few, long = slice(0, 40), np.full(2000, 0.02)
    sparse = trust(told[few], labels[few], np.ones(40))
    assert sparse > 0.0
    assert trust(told[few].repeat(50, axis=0), labels[few].repeat(50), long) == pytest.approx(
        sparse
    )
    # Certainty has an end, and rows of no weight have no say.
    sure = trust(np.eye(3)[labels], labels, np.ones(400))
    assert sure == pytest.approx(10.0, abs=0.5)
    wrong = np.concatenate((told, -told))
    weights = np.repeat([1.0, 0.0], 400)
    half = trust(wrong, np.tile(labels, 2), weights)
    assert 0.1 < half <= once + 0.05


def test_what_is_asked_about_is_apart_from_what_is_fitted_on():
    train, window, asked = np.arange(10, 210, 2), 9, []

    def said(learn, about):
        asked.extend(about)
        assert np.abs(learn[:, None] - about).min() > 2 * window
        return np.ones((len(about), 3))

    assert (crossed(train, window, said) == 1.0).all()
    assert sorted(asked) == train.tolist()
    assert (crossed(np.arange(3), 9, said) == 0.0).all()


def test_logistic_is_the_library_s_own_as_far_as_it_is_believed():
    _, rows, labels = noisy()
    (member,) = make((LogisticConfig(C=1.0),))
    fitted = member.fit(rows, labels, EVERY, EVERY[:0], seed=1)
    library = LogisticRegression(C=1.0, tol=1e-8).fit(rows, labels)
    np.testing.assert_allclose(
        fitted.predict_proba(rows, EVERY), library.predict_proba(rows), atol=0.05
    )
    toward = np.linalg.lstsq(library.coef_.T.reshape(-1, 1), fitted.weights.reshape(-1, 1))[0]
    assert 0.9 < toward.item() <= 1.0


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
