"""Stacking: the pool that fits out-of-fold probabilities best, and no more than they bear."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from models.member import Floats, Ints, frequencies
from models.pool import SMALLEST, Pool

__all__ = ["fit_pool"]

ENOUGH = 30
"""Labelled decisions of each class below which nothing is fitted, and members count alike."""


def fit_pool(members: Floats, labels: Ints, shrink: float) -> Pool:
    """Fit a log-linear pool by maximum likelihood.

    Minimised is ``Σ_n −log p_n[label_n] + shrink · Σ_m weight_m²`` over weights from 0 and biases;
    it is convex, and starts from the class frequencies with no weight. Where a class was hardly
    seen it is :meth:`~models.pool.Pool.equal` instead.

    Parameters
    ----------
    members
        ``float64[M, n, 3]``: probabilities of decisions the members were **not** fitted on.
    labels
        ``int64[n]``.
    shrink
        In decisions' worth of loss.
    """
    count = len(members)
    if np.bincount(labels, minlength=3).min() < ENOUGH:
        return Pool.equal(count)
    logs = np.log(np.maximum(members, SMALLEST))
    told = logs[:, np.arange(len(labels)), labels]
    shares = np.bincount(labels, minlength=3) / len(labels)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weights, bias = parameters[:count], np.append(parameters[count:], 0.0)
        total = np.tensordot(weights, logs, 1) + bias
        top = total.max(axis=1, keepdims=True)
        proba = np.exp(total - top)
        norm = proba.sum(axis=1, keepdims=True)
        proba /= norm
        fit = np.log(norm[:, 0]) + top[:, 0] - weights @ told - bias[labels]
        slope = np.einsum("mnk,nk->m", logs, proba) - told.sum(axis=1)
        bent = proba.mean(axis=0) - shares
        gradient = np.concatenate((slope / len(labels), bent[:2]))
        gradient[:count] += 2.0 * shrink * weights / len(labels)
        return float(fit.mean() + shrink * weights @ weights / len(labels)), gradient

    start = np.log(frequencies(labels))
    found = minimize(
        loss,
        np.concatenate((np.zeros(count), start[:2] - start[2])),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * count + [(None, None)] * 2,
    )
    weights, bias = found.x[:count].tolist(), found.x[count:].tolist()
    return Pool(tuple(weights), (bias[0], bias[1], 0.0))
