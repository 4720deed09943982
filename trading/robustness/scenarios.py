"""What can befall a market: one of each scenario."""

from __future__ import annotations

from trading.robustness.crashes import (
    CorrelatedCrash,
    FatFinger,
    FlashCrash,
    Gap,
    VolatilityJump,
)
from trading.robustness.disruptions import FeedOutage, Halt, SpreadBlowOut
from trading.robustness.scenario import Scenario, Stressed

__all__ = [
    "SCENARIOS",
    "CorrelatedCrash",
    "FatFinger",
    "FeedOutage",
    "FlashCrash",
    "Gap",
    "Halt",
    "Scenario",
    "SpreadBlowOut",
    "Stressed",
    "VolatilityJump",
]

SCENARIOS: tuple[Scenario, ...] = (
    FlashCrash(),
    Gap(),
    SpreadBlowOut(),
    FeedOutage(),
    Halt(),
    CorrelatedCrash(),
    VolatilityJump(),
    FatFinger(),
)
"""One of each."""
