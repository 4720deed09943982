"""From a hold-out run to the evidence that the gate judges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.dataset import build
from features.labels import LabelConfig
from market.beside import Beside
from market.tape import Tape
from trading.backtest import Sleeve
from validation.evidence import Evidence

__all__ = ["gather"]

SMALLEST = 1e-12
"""Probabilities are taken to be at least this, so that one sure mistake has a finite loss."""


def gather(
    sleeve: Sleeve,
    tape: Tape,
    features: FeatureConfig,
    labels: LabelConfig,
    every: int,
    frequencies: npt.NDArray[np.float64],
    trials: int,
    beside: Beside | None = None,
) -> Evidence:
    """Put together what a strategy did on a hold-out.

    Parameters
    ----------
    sleeve
        Its run over ``tape``, by the very trader that runs live.
    tape
        The hold-out, with the events before it that warm the features up.
    features, labels, every
        As the ensemble was trained.
    frequencies
        ``float64[3]``: class frequencies of the **training** labels; the forecast to beat.
    trials
        Every model and policy ever judged on this symbol, this one included.
    beside
        What was recorded beside the tape, where columns are made of it.

    Notes
    -----
    Log-losses are those of the probabilities the trader acted on, as its decisions recorded them,
    at the decisions whose label is known.
    """
    dataset = build(tape, features, labels, every, sleeve.trader.instrument.costs, beside)
    label = dict(zip(dataset.times.tolist(), dataset.label.tolist(), strict=True))
    base = -np.log(np.maximum(frequencies, SMALLEST))
    losses, references = [], []
    for decision in sleeve.decisions:
        outcome = label.get(decision.time, -1)
        if outcome >= 0 and decision.probabilities is not None:
            losses.append(-np.log(max(decision.probabilities[outcome], SMALLEST)))
            references.append(base[outcome])
    status = sleeve.trader.status()
    start = sleeve.equity[0] if len(sleeve.decisions) else status.equity
    return Evidence(
        net_returns=sleeve.returns,
        exposures=sleeve.exposures,
        market=sleeve.market,
        trades=status.trades,
        costs=_costs(sleeve) / start,
        log_loss=np.array(losses),
        base_log_loss=np.array(references),
        trials=trials,
        jumps=_jumps(tape),
    )


def _costs(sleeve: Sleeve) -> float:
    """Commission, spread and slippage of the orders sent, account currency."""
    costs = sleeve.trader.instrument.costs
    return sum(
        abs(one.allowed - one.units) * one.price * costs.side(one.price)
        for one in sleeve.decisions
        if one.order
    )


def _jumps(tape: Tape, multiple: float = 12.0, one_sided: float = 0.5) -> int | None:
    """Count the jumps of a market that drifts one way between them; ``None`` for any other.

    A jump is a return beyond ``multiple`` medians; a diffusion never makes one, for twelve
    medians are eight standard deviations. Fat tails do, so a market counts only if its other
    returns lean to one side by more than ``one_sided`` (1: all up, or all down), as those of a
    Crash or Boom index do: there a position that stands still looks skilful until the jump comes.
    """
    returns = np.diff(np.log(tape.close))[~tape.fresh[1:]]
    sizes = np.abs(returns)
    if not (sizes > 0.0).any():
        return None
    jumped = sizes > multiple * np.median(sizes[sizes > 0.0])
    between = np.sign(returns[~jumped & (sizes > 0.0)])
    return int(np.count_nonzero(jumped)) if abs(between.mean()) > one_sided else None
