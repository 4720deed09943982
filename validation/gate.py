"""The promotion gate: evidence before money.

A strategy is promoted only if **all** of this holds on a hold-out it never touched:

1. net of costs it earned more than luck would, judged on means of blocks (``t``);
2. its timing did: the same exposures moved to other times would have earned less. This is what
   stops a position that stands still and collects drift between rare jumps;
3. it still stands when everything else that was tried is counted (deflated Sharpe ratio);
4. the ensemble behind it predicts better than the class frequencies do (needed, never enough:
   how far a price will move can be foreseen where nobody can foresee whither);
5. it lost at most so much from a peak on the way;
6. there was enough of everything to tell: decisions, trades, jumps.

One in-sample look promotes every noise; this lets through about one in a hundred at 1., fewer with
the rest. Where 1 to 5 hold and 6 doesn't, or there are too few decisions to test at all, the
verdict is "inconclusive": not a no, and not a promotion either.
"""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from market.config import Config
from validation.bootstrap import block_means, bootstrap_means, timing_p
from validation.evidence import Evidence
from validation.metrics import max_drawdown, moments, sharpe, t_stat
from validation.significance import deflated_sharpe
from validation.verdict import Check, Verdict

__all__ = ["GateConfig", "judge"]

Probability = Annotated[float, Field(gt=0.0, lt=1.0)]
Count = Annotated[int, Field(ge=1)]

NINE_IN_TEN = 1.2816
"""Standard normal quantile of .9."""


class GateConfig(Config):
    """How sure is sure.

    Parameters
    ----------
    t
        The block means' t must exceed this; 2.326 is one in a hundred.
    block
        Decisions per block; longer than a typical trade and than a label's horizon.
    min_blocks
        Blocks below which nothing is tested.
    timing
        Largest p of the timing test.
    shifts
        Shifts it tries.
    deflated
        The deflated Sharpe ratio must exceed this.
    skill
        Chance of calling a worthless ensemble skilful.
    samples
        Bootstrap samples of its gain.
    min_trades
        Round trips below which the verdict is inconclusive.
    min_jumps
        The same for jumps, on markets that have them.
    max_drawdown
        Largest loss from a peak, fraction of equity.
    """

    t: Annotated[float, Field(gt=0.0)] = 2.326
    block: Count = 50
    min_blocks: Annotated[int, Field(ge=10)] = 24
    timing: Probability = 0.01
    shifts: Annotated[int, Field(ge=99)] = 199
    deflated: Probability = 0.95
    skill: Probability = 0.05
    samples: Annotated[int, Field(ge=200)] = 1000
    min_trades: Count = 100
    min_jumps: Count = 500
    max_drawdown: Probability = 0.25


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
        return Verdict(False, "inconclusive", (text,), figures, (Check("decisions", False, text),))
    tests = (
        _profit(evidence, config),
        _timing(evidence, config, rng),
        _deflated(evidence, config),
        _skill(evidence, config, rng),
        _drawdown(evidence, config),
    )
    amounts = (_trades(evidence, config), _jumps(evidence, config))
    figures = {
        "decisions": float(decisions),
        "labelled": float(labelled),
        "net_return": float(np.prod(1.0 + evidence.net_returns) - 1.0),
        "costs": evidence.costs,
        "trials": float(evidence.trials),
        "sharpe": sharpe(evidence.net_returns),
        "detectable_sharpe": (config.t + NINE_IN_TEN) / math.sqrt(decisions),
    }
    checks = tuple(check for check, _ in (*tests, *amounts))
    for _, values in (*tests, *amounts):
        figures |= values
    # Evidence comes in numpy's numbers; a verdict is written down, and holds plain ones.
    figures = {name: float(value) for name, value in figures.items()}
    if all(check.passed for check in checks):
        headline = "edge"
    elif all(check.passed for check, _ in tests):
        headline = "inconclusive"
    else:
        headline = "no edge"
    promoted = headline == "edge"
    reasons = tuple(check.text for check in checks if check.passed is promoted)
    return Verdict(promoted, headline, reasons, figures, checks)


Outcome = tuple[Check, dict[str, float]]


def _profit(evidence: Evidence, config: GateConfig) -> Outcome:
    t = t_stat(evidence.net_returns, config.block)
    blocks = len(evidence.net_returns) // config.block
    text = (
        f"t of net returns {t:.2f} over {blocks} blocks of {config.block} decisions; "
        f"needs more than {config.t:g}"
    )
    return Check("profit", bool(t > config.t), text), {"t": t, "blocks": float(blocks)}


def _timing(evidence: Evidence, config: GateConfig, rng: np.random.Generator) -> Outcome:
    p = timing_p(evidence.exposures, evidence.market, config.shifts, rng)
    text = f"timing p {p:.3f} in {config.shifts} circular shifts; needs at most {config.timing:g}"
    return Check("timing", bool(p <= config.timing), text), {"timing_p": p}


def _deflated(evidence: Evidence, config: GateConfig) -> Outcome:
    means = block_means(evidence.net_returns, config.block)
    skew, kurtosis = moments(means)
    value = deflated_sharpe(
        sharpe(means), len(means), evidence.trials, 1.0 / len(means), skew, kurtosis
    )
    text = (
        f"deflated Sharpe ratio {value:.3f} after {evidence.trials} "
        f"trial{'s' * (evidence.trials > 1)}; needs more than {config.deflated:g}"
    )
    return Check("deflated", bool(value > config.deflated), text), {"deflated_sharpe": value}


def _skill(evidence: Evidence, config: GateConfig, rng: np.random.Generator) -> Outcome:
    gain = evidence.base_log_loss - evidence.log_loss
    means = bootstrap_means(gain, config.block, config.samples, rng)
    bound = float(np.quantile(means, config.skill))
    loss, base = float(evidence.log_loss.mean()), float(evidence.base_log_loss.mean())
    text = (
        f"log-loss {loss:.4f} against {base:.4f} of the base rate, gain {base - loss:+.4f} with "
        f"{1.0 - config.skill:.0%} lower bound {bound:+.4f}; needs a bound above 0"
    )
    figures = {"log_loss": loss, "base_log_loss": base, "skill_bound": bound}
    return Check("skill", bool(bound > 0.0), text), figures


def _drawdown(evidence: Evidence, config: GateConfig) -> Outcome:
    value = max_drawdown(evidence.net_returns)
    text = f"largest drawdown {value:.1%}; allowed {config.max_drawdown:.0%}"
    return Check("drawdown", bool(value <= config.max_drawdown), text), {"max_drawdown": value}


def _trades(evidence: Evidence, config: GateConfig) -> Outcome:
    text = f"{evidence.trades} round trips; needs at least {config.min_trades}"
    passed = evidence.trades >= config.min_trades
    return Check("trades", bool(passed), text), {"trades": float(evidence.trades)}


def _jumps(evidence: Evidence, config: GateConfig) -> Outcome:
    if evidence.jumps is None:
        return Check("jumps", True, "not a jump market"), {}
    text = (
        f"{evidence.jumps} jumps; needs at least {config.min_jumps} to tell skill from drift "
        "between them"
    )
    passed = evidence.jumps >= config.min_jumps
    return Check("jumps", bool(passed), text), {"jumps": float(evidence.jumps)}
