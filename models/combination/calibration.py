"""Calibration as it runs: probabilities made to mean what they say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.combination.card import CalibrationCard
from models.combination.pool import SMALLEST

__all__ = ["calibrate"]

Floats = npt.NDArray[np.float64]


def calibrate(proba: Floats, card: CalibrationCard) -> Floats:
    """Return ``p ∝ exp(bias + log p / temperature)`` of ``float64[..., 3]``.

    Examples
    --------
    >>> calibrate(np.array([0.2, 0.2, 0.6]), CalibrationCard(temperature=2.0)).round(3).tolist()
    [0.268, 0.268, 0.464]
    """
    total = np.log(np.maximum(proba, SMALLEST)) / card.temperature + np.array(card.bias)
    total = np.exp(total - total.max(axis=-1, keepdims=True))
    calibrated: Floats = total / total.sum(axis=-1, keepdims=True)
    return calibrated
