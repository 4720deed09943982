"""Fitting any kind of volatility model, and running any kind of numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.volatility.config import EwmaConfig, GarchConfig, HarConfig
from models.volatility.ewma import Ewma, fit_ewma
from models.volatility.garch import Garch
from models.volatility.garch_fit import fit_garch
from models.volatility.har import Har, fit_har
from models.volatility.numbers import EwmaNumbers, GarchNumbers, VolatilityNumbers
from models.volatility.port import FittedVolatility

__all__ = ["fit_volatility", "numbers_of", "running"]

Floats = npt.NDArray[np.float64]


def numbers_of(config: EwmaConfig | GarchConfig | HarConfig, returns: Floats) -> VolatilityNumbers:
    """Fit a model and return its numbers; errors as :func:`fit_volatility`."""
    if isinstance(config, EwmaConfig):
        return fit_ewma(config, returns)
    if isinstance(config, GarchConfig):
        return fit_garch(config, returns)
    return fit_har(config, returns)


def running(numbers: VolatilityNumbers) -> FittedVolatility:
    """Return the model that has these numbers, nothing seen."""
    if isinstance(numbers, EwmaNumbers):
        return Ewma(numbers)
    return Garch(numbers) if isinstance(numbers, GarchNumbers) else Har(numbers)


def fit_volatility(
    config: EwmaConfig | GarchConfig | HarConfig, returns: Floats
) -> FittedVolatility:
    """Fit a model to returns; the same returns give the same model.

    Parameters
    ----------
    config
        Which.
    returns
        ``float64[n]``, in time order, in any one unit: log returns, or per cent.

    Raises
    ------
    DataError
        Too few returns, all alike, not finite, or the fit didn't converge.

    Examples
    --------
    >>> returns = np.random.default_rng(1).normal(0.0, 1e-4, 2000)
    >>> model = fit_volatility(EwmaConfig(decay=None), returns)
    >>> model.update(2e-4)
    >>> 0.9e-4 < model.value < 1.1e-4
    True
    """
    return running(numbers_of(config, returns))
