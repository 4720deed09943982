"""All steps together: how good the forecasts were, what trading them earned, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from market.errors import DataError
from models.combination.comparison import Paired, compare, losses
from trading.walkforward.columns import Columns
from trading.walkforward.trading import Run
from validation.breakdown import Breakdown, breakdown
from validation.estimate import Estimate
from validation.evidence import Evidence
from validation.gate import GateConfig, judge
from validation.metrics import Performance, performance, periods_per_year
from validation.pbo import Overfitting, overfitting
from validation.ratios import sharpe
from validation.reliability import calibration_error
from validation.verdict import Verdict

__all__ = ["REGIMES", "Judged", "Outcome", "evidence_of", "joined", "judged", "sharpes", "whither"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

REGIMES = ("calm", "usual", "wild")
"""Thirds of the volatility that training had seen."""

SMALLEST = 1e-12
"""Probabilities are taken to be at least this, as those of the log-loss are."""

HALVES = 10
"""Blocks of the overfitting test: 252 choices of halves."""


class StepFigures(msgspec.Struct, frozen=True):
    """Log-loss of one step beside the base rate's, and the net return."""

    step: int
    decisions: int
    labelled: int
    log_loss: float
    base_log_loss: float
    net: float


class Judged(msgspec.Struct, frozen=True):
    """One variant over all steps.

    Parameters
    ----------
    name
        Of it.
    log_loss, base_log_loss
        Mean over the labelled decisions, nats; of the class frequencies of each step's training.
    gain
        Of it over the base rate; positive where it knows more.
    direction
        The part of ``gain`` that knows whither: ``-log p(y)`` is the surprise that the price moved,
        or didn't, and, where it moved, that it moved so; this is what the second saves.
    behind
        Of the ensemble over it; positive where the ensemble knows more. ``None`` for the ensemble.
    calibration
        Distance of probabilities from frequencies, see :mod:`validation.reliability`.
    performance
        Of the net returns.
    costs
        Paid, as a share of each step's starting equity, summed.
    verdict
        Of the gate, were these steps a hold-out: they are not, as whoever reads this chooses by it.
    steps
        One by one.
    """

    name: str
    log_loss: float
    base_log_loss: float
    gain: Paired
    direction: Paired
    behind: Paired | None
    calibration: Estimate
    performance: Performance
    costs: float
    verdict: Verdict
    steps: tuple[StepFigures, ...]


class Outcome(msgspec.Struct, frozen=True):
    """A symbol's walk-forward.

    Parameters
    ----------
    symbol
        Whose.
    trials
        Counted by the registry, these variants included.
    held
        What one unit of the market, held through all tests, would have earned before costs.
    pbo
        Probability of backtest overfitting over the variants; ``None`` where none or one traded.
    variants
        The ensemble last.
    seasons
        The ensemble by hour, session, weekday and regime.
    columns
        Whether they know the future, or have moved.
    runs
        What each did, by name; not written down.
    """

    symbol: str
    trials: int
    held: float
    pbo: float | None
    variants: tuple[Judged, ...]
    seasons: Breakdown
    columns: Columns
    runs: dict[str, Run]

    @property
    def ensemble(self) -> Judged:
        """The last variant."""
        return self.variants[-1]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready to be written as JSON; what isn't finite becomes ``None``."""
        own = {
            "symbol": self.symbol,
            "trials": self.trials,
            "held": self.held,
            "pbo": self.pbo,
            "columns": msgspec.to_builtins(self.columns),
            "seasons": self.seasons.as_dict(),
            "variants": [msgspec.to_builtins(one) for one in self.variants],
        }
        return dict(msgspec.json.decode(msgspec.json.encode(own)))  # nan and inf are null in JSON


def joined(runs: Sequence[Run]) -> Run:
    """Put a variant's steps together, in order of time."""
    jumps = [one.jumps for one in runs if one.jumps is not None]
    arrays = {
        name: np.concatenate([getattr(one, name) for one in runs])
        for name in Run.__struct_fields__
        if isinstance(getattr(runs[0], name), np.ndarray)
    }
    return Run(
        **arrays,
        trades=sum(one.trades for one in runs),
        costs=sum(one.costs for one in runs),
        jumps=sum(jumps) if jumps else None,
    )


def whither(proba: Floats, labels: Ints) -> Floats:
    """Return ``-log p(label | it moved)``; 0 where it didn't move.

    The rest of ``-log p(label)`` is the surprise that it moved, or didn't.

    Examples
    --------
    >>> proba = np.array([[0.2, 0.5, 0.3], [0.2, 0.5, 0.3]])
    >>> np.exp(-whither(proba, np.array([2, 1]))).round(6).tolist()
    [0.6, 1.0]
    """
    moved = labels != 1
    told = np.maximum(proba[np.arange(len(labels)), labels], SMALLEST)
    either = np.maximum(proba[:, 0] + proba[:, 2], SMALLEST)
    return np.where(moved, -np.log(np.minimum(told / either, 1.0)), 0.0)


def sharpes(runs: Mapping[str, Run]) -> dict[str, float]:
    """Net Sharpe ratio of each variant, per decision: what the registry keeps of a trial."""
    return {name: sharpe(one.returns) for name, one in runs.items()}


def evidence_of(run: Run, trials: int, trial_sharpes: Floats | None = None) -> Evidence:
    """Put together what the gate judges."""
    known = run.known
    said, labels = run.probabilities[known], run.labels[known]
    return Evidence(
        net_returns=run.returns,
        exposures=run.exposures,
        market=run.market,
        trades=run.trades,
        costs=run.costs,
        log_loss=losses(said, labels),
        base_log_loss=losses(run.base[known], labels),
        trials=trials,
        jumps=run.jumps,
        probabilities=said,
        labels=labels,
        trial_sharpes=trial_sharpes,
    )


def judged(
    symbol: str,
    runs: Mapping[str, Run],
    thresholds: Mapping[int, tuple[float, float]],
    overlap: float,
    gate: GateConfig,
    trials: int,
    trial_sharpes: Floats,
    columns: Columns,
    seed: int,
) -> Outcome:
    """Judge all variants of a symbol.

    Parameters
    ----------
    symbol
        Whose.
    runs
        Of all steps, by variant; the ensemble last.
    thresholds
        By step: volatility that a third, and two thirds, of its training lay below.
    overlap
        Decisions that share an outcome: horizon over ``every``.
    gate
        How sure is sure.
    trials, trial_sharpes
        What the registry counted, these variants included; their Sharpe ratios where known.
    columns
        What was found in them.
    seed
        Of all that is resampled.
    """
    last = list(runs)[-1]
    for name, run in runs.items():
        if not run.known.any():
            raise DataError(
                f"{symbol}: {name} met no decision whose outcome is known; bring more history"
            )
    block = max(gate.block, round(4.0 * overlap))
    return Outcome(
        symbol=symbol,
        trials=trials,
        held=math.expm1(float(runs[last].market.sum())),
        pbo=_pbo(runs),
        variants=tuple(
            _judge(
                name, run, None if name == last else runs[last], gate, block, trials,
                trial_sharpes, seed,
            )
            for name, run in runs.items()
        ),
        seasons=_seasons(runs[last], thresholds, block),
        columns=columns,
        runs=dict(runs),
    )  # fmt: skip


def _judge(
    name: str,
    run: Run,
    ensemble: Run | None,
    gate: GateConfig,
    block: int,
    trials: int,
    trial_sharpes: Floats,
    seed: int,
) -> Judged:
    rng = np.random.default_rng(seed)
    evidence = evidence_of(run, trials, trial_sharpes)
    own, base = evidence.log_loss, evidence.base_log_loss
    assert evidence.probabilities is not None
    assert evidence.labels is not None
    behind = None
    if ensemble is not None:
        both = run.known & ensemble.known
        labels = run.labels[both]
        behind = compare(
            losses(run.probabilities[both], labels),
            losses(ensemble.probabilities[both], labels),
            block,
            rng,
        )
    return Judged(
        name=name,
        log_loss=float(own.mean()),
        base_log_loss=float(base.mean()),
        gain=compare(base, own, block, rng),
        direction=compare(
            whither(run.base[run.known], evidence.labels),
            whither(evidence.probabilities, evidence.labels),
            block,
            rng,
        ),
        behind=behind,
        calibration=calibration_error(
            evidence.probabilities, evidence.labels, min(block, len(own)), 500, 0.05, rng
        ),
        performance=performance(
            run.returns, run.exposures, rng, block, 500, periods_per_year(run.times)
        ),
        costs=run.costs,
        verdict=judge(evidence, gate, rng),
        steps=tuple(_step(run, number) for number in np.unique(run.step).tolist()),
    )


def _step(run: Run, number: int) -> StepFigures:
    here = run.step == number
    known = here & run.known
    labels = run.labels[known]
    own, base = losses(run.probabilities[known], labels), losses(run.base[known], labels)
    return StepFigures(
        step=number,
        decisions=int(here.sum()),
        labelled=int(known.sum()),
        log_loss=float(own.mean()) if len(own) else math.nan,
        base_log_loss=float(base.mean()) if len(own) else math.nan,
        net=float(np.prod(1.0 + run.returns[here]) - 1.0),
    )


def _pbo(runs: Mapping[str, Run]) -> float | None:
    """Of those that traded: who stays out ties with everybody who does, and tells nothing."""
    matrix = np.column_stack([one.returns for one in runs.values()])
    matrix = matrix[:, np.any(matrix != 0.0, axis=0)]
    if matrix.shape[1] < 2 or len(matrix) < 2 * HALVES:
        return None
    found: Overfitting = overfitting(matrix, HALVES)
    return found.pbo


def _seasons(run: Run, thresholds: Mapping[int, tuple[float, float]], block: int) -> Breakdown:
    bounds = np.array([thresholds[number] for number in run.step.tolist()]).reshape(-1, 2)
    known = run.known
    loss, base = np.full(len(run.times), np.nan), np.full(len(run.times), np.nan)
    loss[known] = losses(run.probabilities[known], run.labels[known])
    base[known] = losses(run.base[known], run.labels[known])
    return breakdown(
        run.returns,
        run.exposures,
        run.times,
        log_loss=loss,
        base_log_loss=base,
        regime=(run.volatility[:, None] > bounds).sum(axis=1),
        regimes=REGIMES,
        block=block,
    )
