"""Weights of a log pool of variances: those that would have forecast best.

    log v = Σ w_i log v_i,  w_i >= 0,  Σ w_i = 1

The mean QLIKE of the pool is convex in the weights, so there is one best choice. It is pulled
towards equal weights, the more so the fewer forecasts there are: QLIKE's squared returns are noisy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["pool", "pool_weights"]

Floats = npt.NDArray[np.float64]

_LEAST = 1e-3
"""A member with less weight is not worth fitting."""


def pool(weights: Floats, variances: Floats) -> Floats:
    """Combine ``float64[n, k]`` variances to ``float64[n]``.

    Examples
    --------
    >>> pool(np.array([0.5, 0.5]), np.array([[1.0, 4.0]]))
    array([2.])
    """
    combined: Floats = np.exp(np.log(variances) @ weights)
    return combined


def pool_weights(proxy: Floats, variances: Floats, shrink: float) -> Floats:
    """Find the weights with the least QLIKE plus ``shrink / n · k |w - 1/k|²``.

    Parameters
    ----------
    proxy
        ``float64[n]``: squared returns, or another unbiased measure of what the variance was.
    variances
        ``float64[n, k]``: what the models had forecast.
    shrink
        In forecasts' worth of loss.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> truth = np.exp(rng.normal(size=3000))
    >>> proxy = truth * rng.normal(size=3000) ** 2
    >>> apart = np.column_stack((truth, truth[::-1]))
    >>> pool_weights(proxy, apart, shrink=10.0).round(1)
    array([1., 0.])
    """
    from scipy.optimize import minimize

    n, k = variances.shape
    if k == 1:
        return np.ones(1)
    logs = np.log(variances)
    equal = np.full(k, 1.0 / k)

    def loss(weights: Floats) -> tuple[float, Floats]:
        combined = logs @ weights
        ratio = proxy * np.exp(-combined)
        apart = weights - equal
        value = float((combined + ratio).mean()) + shrink / n * k * float(apart @ apart)
        slope: Floats = logs.T @ (1.0 - ratio) / n + 2.0 * shrink / n * k * apart
        return value, slope

    found = minimize(
        loss,
        equal,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * k,
        constraints={
            "type": "eq",
            "fun": lambda weights: weights.sum() - 1.0,
            "jac": lambda weights: np.ones(k),
        },
        options={"ftol": 1e-10, "maxiter": 200},
    )
    weights = np.clip(found.x, 0.0, None)
    weights = weights / weights.sum() if np.isfinite(weights).all() else equal
    # where a price jumps out of standstill losses are huge and the search may stop short: what it
    # found must at least be better than no search
    weights = min((weights, equal, *np.eye(k)), key=lambda one: loss(one)[0]).copy()
    weights[weights < _LEAST] = 0.0
    best: Floats = weights / weights.sum()
    return best
