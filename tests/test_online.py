"""Learning between trainings: it mends what has gone wrong, and costs little where nothing has."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from market.errors import SchemaMismatch, StateError
from models.drift import DriftConfig
from models.online import (
    Adaptation,
    OnlineConfig,
    Recalibration,
    RecalibrationConfig,
    RecentConfig,
    RecentWeights,
)

simplexes = arrays(np.float64, (3, 3), elements=st.floats(0.0, 1.0)).map(
    lambda a: (a + 1e-12) / (a + 1e-12).sum(axis=-1, keepdims=True)
)
BARE = {"weights": None, "recalibration": None, "drift": None}


def softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


def outcomes(rng: np.random.Generator, p: np.ndarray) -> list[int]:
    return (rng.random(len(p))[:, None] > p.cumsum(axis=1)[:, :2]).sum(axis=1).tolist()


def gains(
    adaptation: Adaptation, base: np.ndarray, said: np.ndarray, labels: list[int], delay: int = 0
) -> np.ndarray:
    """What adapting takes off the loss of each decision; each is settled some decisions later."""
    found = []
    for i in range(len(labels) + delay):
        if i < len(labels):
            adaptation.predict(i, base[i], said[i])
        if i >= delay and (score := adaptation.settle(i - delay, labels[i - delay])):
            found.append(score.base - score.loss)
    return np.array(found)


def interval(x: np.ndarray, block: int = 50) -> tuple[float, float]:
    """Mean and its standard error, from the means of blocks."""
    means = x[: len(x) // block * block].reshape(-1, block).mean(axis=1)
    return float(means.mean()), float(means.std(ddof=1) / math.sqrt(len(means)))


def drifted(rng: np.random.Generator, n: int, temperature: float, bias: list[float]) -> tuple:
    """What a model says, and what happens: at a temperature and a bias from what it says."""
    logits = rng.normal(0.0, 0.8, (n, 3))
    base = softmax(logits)
    return base, outcomes(rng, softmax(logits / temperature + np.array(bias)))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(simplexes, st.integers(0, 2), st.integers(-1, 1)), min_size=1, max_size=60)
)
def test_whatever_is_told_what_it_says_are_probabilities(told: list) -> None:
    config = OnlineConfig(
        weights=RecentConfig(rate=10.0, half_life=2.0),
        recalibration=RecalibrationConfig(temperature=2.0, bias=2.0, half_life=3.0),
    )
    adaptation = Adaptation(config, (1.0, 0.0), regimes=2)
    for time, (p, label, regime) in enumerate(told):
        said = adaptation.predict(time, p[0], p[1:], regime)
        assert (said > 0.0).all()
        assert said.sum() == pytest.approx(1.0)
        score = adaptation.settle(time, label)
        assert score is not None
        assert math.isfinite(score.loss)


def test_recalibration_mends_what_is_too_sure_and_leaning() -> None:
    rng = np.random.default_rng(0)
    base, labels = drifted(rng, 6000, 2.0, [0.4, 0.0, -0.4])
    adaptation = Adaptation(OnlineConfig(weights=None), (1.0,))
    gain = gains(adaptation, base, base[:, None], labels, delay=6)
    mean, error = interval(gain[1000:])
    assert mean > 0.04
    assert mean > 5 * error
    part = adaptation.recalibration
    assert part is not None
    assert part.temperature == pytest.approx(2.0, rel=0.25)
    assert part.bias[0] - part.bias[2] == pytest.approx(0.8, abs=0.2)
    # of what could be had, by knowing the drift, most is had
    best = softmax(np.log(base) / 2.0 + np.array([0.4, 0.0, -0.4]))
    rows = np.arange(1000, 6000)
    had = np.log(best[rows, labels[1000:]] / base[rows, labels[1000:]]).mean()
    assert mean > 0.9 * had


def test_recalibration_does_no_harm_where_all_is_well() -> None:
    means = []
    for seed in range(3):
        base, labels = drifted(np.random.default_rng(seed), 3000, 1.0, [0.0, 0.0, 0.0])
        adaptation = Adaptation(OnlineConfig(weights=None), (1.0,))
        gain = gains(adaptation, base, base[:, None], labels)
        mean, error = interval(gain)
        assert mean > -0.0025  # against .09 where something is wrong
        assert error < 0.001
        means.append(mean)
    assert np.mean(means) > -0.002  # six nats in all, the price of four parameters


def test_it_follows_a_drift_that_ends() -> None:
    rng = np.random.default_rng(1)
    first, then = drifted(rng, 2000, 2.5, [0.0] * 3), drifted(rng, 5000, 1.0, [0.0] * 3)
    base, labels = np.concatenate([first[0], then[0]]), first[1] + then[1]
    recalibration = Recalibration(RecalibrationConfig(half_life=3000.0, temperature=0.3))
    seen = []
    for p, label in zip(base, labels, strict=True):
        recalibration.learn(p, label)
        seen.append(recalibration.temperature)
    assert seen[1999] == pytest.approx(2.2, abs=0.5)
    assert seen[-1] == pytest.approx(1.0, abs=0.2)
    assert Recalibration(RecalibrationConfig()).temperature == 1.0


def test_the_step_is_that_of_the_exact_posterior() -> None:
    """Without forgetting, it ends near the maximum a posteriori of an ordinary fit."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(2)
    base, labels = drifted(rng, 3000, 1.5, [0.2, 0.0, -0.1])
    config = RecalibrationConfig(half_life=1e9)
    recalibration = Recalibration(config)
    for p, label in zip(base, labels, strict=True):
        recalibration.learn(p, label)

    def loss(theta: np.ndarray) -> float:
        p = softmax(math.exp(theta[0]) * np.log(base) + theta[1:])
        prior = theta / np.array([config.temperature, *[config.bias] * 3])
        return float(-np.log(p[np.arange(3000), labels]).sum() + 0.5 * (prior**2).sum())

    best = minimize(loss, np.zeros(4)).x
    own = np.array([-math.log(recalibration.temperature), *recalibration.bias])
    assert own == pytest.approx(best, abs=0.03)


def test_shares_count_overlapping_outcomes_once() -> None:
    """Ten tenths of one outcome are about one outcome."""
    p = np.array([0.2, 0.3, 0.5])
    config = RecalibrationConfig(half_life=1e9)
    once, often = Recalibration(config), Recalibration(config)
    for i in range(50):
        once.learn(p, i % 2)
        for _ in range(10):
            often.learn(p, i % 2, share=0.1)
    assert often(p) == pytest.approx(once(p), abs=0.01)
    assert abs(once(p)[2] - p[2]) > 0.05


def test_weights_are_those_of_bayes_rule_and_their_regret_is_bounded() -> None:
    rng = np.random.default_rng(3)
    said = rng.dirichlet(np.ones(3), (400, 3))
    labels = rng.integers(0, 3, 400)
    weights = RecentWeights(RecentConfig(half_life=1e9, base=0.6, keep=0.0), (3.0, 1.0))
    posterior, loss, own = np.array([0.6, 0.3, 0.1]), 0.0, 0.0
    for p, label in zip(said, labels.tolist(), strict=True):
        assert weights.of(0) == pytest.approx(posterior, abs=1e-4)
        loss -= math.log(weights(p[0], p[1:], 0)[label])
        own -= math.log(p[0, label])
        weights.learn(p[0], p[1:], 0, label)
        posterior = posterior * p[:, label]
        posterior /= posterior.sum()
    assert loss - own <= -math.log(0.6) + 1e-4


def test_the_member_that_is_right_lately_is_heard_in_its_regime() -> None:
    rng = np.random.default_rng(4)
    n = 4000
    logits = rng.normal(0.0, 1.0, (n, 3))
    labels = outcomes(rng, softmax(logits))
    good, noise = softmax(logits), softmax(rng.normal(0.0, 1.0, (n, 3)))
    regimes = rng.integers(0, 2, n)
    # one member knows in one regime, the other in the other; the ensemble is their mean
    said = np.stack([good, noise], axis=1)
    said[regimes == 1] = said[regimes == 1][:, ::-1]
    base = softmax(np.log(said).mean(axis=1))
    told = {}
    for aware in (True, False):
        adaptation = Adaptation(OnlineConfig(recalibration=None, drift=None), (1.0, 1.0), 2)
        found = []
        for i in range(n):
            adaptation.predict(i, base[i], said[i], int(regimes[i]) if aware else -1)
            score = adaptation.settle(i, labels[i])
            assert score is not None
            found.append(score.base - score.loss)
        told[aware] = interval(np.array(found[500:]))
        if aware:
            assert adaptation.weights is not None
            assert adaptation.weights.of(0)[1] > 0.9
            assert adaptation.weights.of(1)[2] > 0.9
    mean, error = told[True]
    assert mean > 0.02 + 3 * error
    assert abs(told[False][0]) < 0.01


def test_weights_do_no_harm_where_the_ensemble_is_right() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0.0, 0.8, (5000, 3))
    base, labels = softmax(logits), outcomes(rng, softmax(logits))
    said = softmax(logits[:, None] + rng.normal(0.0, 0.6, (5000, 4, 3)))
    adaptation = Adaptation(OnlineConfig(recalibration=None, drift=None), (1.0,) * 4)
    mean, error = interval(gains(adaptation, base, said, labels, delay=10))
    assert mean > -0.001
    assert error < 0.001


def test_nothing_of_an_outcome_is_known_before_it_is_settled() -> None:
    rng = np.random.default_rng(6)
    said = rng.dirichlet(np.ones(3), (60, 3))
    for changed in range(0, 60, 7):
        runs = []
        for label in (0, 2):
            adaptation = Adaptation(OnlineConfig(), (1.0, 1.0))
            labels = [1] * 60
            labels[changed] = label
            p = []
            for i in range(60):
                p.append(adaptation.predict(i, said[i, 0], said[i, 1:]))
                if i >= 5:
                    adaptation.settle(i - 5, labels[i - 5])
            runs.append(np.array(p))
        differs = np.flatnonzero((runs[0] != runs[1]).any(axis=1))
        assert (differs > changed + 5).all()
        assert len(differs) == max(0, 60 - (changed + 6))


@pytest.mark.parametrize("left_out", [*BARE, ""])
def test_goes_on_where_it_was(left_out: str) -> None:
    rng = np.random.default_rng(7)
    said = rng.dirichlet(np.ones(3), (300, 3))
    labels, regimes = rng.integers(-1, 3, 300).tolist(), rng.integers(-1, 2, 300).tolist()
    config = OnlineConfig(**({left_out: None} if left_out else {}))

    def new() -> Adaptation:
        return Adaptation(config, (0.7, 0.3), regimes=2, overlap=3.0)

    def run(adaptation: Adaptation, start: int, stop: int) -> list:
        out = []
        for i in range(start, stop):
            out.append(adaptation.predict(i, said[i, 0], said[i, 1:], regimes[i]).tolist())
            out.append(adaptation.settle(i - 4, labels[i - 4]))
        return out

    whole, first, second = new(), new(), new()
    told = run(whole, 0, 300)
    parts = run(first, 0, 131)
    second.restore(first.snapshot())
    assert second.waiting == 4
    assert parts + run(second, 131, 300) == told
    assert second.snapshot() == whole.snapshot()


def test_an_alarm_comes_with_the_score() -> None:
    rng = np.random.default_rng(8)
    base, right = drifted(rng, 1500, 0.7, [0.0] * 3)
    labels = right[:1000] + rng.integers(0, 3, 500).tolist()
    adaptation = Adaptation(OnlineConfig(drift=DriftConfig(delta=0.05)), (1.0,))
    alarms = []
    for i, label in enumerate(labels):
        adaptation.predict(i, base[i], base[i][None])
        score = adaptation.settle(i, label)
        if score and score.alarm:
            alarms.append((i, score.alarm.worse))
    assert alarms
    assert alarms[0][0] >= 1000
    assert alarms[0][1]


def test_left_out_it_changes_nothing() -> None:
    adaptation = Adaptation(OnlineConfig(**BARE), (1.0,))
    p = np.array([0.2, 0.3, 0.5])
    for time in range(20):
        assert adaptation.predict(time, p, p[None]).tolist() == p.tolist()
        assert adaptation.settle(time, 2) is not None
    assert adaptation.settle(99, 2) is None  # never predicted here
    adaptation.predict(20, p, p[None])
    assert adaptation.settle(20, -1) is None
    assert adaptation.waiting == 0


def test_says_what_is_wrong() -> None:
    adaptation = Adaptation(OnlineConfig(), (1.0, 1.0), regimes=2)
    p = np.full(3, 1 / 3)
    with pytest.raises(ValueError, match=r"shape \(2, 3\) and regime -1 to 1, were \(1, 3\) and 0"):
        adaptation.predict(0, p, p[None], 0)
    with pytest.raises(ValueError, match=r"were .* and 2"):
        adaptation.predict(0, p, np.stack([p, p]), 2)
    with pytest.raises(SchemaMismatch, match="start anew or restore the settings"):
        Adaptation(OnlineConfig(), (1.0, 1.0)).restore(adaptation.snapshot())
    with pytest.raises(StateError, match="start anew"):
        adaptation.restore(b"nonsense")
    with pytest.raises(ValueError, match="prior must be"):
        RecentWeights(RecentConfig(), (0.0, 0.0))
    with pytest.raises(ValueError, match="prior must be"):
        Adaptation(OnlineConfig(**BARE), ())
    with pytest.raises(ValueError, match="half_life"):
        RecentConfig(half_life=0.0)


def test_overlapping_outcomes_count_for_less_and_drift_is_of_the_ensembles_own_losses():
    config = OnlineConfig(weights=RecentConfig(base=0.5, keep=0.0, rate=1.0), recalibration=None)
    base, said = np.array([0.2, 0.3, 0.5]), np.array([[0.6, 0.3, 0.1]])
    moved = {}
    for overlap in (1.0, 4.0):
        adaptation = Adaptation(config, (1.0,), overlap=overlap)
        for time in range(4):
            adaptation.predict(time, base, said)
        scores = [adaptation.settle(time, label=2) for time in range(4)]
        own, member = adaptation.weights.of(-1)
        moved[overlap] = np.log(own / member)
        assert adaptation.drift.mean == pytest.approx(np.mean([one.base for one in scores]))
    assert moved[1.0] == pytest.approx(4.0 * np.log(5.0), rel=5e-3)  # forgets a little
    assert moved[4.0] == pytest.approx(np.log(5.0), rel=5e-3)
    assert scores[0].loss != scores[0].base
