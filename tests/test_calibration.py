"""Calibration and comparison: what is planted is put right, and differences have true intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.combination.calibration import calibrate
from models.combination.calibration_fit import fit_calibration
from models.combination.card import CalibrationCard
from models.combination.combiner import Combiner
from models.combination.comparison import compare, losses
from models.combination.config import StackConfig, VoteConfig
from models.member import log_loss
from tests.combination_cases import gain, learner, market, slow

BASE = (0.3, 0.4, 0.3)


def miscalibrated(temperature, bias, n=6000):
    """Return labels drawn of true probabilities, these, and what a member makes of them."""
    rng = np.random.default_rng(1)
    true = rng.dirichlet((2.0, 3.0, 2.0), n)
    labels = (rng.random((n, 1)) > true.cumsum(axis=1)).sum(axis=1)
    logs = (np.log(true) - np.array(bias)) * temperature
    said = np.exp(logs - logs.max(axis=1, keepdims=True))
    return labels, true, said / said.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_planted_temperature_is_found(temperature):
    labels, true, said = miscalibrated(temperature, (0.0, 0.0, 0.0))
    card = fit_calibration(said, labels, "temperature")
    assert card.temperature == pytest.approx(temperature, rel=0.06)
    assert card.bias == (0.0, 0.0, 0.0)
    np.testing.assert_allclose(calibrate(said, card), true, atol=0.02)


def test_a_planted_bias_is_found_by_a_vector_and_not_by_a_temperature():
    labels, true, said = miscalibrated(1.6, (0.4, -0.3, -0.1))
    vector, scalar = (fit_calibration(said, labels, kind) for kind in ("vector", "temperature"))
    assert vector.temperature == pytest.approx(1.6, rel=0.06)
    np.testing.assert_allclose(vector.bias, (0.4, -0.3, -0.1), atol=0.08)
    exact = log_loss(true, labels)
    assert log_loss(calibrate(said, vector), labels) - exact < 1e-3
    assert log_loss(calibrate(said, scalar), labels) - exact > 0.02


def test_repeated_outcomes_do_not_make_calibration_surer():
    labels, _, said = miscalibrated(2.0, (0.0, 0.0, 0.0), 60)
    alone = fit_calibration(said, labels, "vector")
    again = fit_calibration(said.repeat(50, axis=0), labels.repeat(50), "vector", 50.0)
    assert again.temperature == pytest.approx(alone.temperature, rel=1e-3)
    np.testing.assert_allclose(again.bias, alone.bias, atol=1e-3)
    assert 1.0 < alone.temperature < fit_calibration(said, labels, "vector", shrink=0).temperature


@given(st.floats(0.1, 10.0), st.tuples(*[st.floats(-5.0, 5.0)] * 3), st.integers(0, 99))
def test_calibration_gives_probabilities_and_keeps_the_odds_order(temperature, bias, seed):
    proba = np.random.default_rng(seed).dirichlet((1.0, 1.0, 1.0), 20)
    told = calibrate(proba, CalibrationCard(temperature, bias))
    np.testing.assert_allclose(told.sum(axis=1), 1.0)
    before, after = proba[:, 2] / proba[:, 0], told[:, 2] / told[:, 0]
    order = np.argsort(before, kind="stable")
    assert (np.diff(after[order]) >= -1e-9 * after[order][1:]).all()


@pytest.mark.parametrize("kind", ["temperature", "vector"])
def test_a_vote_of_bold_members_is_put_right_a_stack_is_right_already(kind):
    said, labels = market(4000, (0.4, 0.4), 3)
    bold = said**4 / (said**4).sum(axis=-1, keepdims=True)
    h = 2000

    def told(config, calibration):
        card = learner(config, calibration).fit(bold[:, :h], labels[:h], None, None)
        return gain(Combiner(card, BASE)(bold[:, h:]).proba, labels[h:])

    assert told(VoteConfig(), kind) > told(VoteConfig(), "none") + 0.1
    assert told(StackConfig(), kind) == pytest.approx(told(StackConfig(), "none"), abs=4e-3)


def test_intervals_cover_the_true_difference():
    # Losses with memory: a difference of .05, and 300 of these intervals.
    rng, held, clear = np.random.default_rng(1), [], []
    for _ in range(300):
        noise = slow(1500, 10, rng)
        one = compare(0.05 + noise, np.zeros(1500), 40, rng, samples=200)
        held.append(one.low <= 0.05 <= one.high)
        clear.append(compare(0.0 + noise, np.zeros(1500), 40, rng, samples=200).sure)
    assert 0.89 < np.mean(held) < 0.985
    assert np.mean(clear) < 0.06  # of 2.5 % by the level


def test_a_difference_is_the_mean_of_losses_and_changes_sign_with_its_sides():
    said, labels = market(2000, (0.6, 0.0), 1)
    good, bad = losses(said[0], labels), losses(said[1], labels)
    one = compare(bad, good, 50, np.random.default_rng(1))
    other = compare(good, bad, 50, np.random.default_rng(1))
    assert one.gain == pytest.approx(log_loss(said[1], labels) - log_loss(said[0], labels))
    assert one.sure
    assert not other.sure
    assert (other.gain, other.low, other.high) == pytest.approx((-one.gain, -one.high, -one.low))
    assert str(one).startswith(f"{one.gain:+.4f} [")
