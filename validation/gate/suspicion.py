"""Whether a result is too good to be true; a surprising one is a bug until proven otherwise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from validation.bootstrap import block_means
from validation.evidence import Evidence
from validation.gate.config import GateConfig
from validation.gate.earnings import student
from validation.gate.finding import Finding
from validation.ratios import sharpe
from validation.verdict import Check

__all__ = ["decay", "fills", "surprise"]

Floats = npt.NDArray[np.float64]

SMALLEST = 1e-3
"""Gain from fills, as a share of what equity moves, below which it is rounding."""


def surprise(evidence: Evidence, config: GateConfig, lucky: bool) -> Finding:
    """Limit how well anybody can foresee.

    Parameters
    ----------
    lucky
        Whether luck or drift explains the gain; then only the information coefficient counts.
        Between rare jumps drift has any Sharpe ratio, and when a price will move can be foreseen
        well after one, by who doesn't know whither. Neither is a bug, nor is it promoted.
    """
    ic = correlation(evidence.exposures, evidence.market)
    ratio = 0.0 if lucky else sharpe(evidence.net_returns)
    base = float(evidence.base_log_loss.mean())
    # Where class frequencies are sure of what then happens there is nothing to save.
    saved = 1.0 - float(evidence.log_loss.mean()) / base if base > 0.0 else 0.0
    text = f"information coefficient {ic:+.3f}, plausible up to {config.max_ic:g}"
    if not lucky:
        text += (
            f", as is the net Sharpe ratio of a decision, {ratio:+.3f}; {saved:.1%} of the base "
            f"rate's log-loss saved, plausible up to {config.max_skill:.0%}"
        )
    passed = max(ic, ratio) <= config.max_ic and (lucky or saved <= config.max_skill)
    check = Check("surprise", bool(passed), text, "suspicious")
    return Finding(check, {"information_coefficient": ic, "skill": saved})


def decay(evidence: Evidence, config: GateConfig) -> Finding | None:
    """Limit what is lost if every exposure comes one decision later; ``None`` if not asked for.

    Meant for results that are more than luck: of noise any share is gone.
    """
    exposures, market = evidence.exposures, evidence.market
    now, later = float(exposures @ market), float(exposures[:-1] @ market[1:])
    if config.max_decay is None or now <= 0.0:
        return None
    lost = 1.0 - later / now
    text = (
        f"{lost:.0%} of the gross gain is gone one decision later; "
        f"plausible up to {config.max_decay:.0%}"
    )
    return Finding(Check("decay", lost <= config.max_decay, text, "suspicious"), {"decay": lost})


def fills(evidence: Evidence, config: GateConfig) -> Finding:
    """See that equity earned no more than the market gave its exposures.

    What equity gained beyond ``exposure · (exp(market) - 1)`` comes from fills, and is less than
    nothing on average: costs are in it.
    """
    given = evidence.exposures * np.expm1(evidence.market)
    beyond = evidence.net_returns - given
    means = block_means(beyond, config.block)
    t = sharpe(means) * float(np.sqrt(len(means)))
    material = float(beyond.mean()) > SMALLEST * float(np.abs(evidence.net_returns).mean())
    text = (
        f"fills and costs brought {float(beyond.sum()):+.2%} in all (t {t:+.1f}); "
        "they cost, and bring nothing"
    )
    passed = not (material and t > student(config.t, len(means) - 1))
    return Finding(
        Check("fills", bool(passed), text, "suspicious"), {"beyond_market": float(beyond.sum())}
    )


def correlation(first: Floats, second: Floats) -> float:
    """Correlation; 0 where one of the two doesn't vary."""
    a, b = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    tiny = 1e-12 * float(np.abs(first).max() * np.abs(second).max()) * len(first)
    return float(a @ b) / scale if scale > tiny else 0.0
