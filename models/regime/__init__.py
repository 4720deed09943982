"""Regimes: which kind of market it is, by the last rows of a few columns alone."""

from __future__ import annotations

from models.regime.card import HmmNumbers, RegimeCard, ThresholdNumbers
from models.regime.config import HmmConfig, RegimeConfig, ThresholdConfig
from models.regime.fitting import fit_regime
from models.regime.runtime import Regimes

__all__ = [
    "HmmConfig",
    "HmmNumbers",
    "RegimeCard",
    "RegimeConfig",
    "Regimes",
    "ThresholdConfig",
    "ThresholdNumbers",
    "fit_regime",
]
