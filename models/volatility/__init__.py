"""How far the next returns will reach: EWMA, GARCH, HAR, and the ensemble of them."""

from __future__ import annotations

from models.volatility.config import (
    EwmaConfig,
    GarchConfig,
    HarConfig,
    VolatilityConfig,
    VolatilityEnsembleConfig,
)
from models.volatility.ensemble import (
    EnsembleNumbers,
    FittedEnsemble,
    fit_ensemble,
)
from models.volatility.fitting import fit_volatility, running
from models.volatility.judging import VolatilityReport
from models.volatility.numbers import (
    EwmaNumbers,
    GarchNumbers,
    HarNumbers,
    VolatilityNumbers,
)
from models.volatility.port import FittedVolatility

__all__ = [
    "EnsembleNumbers",
    "EwmaConfig",
    "EwmaNumbers",
    "FittedEnsemble",
    "FittedVolatility",
    "GarchConfig",
    "GarchNumbers",
    "HarConfig",
    "HarNumbers",
    "VolatilityConfig",
    "VolatilityEnsembleConfig",
    "VolatilityNumbers",
    "VolatilityReport",
    "fit_ensemble",
    "fit_volatility",
    "running",
]
