"""Where a rule finds what it goes by in the observation."""

from __future__ import annotations

from envs.observation import OBSERVATION

__all__ = ["COST", "EDGE", "EDGE_UNIT", "EXPOSURE", "FLATNESS", "HELD", "VOLATILITY"]

_NAMES = tuple(component.name for component in OBSERVATION)

EDGE = _NAMES.index("edge")
FLATNESS = _NAMES.index("flat")
VOLATILITY = _NAMES.index("volatility")
EXPOSURE = _NAMES.index("exposure")
HELD = _NAMES.index("held")
COST = _NAMES.index("cost")

EDGE_UNIT = 0.1
"""``P(up) - P(down)`` that is seen as one."""
