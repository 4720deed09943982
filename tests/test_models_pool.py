"""The pool's formula, how it is fitted, and the windows and scores beside it."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.combination.pool import SMALLEST, Pool, disagreement
from models.combination.stack import fit_pool
from models.member import frequencies, log_loss
from models.scores import calibration_error, scores
from models.windows import batches, full

simplex = arrays(np.float64, (2, 5, 3), elements=st.floats(0.0, 1.0)).map(
    lambda a: (a + 1e-3) / (a + 1e-3).sum(axis=-1, keepdims=True)
)
weight = st.floats(0.0, 3.0)


# A busy machine is no fault of what is drawn.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(simplex, weight, weight, st.tuples(*[st.floats(-5.0, 5.0)] * 3))
def test_pool_gives_probabilities(members, first, second, bias):
    said = Pool((first, second), bias)(members)
    assert (said > 0.0).all()
    np.testing.assert_allclose(said.sum(axis=-1), 1.0)


@patient
@given(simplex)
def test_equal_pool_is_the_geometric_mean(members):
    mean = np.sqrt(members[0] * members[1])
    np.testing.assert_allclose(
        Pool.equal(2)(members), mean / mean.sum(axis=-1, keepdims=True), rtol=1e-9
    )


@patient
@given(simplex)
def test_order_of_members_goes_with_their_weights(members):
    one = Pool((0.2, 0.7), (0.1, 0.0, -0.1))(members)
    other = Pool((0.7, 0.2), (0.1, 0.0, -0.1))(members[::-1])
    np.testing.assert_allclose(one, other, rtol=1e-12)


@patient
@given(simplex)
def test_disagreement_is_a_distance(members):
    apart = disagreement(members)
    assert ((apart >= 0.0) & (apart <= 0.5 + 1e-12)).all()
    np.testing.assert_allclose(apart, 0.25 * np.abs(members[0] - members[1]).sum(axis=-1))
    np.testing.assert_allclose(disagreement(members[::-1]), apart)
    np.testing.assert_allclose(disagreement(np.stack([members[0]] * 3)), 0.0, atol=1e-15)


def test_sure_member_has_no_veto():
    sure = np.array([[1.0, 0.0, 0.0], [1.0 / 3, 1.0 / 3, 1.0 / 3]])
    said = Pool((0.5, 0.5))(sure)
    assert said.min() == pytest.approx(np.sqrt(SMALLEST), rel=0.01)


def test_negative_weight_is_refused():
    with pytest.raises(ValueError, match=r"not negative, were \(0.5, -0.1\)"):
        Pool((0.5, -0.1))


def members_of(n, ic, rng):
    """Return members that know ``ic`` of what happens, and what happens."""
    score = rng.normal(size=(2, n))
    hidden = ic * score.sum(axis=0) / np.sqrt(2) + np.sqrt(1 - ic**2) * rng.normal(size=n)
    labels = np.digitize(hidden, [-0.43, 0.43])
    lean = 0.8 * score
    raw = np.exp(np.stack([-lean, np.zeros_like(lean), lean], axis=-1))
    return raw / raw.sum(axis=-1, keepdims=True), labels


def test_worthless_members_get_no_weight():
    members, labels = members_of(4000, 0.0, np.random.default_rng(1))
    pool = fit_pool(members, labels, 0.5, 20.0)
    assert sum(pool.weights) < 0.1
    said = pool(members)
    np.testing.assert_allclose(said.mean(axis=0), frequencies(labels), atol=5e-3)


def test_good_members_get_weight_and_beat_the_frequencies():
    members, labels = members_of(4000, 0.6, np.random.default_rng(1))
    pool = fit_pool(members[:, :2000], labels[:2000], 0.5, 20.0)
    base = np.tile(frequencies(labels[:2000]), (2000, 1))
    assert sum(pool.weights) > 0.5
    loss = log_loss(pool(members[:, 2000:]), labels[2000:])
    assert loss < log_loss(base, labels[2000:]) - 0.05
    assert loss < log_loss(members[0, 2000:], labels[2000:])


def test_the_one_good_member_gets_most_of_the_weight():
    rng = np.random.default_rng(1)
    members, labels = members_of(4000, 0.6, rng)
    members[1] = rng.permutation(members[1])
    first, second = fit_pool(members, labels, 0.5, 20.0).weights
    assert first > 5.0 * second


@pytest.mark.parametrize("ic", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("overlap", [1.0, 30.0])
def test_fit_is_the_optimum(ic, overlap):
    members, labels = members_of(900, ic, np.random.default_rng(2))
    base = np.log(frequencies(labels))

    def loss(weights):
        weights = np.asarray(weights)
        bias = tuple((1.0 - weights.sum()) * base)
        apart = weights - weights.mean()
        pull = 0.5 * weights.sum() ** 2 + 20.0 * apart @ apart
        said = Pool(tuple(weights.tolist()), bias)(members)
        return len(labels) * log_loss(said, labels) + overlap * pull

    found = np.array(fit_pool(members, labels, 0.5, 20.0, overlap).weights)
    grid = np.linspace(0.0, 1.0, 41)
    best = min(loss((a, b)) for a in grid for b in grid if a + b <= 1.0 + 1e-12)
    assert loss(found) <= best + 1e-3
    assert found.sum() <= 1.0 + 1e-9


def test_overlapping_labels_count_less():
    members, labels = members_of(600, 0.2, np.random.default_rng(3))
    alone = sum(fit_pool(members, labels, 0.5, 20.0).weights)
    again = [np.repeat(one, 30, axis=0) for one in members]
    repeated = sum(fit_pool(np.stack(again), np.repeat(labels, 30), 0.5, 20.0, 30.0).weights)
    assert repeated == pytest.approx(alone, abs=0.01)


@patient
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 12))
def test_full_windows_hold_no_gap(marks, window):
    fresh = np.array(marks)
    fresh[0] = True
    ends = full(fresh, window)
    expected = [
        i for i in range(len(fresh)) if i >= window - 1 and not fresh[i - window + 2 : i + 1].any()
    ]
    assert ends.tolist() == expected


def test_batches_are_the_windows():
    rows = np.arange(20, dtype=np.float32).reshape(10, 2)
    ends = np.array([2, 5, 9])
    found = np.concatenate(list(batches(rows, ends, 3, 2)))
    np.testing.assert_array_equal(found, [rows[0:3], rows[3:6], rows[7:10]])


def test_scores_of_knowing_nothing_are_zero_skill():
    labels = np.random.default_rng(1).integers(0, 3, 600)
    base = np.tile(frequencies(labels), (600, 1))
    found = scores(labels, base, base, {"one": base})
    assert found["skill"] == 0.0
    assert found["log_loss"] == pytest.approx(found["equal_log_loss"])
    assert found["calibration_error"] < 0.05


def test_overconfidence_is_a_calibration_error():
    rng = np.random.default_rng(1)
    members, labels = members_of(6000, 0.5, rng)
    honest = fit_pool(members, labels, 0.0, 0.0)(members)
    bold = honest**4 / (honest**4).sum(axis=1, keepdims=True)
    assert calibration_error(honest, labels) < 0.04
    assert calibration_error(bold, labels) > 0.1
