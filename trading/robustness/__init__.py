"""Robustness: what is left of a result when luck, costs, markets and parameters are others."""

from trading.robustness.variation import Rerun, Variation

__all__ = ["Rerun", "Variation"]
