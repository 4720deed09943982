"""Whether a strategy is at least as good as the one that trades now."""

from __future__ import annotations

import numpy as np

from validation.bootstrap import bootstrap_means
from validation.evidence import Evidence
from validation.gate.config import GateConfig
from validation.gate.finding import Finding
from validation.verdict import Check

__all__ = ["champion"]


def champion(evidence: Evidence, config: GateConfig, rng: np.random.Generator) -> Finding | None:
    """Compare with the champion on the same decisions; ``None`` if there is none.

    Differences of net return and of log-loss are taken decision by decision, so that the luck both
    had in common is not in them, and resampled in blocks. The value is the share of the samples in
    which the champion did better.
    """
    other = evidence.champion
    if other is None:
        return None
    earned = evidence.net_returns - other.net_returns
    saved = other.log_loss - evidence.log_loss
    chances = [
        float(np.mean(bootstrap_means(one, config.block, config.samples, rng) < 0.0))
        for one in (earned, saved)
    ]
    text = (
        f"against {other.name}: {float(earned.mean()):+.2e} a decision, chance of being worse "
        f"{chances[0]:.2f}; log-loss {-float(saved.mean()):+.4f}, chance of being worse "
        f"{chances[1]:.2f}; each may be at most {config.worse:g}"
    )
    figures = {
        "over_champion": float(earned.mean()),
        "worse_than_champion": chances[0],
        "log_loss_over_champion": -float(saved.mean()),
        "log_loss_worse_than_champion": chances[1],
    }
    return Finding(Check("champion", max(chances) <= config.worse, text), figures)
