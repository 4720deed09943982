"""Whether what was earned is more than luck: profit, timing, deflation, drawdown."""

from __future__ import annotations

import math

import numpy as np

from validation.bootstrap import block_means, timing_p
from validation.evidence import Evidence
from validation.gate.config import GateConfig
from validation.gate.finding import Finding
from validation.ratios import max_drawdown, moments, sharpe
from validation.significance import (
    deflated_sharpe,
    min_track_record,
    probabilistic_sharpe,
    trial_variance,
)
from validation.verdict import Check

__all__ = ["blocks", "deflated", "drawdown", "profit", "student", "timing"]


def student(z: float, freedom: int) -> float:
    """Student's quantile of the chance that ``z`` is for a standard normal.

    Fisher and Cornish's expansion to the second order; right to .002 from 20 degrees of freedom at
    ``z`` below 3.

    Examples
    --------
    >>> round(student(2.326, 23), 3), round(student(2.326, 700), 3)
    (2.499, 2.331)
    """
    first = (z**3 + z) / 4.0
    second = (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
    return z + first / freedom + second / freedom**2


def profit(evidence: Evidence, config: GateConfig) -> Finding:
    """Test the mean net return by Student's t of block means."""
    means = block_means(evidence.net_returns, config.block)
    t = sharpe(means) * math.sqrt(len(means))
    need = student(config.t, len(means) - 1)
    text = (
        f"t of net returns {t:.2f} over {len(means)} blocks of {config.block} decisions; "
        f"needs more than {need:.3g}"
    )
    figures = {"t": t, "t_needed": need, "blocks": float(len(means)), "block": float(config.block)}
    return Finding(Check("profit", bool(t > need), text), figures)


def timing(evidence: Evidence, config: GateConfig, rng: np.random.Generator) -> Finding:
    """Test the times of the exposures against other times."""
    p = timing_p(evidence.exposures, evidence.market, config.shifts, rng)
    text = f"timing p {p:.3f} in {config.shifts} circular shifts; needs at most {config.timing:g}"
    return Finding(Check("timing", bool(p <= config.timing), text), {"timing_p": p})


def deflated(evidence: Evidence, config: GateConfig) -> Finding:
    """Count everything that was tried.

    The trials' Sharpe ratios, where they are known, may make the bar higher than that of worthless
    trials, never lower: a hundred copies of one setting have no spread, and prove nothing.
    """
    means = block_means(evidence.net_returns, config.block)
    one, (skew, kurtosis), n = sharpe(means), moments(means), len(means)
    known = np.empty(0) if evidence.trial_sharpes is None else evidence.trial_sharpes
    spread = config.block * trial_variance(known, len(evidence.net_returns))
    value = deflated_sharpe(one, n, evidence.trials, max(spread, 1.0 / n), skew, kurtosis)
    text = (
        f"deflated Sharpe ratio {value:.3f} after {evidence.trials} "
        f"trial{'s' * (evidence.trials > 1)}; needs more than {config.deflated:g}"
    )
    figures = {
        "deflated_sharpe": value,
        "probabilistic_sharpe": probabilistic_sharpe(one, n, skew, kurtosis),
        "trials": float(evidence.trials),
    }
    length = min_track_record(one, 0.0, skew, kurtosis) * config.block
    if math.isfinite(length):
        figures["min_track_record"] = length
    return Finding(Check("deflated", bool(value > config.deflated), text), figures)


def drawdown(evidence: Evidence, config: GateConfig) -> Finding:
    """Limit the largest loss from a peak."""
    value = max_drawdown(evidence.net_returns)
    text = f"largest drawdown {value:.1%}; allowed {config.max_drawdown:.0%}"
    passed = bool(value <= config.max_drawdown)
    figures = {"max_drawdown": value, "max_drawdown_allowed": config.max_drawdown}
    return Finding(Check("drawdown", passed, text), figures)


def blocks(evidence: Evidence, config: GateConfig) -> Finding:
    """See that blocks are long enough to be independent of their neighbours.

    Their means' correlation with the next must be below three standard errors, ``3 / √n``.
    """
    means = block_means(evidence.net_returns, config.block)
    off = means - means.mean()
    total = float(off @ off)
    value = float(off[1:] @ off[:-1]) / total if total > 0.0 else 0.0
    limit = 3.0 / math.sqrt(len(means))
    text = (
        f"correlation of neighbouring blocks {value:+.2f}; needs less than {limit:.2f}, "
        f"longer blocks than {config.block} decisions else"
    )
    check = Check("blocks", bool(value < limit), text, "inconclusive")
    return Finding(check, {"block_correlation": value})
