"""The gate's decision: every check, and what their outcome means together."""

from __future__ import annotations

import math

import numpy as np

from validation.evidence import Evidence
from validation.gate.amounts import jumps, trades
from validation.gate.champion import champion
from validation.gate.config import GateConfig
from validation.gate.earnings import blocks, deflated, drawdown, profit, timing
from validation.gate.finding import Finding
from validation.gate.forecast import calibration, skill
from validation.gate.suspicion import decay, fills, surprise
from validation.ratios import sharpe
from validation.verdict import Check, Verdict

__all__ = ["judge"]

NINE_IN_TEN = 1.2816
"""Standard normal quantile of .9."""

WORST_FIRST = ("suspicious", "no edge", "inconclusive")
"""What a failed check can mean; the first that one means is the verdict."""


def judge(evidence: Evidence, config: GateConfig, rng: np.random.Generator) -> Verdict:
    """Decide whether a strategy may be promoted.

    Parameters
    ----------
    evidence
        What it did on the hold-out.
    config
        How sure is sure.
    rng
        Draws shifts and bootstrap samples; the same seed gives the same verdict.
    """
    need = config.min_blocks * config.block
    decisions, labelled = len(evidence.net_returns), len(evidence.log_loss)
    if decisions < need or labelled < need // 2:
        text = (
            f"{decisions} hold-out decisions, {labelled} of them labelled; needs at least {need} "
            f"and {need // 2} to test anything"
        )
        figures = {"decisions": float(decisions), "labelled": float(labelled)}
        check = Check("decisions", False, text, "inconclusive")
        return Verdict(False, "inconclusive", (text,), figures, (check,))
    findings = _findings(evidence, config, rng)
    checks = tuple(one.check for one in findings)
    failed = sorted(
        (check for check in checks if not check.passed),
        key=lambda check: WORST_FIRST.index(check.means),
    )
    figures = {
        "decisions": decisions,
        "labelled": labelled,
        "net_return": float(np.prod(1.0 + evidence.net_returns)) - 1.0,
        "costs": evidence.costs,
        "sharpe": sharpe(evidence.net_returns),
        "detectable_sharpe": (config.t + NINE_IN_TEN) / math.sqrt(decisions),
    }
    for one in findings:
        figures |= one.figures
    return Verdict(
        promoted=not failed,
        headline=failed[0].means if failed else "edge",
        reasons=tuple(check.text for check in failed or checks),
        # Evidence comes in numpy's numbers; a verdict is written down, and holds plain ones.
        figures={name: float(value) for name, value in figures.items()},
        checks=checks,
    )


def _findings(
    evidence: Evidence, config: GateConfig, rng: np.random.Generator
) -> tuple[Finding, ...]:
    earned, timed = profit(evidence, config), timing(evidence, config, rng)
    lucky = not (earned.check.passed and timed.check.passed)
    found = (
        earned,
        timed,
        deflated(evidence, config),
        skill(evidence, config, rng),
        calibration(evidence, config, rng),
        champion(evidence, config, rng),
        drawdown(evidence, config),
        trades(evidence, config),
        jumps(evidence, config),
        blocks(evidence, config),
        surprise(evidence, config, lucky),
        None if lucky else decay(evidence, config),
        fills(evidence, config),
    )
    return tuple(one for one in found if one is not None)
