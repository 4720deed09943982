"""Calibration: its error has no bias to speak of, and its bound the chance it claims."""

from __future__ import annotations

import numpy as np
import pytest

from validation.reliability import calibration_error, curve


def forecasts(m: int, rng: np.random.Generator, bold: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of three classes, and outcomes drawn from them made less bold by ``bold``."""
    told = rng.dirichlet((6.0, 6.0, 6.0), m)
    true = (1.0 - bold) * told + bold / 3.0
    labels = (rng.random(m)[:, None] > true.cumsum(axis=1)[:, :2]).sum(axis=1)
    return told, labels


def test_honest_probabilities_have_little_error() -> None:
    rng = np.random.default_rng(1)
    found = [calibration_error(*forecasts(3000, rng), 20, 400, 0.1, rng) for _ in range(30)]
    assert np.mean([one.value for one in found]) < 0.015
    assert max(one.high for one in found) < 0.035


def test_the_error_is_the_true_one() -> None:
    """Half as bold as told: the error is half the probabilities' mean distance from a third."""
    rng = np.random.default_rng(2)
    told, _ = forecasts(200_000, rng)
    true = 0.5 * np.abs(told - 1.0 / 3.0).mean()
    found = [calibration_error(*forecasts(3000, rng, 0.5), 20, 400, 0.1, rng) for _ in range(60)]
    assert np.mean([one.value for one in found]) == pytest.approx(true, rel=0.05)
    # A one-sided bound of 95 % lies below the truth in about one of twenty.
    assert sum(one.high < true for one in found) <= 8
    assert sum(one.low > true for one in found) <= 8


def test_labels_that_overlap_make_it_less_sure() -> None:
    """One outcome for ten decisions is one outcome: blocks keep them together."""
    rng = np.random.default_rng(3)
    told, labels = (np.repeat(one, 10, axis=0) for one in forecasts(300, rng, 0.3))
    wide = calibration_error(told, labels, 50, 400, 0.1, rng)
    narrow = calibration_error(told, labels, 1, 400, 0.1, rng)
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_a_forecast_that_never_varies_is_one_bin() -> None:
    told, labels = np.full((100, 3), 1.0 / 3.0), np.arange(100) % 3
    assert len(curve(told[:, 0], labels == 0).size) == 1
    found = calibration_error(told, labels, 9, 200, 0.1, np.random.default_rng(4))
    assert found.value < 0.01


def test_a_block_longer_than_the_data_is_refused() -> None:
    told, labels = np.full((10, 3), 1.0 / 3.0), np.arange(10) % 3
    with pytest.raises(ValueError, match="block must be from 1 to 10 decisions, was 11"):
        calibration_error(told, labels, 11, 200, 0.1, np.random.default_rng(5))
