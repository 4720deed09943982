"""What fitted volatility models are: plain numbers, to be kept in a file."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["EwmaNumbers", "GarchNumbers", "HarNumbers", "VolatilityNumbers"]


class EwmaNumbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ewma"):
    """Of :class:`models.volatility.ewma.Ewma`.

    Parameters
    ----------
    decay
        Of a return's weight.
    start
        Mean square of the training returns.
    """

    decay: float
    start: float


class GarchNumbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="garch"):
    """Of :class:`models.volatility.garch.Garch`.

    Parameters
    ----------
    form
        Of the recursion.
    mean
        Of returns.
    omega, alpha, gamma, beta
        Of the recursion; ``gamma`` is 0 for ``garch``.
    freedom
        Degrees of, of Student's t; ``None`` for normal innovations.
    start
        Variance that the recursion starts from: the mean square of training residuals.
    log_likelihood
        Of the training returns.
    """

    form: Literal["garch", "gjr", "egarch"]
    mean: float
    omega: float
    alpha: float
    gamma: float
    beta: float
    freedom: float | None
    start: float
    log_likelihood: float


class HarNumbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="har"):
    """Of :class:`models.volatility.har.Har`.

    Parameters
    ----------
    scales
        Returns in each mean.
    constant, weights
        Of the regression, none negative.
    start
        Mean square of the training returns.
    """

    scales: tuple[int, ...]
    constant: float
    weights: tuple[float, ...]
    start: float


VolatilityNumbers = EwmaNumbers | GarchNumbers | HarNumbers
