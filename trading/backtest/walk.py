"""Forecasts made ahead of a backtest: by one ensemble, or by those of a walk forward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.batch import compute_rows
from features.config import FeatureConfig
from features.dataset import Dataset
from market.beside import Beside
from market.clock import decision_rows
from market.errors import DataError
from market.tape import Tape
from models.runtime import EnsembleRuntime
from trading.foretold import Foretold
from trading.walkforward.steps import Step

__all__ = ["Walked", "foretell", "walked"]

SILENT = (0.0, 1.0, 0.0, 0.0)
"""What is told where there is nothing to say: flat, and nobody disagrees."""


def foretell(
    tape: Tape,
    beside: Beside,
    features: FeatureConfig,
    ensemble: EnsembleRuntime,
    every: int,
) -> Foretold:
    """Forecast every decision of a tape in batch.

    To rounding what the ensemble says one by one; where its window isn't full, nothing is said
    (sure of flat) rather than no decision made.

    Parameters
    ----------
    tape, beside
        The recording.
    features
        Columns the ensemble takes.
    ensemble
        It forecasts.
    every
        Events per decision.
    """
    due = decision_rows(tape.fresh, every)
    columns, _ = compute_rows(features, tape, due, beside)
    warm = ~np.isnan(columns).any(axis=1)
    holes = np.cumsum(tape.fresh)[due[warm]]
    fresh = np.diff(holes, prepend=-1) != 0
    told, regime = _silence(len(due))
    _tell(told, regime, np.flatnonzero(warm), ensemble, columns[warm], fresh)
    return Foretold(tape.times[due], told, regime, f"{ensemble.version}, in batch")


@dataclass(frozen=True)
class Walked:
    """A walk forward, ready to be traded as one.

    Parameters
    ----------
    tape, beside
        The recording, from as early as the first test's first decision needs.
    foretold
        What the ensembles of the steps said of their tests.
    """

    tape: Tape
    beside: Beside
    foretold: Foretold


def walked(
    tape: Tape,
    beside: Beside,
    dataset: Dataset,
    features: FeatureConfig,
    steps: Sequence[tuple[Step, EnsembleRuntime]],
    every: int,
) -> Walked:
    """Join the forecasts of a walk forward: each test by the ensemble fitted on what came before.

    One trader trades them all, so positions are carried from one ensemble to the next as they would
    be live, and nothing is learnt from what is traded.

    Parameters
    ----------
    tape, beside
        The recording.
    dataset
        Its decisions.
    features
        Columns of the dataset.
    steps
        In order, each with its ensemble.
    every
        Events per decision.

    Raises
    ------
    DataError
        No step, or too few events before the first test to warm the features up.
    """
    if not steps:
        raise DataError(f"{tape.symbol}: a walk forward needs a step or more")
    first = int(dataset.rows[steps[0][0].first])
    last = int(dataset.rows[steps[-1][0].last])
    # Whole decisions, so that the trader's clock strikes on the dataset's events.
    begin = first + 1 - -(-features.warmup // every) * every
    if begin < 0:
        raise DataError(
            f"{tape.symbol}: the first test begins at event {first}, which is {-begin} too few to "
            "warm the features up; lengthen the training"
        )
    part = tape.slice(begin, min(last + 2, len(tape)))
    near = beside.until(int(part.times[-1]))
    near = near.after(int(tape.times[begin - 1])) if begin else near
    times = part.times[decision_rows(part.fresh, every)]
    told, regime = _silence(len(times))
    for step, ensemble in steps:
        # The window of the first test's decision reaches back before it.
        lead = max(step.first - ensemble.window + 1, 0)
        rows = slice(lead, step.last + 1)
        fresh = dataset.fresh[rows].copy()
        fresh[:1] = True
        place = np.searchsorted(times, dataset.times[rows])
        within = (dataset.times[rows] >= dataset.times[step.first]) & (place < len(times))
        within[within] &= times[place[within]] == dataset.times[rows][within]
        own, of = _silence(len(place))
        _tell(own, of, np.arange(len(place)), ensemble, dataset.X[rows], fresh)
        told[place[within]], regime[place[within]] = own[within], of[within]
    versions = "+".join(ensemble.version[:8] for _, ensemble in steps)
    return Walked(part, near, Foretold(times, told, regime, versions))


def _silence(n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    return np.tile(SILENT, (n, 1)), np.full(n, -1)


def _tell(
    told: npt.NDArray[np.float64],
    regime: npt.NDArray[np.int64],
    place: npt.NDArray[np.int64],
    ensemble: EnsembleRuntime,
    X: npt.NDArray[np.floating],
    fresh: npt.NDArray[np.bool_],
) -> None:
    """Write what an ensemble says of rows, where it says something."""
    if not len(place):
        return
    proba, apart = ensemble.predict_rows(X, fresh)
    spoken = np.isfinite(proba[:, 0])
    told[place[spoken]] = np.column_stack((proba[spoken], apart[spoken]))
    regime[place] = ensemble.regimes(X, fresh)
