"""Whether the ensemble behind a strategy knows something, and knows how much."""

from __future__ import annotations

import numpy as np

from validation.bootstrap import bootstrap_means
from validation.evidence import Evidence
from validation.gate.config import GateConfig
from validation.gate.finding import Finding
from validation.reliability import calibration_error
from validation.verdict import Check

__all__ = ["calibration", "skill"]


def skill(evidence: Evidence, config: GateConfig, rng: np.random.Generator) -> Finding:
    """Test the gain of log-loss over the training's class frequencies, paired by decision."""
    gain = evidence.base_log_loss - evidence.log_loss
    means = bootstrap_means(gain, config.block, config.samples, rng)
    bound = float(np.quantile(means, config.skill))
    loss, base = float(evidence.log_loss.mean()), float(evidence.base_log_loss.mean())
    text = (
        f"log-loss {loss:.4f} against {base:.4f} of the base rate, gain {base - loss:+.4f} with "
        f"{1.0 - config.skill:.0%} lower bound {bound:+.4f}; needs a bound above 0"
    )
    figures = {"log_loss": loss, "base_log_loss": base, "skill_bound": bound}
    return Finding(Check("skill", bool(bound > 0.0), text), figures)


def calibration(evidence: Evidence, config: GateConfig, rng: np.random.Generator) -> Finding | None:
    """Limit the distance of probabilities from frequencies; ``None`` without probabilities.

    Beyond the limit by estimate is a failure; within it, with a bound beyond, too little to tell.
    """
    if evidence.probabilities is None or evidence.labels is None:
        return None
    found = calibration_error(
        evidence.probabilities,
        evidence.labels,
        config.block,
        config.samples,
        2.0 * config.calibration_chance,
        rng,
    )
    sure = 1.0 - config.calibration_chance
    text = (
        f"probabilities {found.value:.3f} from frequencies with {sure:.0%} "
        f"upper bound {found.high:.3f}; needs a bound of at most {config.calibration:g}"
    )
    means = "no edge" if found.value > config.calibration else "inconclusive"
    check = Check("calibration", bool(found.high <= config.calibration), text, means)
    figures = {"calibration_error": found.value, "calibration_bound": found.high}
    return Finding(check, figures)
