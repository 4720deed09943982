"""Fitting a calibration to what was said out of fold."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.optimize import minimize

from models.combination.card import CalibrationCard
from models.combination.pool import SMALLEST
from models.member import Floats, Ints

__all__ = ["fit_calibration"]


def fit_calibration(
    proba: Floats,
    labels: Ints,
    kind: Literal["temperature", "vector"],
    overlap: float = 1.0,
    shrink: float = 2.0,
) -> CalibrationCard:
    """Fit temperature (and bias) by log-loss.

    Parameters
    ----------
    proba
        ``float64[n, 3]``: of decisions that nothing behind them was fitted on.
    labels
        ``int64[n]``.
    kind
        ``temperature``: one number, 1 for none; ``vector``: a bias per class as well.
    overlap
        Decisions per independent outcome: labels that overlap say the same thing so many times.
    shrink
        Pull towards leaving them as they are, in independent outcomes' worth of loss: on the square
        of ``1 / temperature - 1`` and of each bias.

    Notes
    -----
    Temperature scaling: Guo et al., "On calibration of modern neural networks" (2017). The loss is
    convex in ``1 / temperature`` and the biases. 1 / temperature is kept from .01 to 10.
    """
    logs = np.log(np.maximum(proba, SMALLEST))
    hits, n = np.arange(len(labels)), len(labels)
    pull = overlap * shrink
    told = np.eye(3)[labels]
    free = 4 if kind == "vector" else 1

    def loss(x: Floats) -> tuple[float, Floats]:
        bias = np.zeros(3) if free == 1 else x[1:]
        total = x[0] * logs + bias
        top = total.max(axis=1, keepdims=True)
        proba = np.exp(total - top)
        norm = proba.sum(axis=1, keepdims=True)
        proba /= norm
        fit = float((np.log(norm[:, 0]) + top[:, 0] - total[hits, labels]).sum())
        value = fit + pull * ((x[0] - 1.0) ** 2 + float(bias @ bias))
        apart = proba - told
        slope = np.empty(free)
        slope[0] = float((apart * logs).sum()) + 2.0 * pull * (x[0] - 1.0)
        if free > 1:
            slope[1:] = apart.sum(axis=0) + 2.0 * pull * bias
        return value / n, slope / n

    start = np.zeros(free)
    start[0] = 1.0
    bounds = [(0.01, 10.0), *[(-5.0, 5.0)] * (free - 1)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x.tolist()
    bias = found[1:] or [0.0, 0.0, 0.0]
    return CalibrationCard(1.0 / found[0], (bias[0], bias[1], bias[2]))
