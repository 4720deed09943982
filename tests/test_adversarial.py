"""Adversarial validation: one law is told from itself by chance alone, another is named."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.signal import lfilter

from market.errors import DataError
from validation.adversarial import AdversarialConfig, adversarial

CONFIG = AdversarialConfig(rows=900, trees=8, leaves=4, gap=20)
TRAIN, TEST = np.arange(1200), np.arange(1200, 1800)


def columns(seed: int, memory: float) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((2300, 4))
    return lfilter([1.0], [1.0, -memory], noise, axis=0)[500:]


def test_one_law_is_told_by_chance_alone() -> None:
    found = [
        adversarial(columns(s, 0.0), "abcd", TRAIN, TEST, np.random.default_rng(s), CONFIG)
        for s in range(4)
    ]
    assert not any(found)
    assert np.mean([one.auc for one in found]) == pytest.approx(0.5, abs=0.05)
    assert all(one.interval[0] < 0.55 and one.interval[1] > 0.45 for one in found)
    assert "no more unlike its training" in found[0].text


def test_slow_columns_are_told_apart_but_so_are_any_other_spans() -> None:
    found = [
        adversarial(columns(s, 0.998), "abcd", TRAIN, TEST, np.random.default_rng(s), CONFIG)
        for s in range(3)
    ]
    assert min(one.auc for one in found) > 0.7, "a bare AUC would cry wolf"
    assert not any(found)
    assert all(np.median(one.usual) > 0.6 for one in found)


def test_a_column_that_changed_is_named() -> None:
    X = columns(1, 0.5)
    X[TEST, 2] += 2.0 * X[:, 2].std()
    level = adversarial(X, "abcd", TRAIN, TEST, np.random.default_rng(2), CONFIG)
    assert level
    assert level.auc > 0.85
    assert level.interval[0] < level.auc < level.interval[1]
    assert level.columns[0].column == "c"
    assert level.columns[0].share > 0.9
    assert level.columns[0].moved == pytest.approx(2.0, abs=0.3)
    assert "told by c (" in level.text
    again = adversarial(X, "abcd", TRAIN, TEST, np.random.default_rng(2), CONFIG)
    assert again.auc == level.auc
    assert again.usual.tolist() == level.usual.tolist()


def test_a_column_that_spread_is_named_though_its_mean_stayed() -> None:
    X = columns(3, 0.0)
    X[TEST, 1] *= 3.0
    found = adversarial(X, "abcd", TRAIN, TEST, np.random.default_rng(4), CONFIG)
    assert found
    assert found.columns[0].column == "b"
    assert abs(found.columns[0].moved) < 0.3


def test_without_a_gap_a_row_is_known_by_its_neighbours() -> None:
    near, far = (
        np.mean(
            [
                adversarial(
                    columns(s, 0.98),
                    "abcd",
                    TRAIN,
                    TEST,
                    np.random.default_rng(s),
                    CONFIG.model_copy(update={"gap": gap, "shifts": 9}),
                ).auc
                for s in range(4)
            ]
        )
        for gap in (0, 75)
    )
    assert near > far + 0.03


def test_wrong_calls_say_why() -> None:
    X, rng = columns(0, 0.0), np.random.default_rng(0)
    with pytest.raises(DataError, match="50 rows on one side are too few to tell; needs 160"):
        adversarial(X[:850], "abcd", np.arange(800), np.arange(800, 850), rng, CONFIG)
    with pytest.raises(ValueError, match="share no rows, shared 5"):
        adversarial(X, "abcd", np.arange(800), np.arange(795, 1200), rng, CONFIG)
    with pytest.raises(ValueError, match="names must be of 4 columns, were 3"):
        adversarial(X, "abc", TRAIN, TEST, rng, CONFIG)
    X[3, 1] = np.inf
    with pytest.raises(DataError, match="b must be finite, was inf at decision 3"):
        adversarial(X, "abcd", TRAIN, TEST, rng, CONFIG)
    with pytest.raises(ValidationError, match="blocks must be a multiple of 4 folds, was 6"):
        AdversarialConfig(blocks=6)
    with pytest.raises(ValidationError, match="shifts must be at least 99 to resolve"):
        AdversarialConfig(level=0.01)
