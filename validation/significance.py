"""Sharpe ratios under doubt: how sure they are, and what the best of many trials is worth.

All Sharpe ratios here are per observation, not annualised. Source: Bailey and López de Prado,
"The Sharpe ratio efficient frontier" (2012) and "The deflated Sharpe ratio" (2014).
"""

from __future__ import annotations

import math
from statistics import NormalDist

__all__ = [
    "deflated_sharpe",
    "expected_max",
    "min_backtest_length",
    "min_track_record",
    "probabilistic_sharpe",
]

NORMAL = NormalDist()
EULER = 0.5772156649015329


def _spread(sharpe: float, skew: float, kurtosis: float) -> float:
    """Variance of the estimated Sharpe ratio times the number of observations."""
    spread = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    if spread <= 0.0:
        raise ValueError(
            f"skew {skew} and kurtosis {kurtosis} can't belong to one distribution "
            "(kurtosis is at least 1 + skew²); pass plain kurtosis, 3 for a normal one"
        )
    return spread


def probabilistic_sharpe(
    sharpe: float, n: int, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio exceeds ``benchmark``.

    ``Φ((SR - SR*) sqrt(n - 1) / sqrt(1 - skew SR + (kurtosis - 1) / 4 SR²))``

    Parameters
    ----------
    sharpe
        Estimated from ``n`` observations.
    n
        Observations, from 2.
    skew, kurtosis
        Of the observations; kurtosis is 3 for a normal distribution.
    benchmark
        Sharpe ratio to beat.

    Examples
    --------
    >>> round(probabilistic_sharpe(1.585 / 12**0.5, 24, skew=-2.448, kurtosis=10.164), 7)
    0.9132343
    """
    if n < 2:
        raise ValueError(f"n must be at least 2, was {n}")
    gap = (sharpe - benchmark) * math.sqrt(n - 1)
    return NORMAL.cdf(gap / math.sqrt(_spread(sharpe, skew, kurtosis)))


def expected_max(trials: int) -> float:
    """Return the expected largest of ``trials`` standard normal draws; 0 for one.

    ``(1 - γ) Φ⁻¹(1 - 1/N) + γ Φ⁻¹(1 - 1/(N e))``, γ Euler's constant: an approximation, 2 % high
    at ten trials.

    Examples
    --------
    >>> round(expected_max(10), 6)
    1.574598
    """
    if trials < 1:
        raise ValueError(f"trials must be at least 1, was {trials}")
    if trials == 1:
        return 0.0
    return (1.0 - EULER) * NORMAL.inv_cdf(1.0 - 1.0 / trials) + EULER * NORMAL.inv_cdf(
        1.0 - 1.0 / (trials * math.e)
    )


def deflated_sharpe(
    sharpe: float,
    n: int,
    trials: int,
    variance: float,
    skew: float = 0.0,
    kurtosis: float = 3.0,
) -> float:
    """Probability that the true Sharpe ratio is positive, given that it is the best of many.

    :func:`probabilistic_sharpe` against ``sqrt(variance) * expected_max(trials)``, the Sharpe ratio
    the best of ``trials`` worthless strategies would show.

    Parameters
    ----------
    trials
        Everything that was ever tried, not only what was kept.
    variance
        Of the trials' Sharpe ratios; ``1 / n`` where all are worthless.

    Examples
    --------
    >>> round(deflated_sharpe(2.5 / 250**0.5, 1250, 100, 0.5 / 250, skew=-3, kurtosis=10), 7)
    0.9003968
    """
    benchmark = math.sqrt(variance) * expected_max(trials)
    return probabilistic_sharpe(sharpe, n, skew, kurtosis, benchmark)


def min_track_record(
    sharpe: float,
    benchmark: float = 0.0,
    skew: float = 0.0,
    kurtosis: float = 3.0,
    confidence: float = 0.95,
) -> float:
    """Observations until ``sharpe`` is above ``benchmark`` with ``confidence``.

    ``1 + (1 - skew SR + (kurtosis - 1) / 4 SR²) (z / (SR - SR*))²``; infinite where ``sharpe`` does
    not exceed ``benchmark``.
    """
    if sharpe <= benchmark:
        return math.inf
    z = NORMAL.inv_cdf(confidence) / (sharpe - benchmark)
    return 1.0 + _spread(sharpe, skew, kurtosis) * z**2


def min_backtest_length(trials: int, sharpe: float) -> float:
    """Length below which the best of ``trials`` worthless strategies shows ``sharpe``.

    In the unit of time that ``sharpe`` is per: ``(expected_max(trials) / sharpe)²``.
    """
    return (expected_max(trials) / sharpe) ** 2
