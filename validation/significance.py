"""Sharpe ratios under doubt: how sure they are, and what the best of many trials is worth.

All Sharpe ratios here are per observation, not annualised: an annualised one comes in divided by
``sqrt(per_year)`` and its variance by ``per_year``, and lengths come out in observations. Only
:func:`min_backtest_length` is free of the unit. Observations are taken to be independent; where
they aren't, take means of blocks as observations (:func:`validation.bootstrap.block_means`).

Source: Bailey and López de Prado, "The Sharpe ratio efficient frontier" (2012) and "The deflated
Sharpe ratio" (2014); Bailey, Borwein, López de Prado and Zhu, "Pseudo-mathematics and financial
charlatanism" (2014) for the length of a backtest.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = [
    "deflated_sharpe",
    "expected_max",
    "independent_trials",
    "min_backtest_length",
    "min_track_record",
    "probabilistic_sharpe",
    "trial_variance",
]

Floats = npt.NDArray[np.float64]

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


def expected_max(trials: float) -> float:
    """Return the expected largest of ``trials`` standard normal draws; 0 for one.

    ``(1 - γ) Φ⁻¹(1 - 1/N) + γ Φ⁻¹(1 - 1/(N e))``, γ Euler's constant: an approximation, 2 % high
    at ten trials. ``trials`` needn't be whole (:func:`independent_trials`).

    Examples
    --------
    >>> round(expected_max(10), 6)
    1.574598
    """
    if not trials >= 1:
        raise ValueError(f"trials must be at least 1, was {trials}")
    if trials == 1:
        return 0.0
    first = NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    # between one and two, where the approximation would have choice do harm
    return max(0.0, (1.0 - EULER) * first + EULER * second)


def deflated_sharpe(
    sharpe: float,
    n: int,
    trials: float,
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
        Everything that was ever tried, not only what was kept; where many were near copies of each
        other, :func:`independent_trials` of them.
    variance
        Of the trials' Sharpe ratios: :func:`trial_variance` where they were kept; ``1 / n``, what
        it is where all are worthless, where they weren't.

    Examples
    --------
    >>> round(deflated_sharpe(2.5 / 250**0.5, 1250, 100, 0.5 / 250, skew=-3, kurtosis=10), 7)
    0.9003968
    """
    if not variance >= 0.0:
        raise ValueError(f"variance must be 0 or more, was {variance}")
    benchmark = math.sqrt(variance) * expected_max(trials)
    return probabilistic_sharpe(sharpe, n, skew, kurtosis, benchmark)


def trial_variance(sharpes: Floats, n: int) -> float:
    """Variance of the trials' Sharpe ratios (``n - 1``), for :func:`deflated_sharpe`.

    Parameters
    ----------
    sharpes
        ``float64[k]``: of everything that was tried, each from ``n`` observations; unknown ones
        (``nan``) are left out. Of fewer than two the value is ``1 / n``, that of worthless trials.
    n
        Observations of each, from 2.

    Examples
    --------
    >>> trial_variance(np.array([0.1, 0.2, 0.3]), 250)
    0.01
    """
    if n < 2:
        raise ValueError(f"n must be at least 2, was {n}")
    known = sharpes[~np.isnan(sharpes)]
    return float(known.var(ddof=1)) if len(known) > 1 else 1.0 / n


def independent_trials(returns: Floats) -> float:
    """How many independent trials these are worth.

    ``ρ + (1 - ρ) M``, ρ the average correlation of the ``M`` trials, taken as 0 where it is
    negative: copies count once, unlike ones each. Source: "The deflated Sharpe ratio", appendix 3.
    A correlation from few observations is itself uncertain; the plain number of trials is the safe
    choice.

    Parameters
    ----------
    returns
        ``float64[n, M]``: of each trial over the same ``n`` decisions. One that never varied is
        correlated with none.

    Examples
    --------
    >>> once = np.random.default_rng(0).normal(size=(500, 1))
    >>> independent_trials(np.hstack((once, once, 2.0 * once)))
    1.0
    """
    n, trials = returns.shape
    if n < 2 or trials < 1:
        raise ValueError(
            "returns must be of two decisions and one trial at least, "
            f"were of {n} decisions and {trials} trials"
        )
    if trials == 1:
        return 1.0
    off = returns - returns.mean(axis=0)
    spread = np.sqrt((off**2).sum(axis=0))
    varied = spread > 1e-12 * np.abs(returns).max(axis=0)
    units = off[:, varied] / spread[varied]
    # the sum of all correlations is the square of the sum of the unit vectors
    among = float((units.sum(axis=1) ** 2).sum()) - units.shape[1]
    average = max(0.0, among / (trials * (trials - 1)))
    return float(average + (1.0 - average) * trials)


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
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be above 0 and below 1, was {confidence}")
    if sharpe <= benchmark:
        return math.inf
    z = NORMAL.inv_cdf(confidence) / (sharpe - benchmark)
    return 1.0 + _spread(sharpe, skew, kurtosis) * z**2


def min_backtest_length(trials: int, sharpe: float) -> float:
    """Length below which the best of ``trials`` worthless strategies shows ``sharpe``.

    In the unit of time that ``sharpe`` is per: ``(expected_max(trials) / sharpe)²``.

    Examples
    --------
    >>> min_backtest_length(45, 1.0)  # five years, for an annual Sharpe ratio of 1
    4.998087
    """
    if not sharpe > 0.0:
        raise ValueError(f"sharpe must be positive, was {sharpe}")
    return (expected_max(trials) / sharpe) ** 2
