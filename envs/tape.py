"""The simulator's input: one row per decision, with all that a policy may see and be filled at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from envs.observation import context_columns
from envs.spec import PolicySpec
from features.dataset import Dataset
from market.errors import DataError
from market.instruments import Instrument

__all__ = ["CONTEXT", "DecisionTape", "Reel"]

Floats = npt.NDArray[np.float64]

CONTEXT = (
    "price", "fill", "p_down", "p_flat", "p_up", "disagreement", "volatility", "vol_ratio",
    "day_sin", "day_cos", "regime",
)  # fmt: skip
"""Columns of :attr:`DecisionTape.rows`."""


@dataclass(frozen=True)
class DecisionTape:
    """One symbol's decisions in time order; ``m`` of them.

    Parameters
    ----------
    instrument
        What is traded, and what trading it costs.
    times
        ``int64[m]``: venue time of each decision, nanoseconds.
    rows
        ``float64[m, 11]``: the columns of :data:`CONTEXT`, all finite. A decision sees its row
        except ``fill``, the next event's open, which its order is filled around.
    every
        Events per decision.
    features
        ``float64[m, k]``: the columns that :attr:`envs.spec.PolicySpec.features` names, as they
        are.

    Raises
    ------
    DataError
        Fewer than two rows, or a value that isn't finite, or a price or volatility not positive.
    """

    instrument: Instrument
    times: npt.NDArray[np.int64]
    rows: Floats
    every: int = 1
    features: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        symbol = self.instrument.symbol
        if not len(self.features):
            object.__setattr__(self, "features", np.zeros((len(self.rows), 0)))
        if len(self.rows) < 2:
            raise DataError(
                f"{symbol}: a decision tape needs 2 rows or more, has {len(self.rows)}; "
                "give more history or decide more often"
            )
        good = np.isfinite(self.rows).all(axis=1) & (self.rows[:, [0, 1, 6]] > 0.0).all(axis=1)
        if not good.all():
            row = int(np.argmin(good))
            seen = dict(zip(CONTEXT, self.rows[row].tolist(), strict=True))
            raise DataError(
                f"{symbol}: decision {row} holds a value that can't be traded on: {seen}"
            )

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        proba: Floats,
        disagreement: Floats,
        instrument: Instrument,
        regimes: npt.NDArray[np.int64] | None = None,
        spec: PolicySpec | None = None,
    ) -> DecisionTape:
        """Join a dataset with what the ensemble said of it.

        Parameters
        ----------
        dataset
            The decisions.
        proba
            ``float64[m, 3]``: probabilities; rows of ``nan`` (no full window yet, or no
            out-of-fold prediction) are decisions that are not made, and are left out.
        disagreement
            ``float64[m]``.
        instrument
            What is traded.
        regimes
            ``int64[m]``: numbers of the regimes, see
            :meth:`~models.runtime.EnsembleRuntime.regimes`; ``None``: none is told apart.
        spec
            Names the features that the policy sees.
        """
        if proba.shape != (len(dataset), 3) or disagreement.shape != (len(dataset),):
            raise DataError(
                f"{dataset.symbol}: {len(dataset)} decisions need proba[{len(dataset)}, 3] and "
                f"disagreement[{len(dataset)}], were {proba.shape} and {disagreement.shape}"
            )
        slow, sin, cos = context_columns(dataset.names)
        rows = np.column_stack(
            (
                dataset.price, dataset.fill, proba, disagreement, dataset.volatility,
                -dataset.X[:, slow], dataset.X[:, sin], dataset.X[:, cos],
                np.full(len(dataset), -1) if regimes is None else regimes,
            )
        ).astype(np.float64, copy=False)  # fmt: skip
        spoken = np.isfinite(proba).all(axis=1) & np.isfinite(disagreement)
        columns = [] if spec is None else spec.columns(dataset.names)
        features = dataset.X[:, columns].astype(np.float64)
        return cls(instrument, dataset.times[spoken], rows[spoken], dataset.every, features[spoken])

    def __len__(self) -> int:
        return len(self.rows)

    def slice(self, start: int, stop: int) -> DecisionTape:
        """Return decisions ``start`` to ``stop`` (exclusive), as a view."""
        part = np.s_[start:stop]
        return replace(
            self, times=self.times[part], rows=self.rows[part], features=self.features[part]
        )

    @property
    def unit(self) -> float:
        """Typical log return of the largest position over one decision, one standard deviation."""
        typical = float(np.median(self.rows[:, 6])) * math.sqrt(self.every)
        return self.instrument.leverage * typical


@dataclass(frozen=True)
class Reel:
    """Several tapes laid end to end, for the compiled kernel.

    Parameters
    ----------
    rows
        ``float64[M, 11]``: all tapes' rows.
    features
        ``float64[M, k]``: all tapes' features.
    spans
        ``int64[n, 2]``: first row of each tape, and one beyond its last.
    terms
        ``float64[n, 6]``: leverage, commission, half spread, slippage, reward unit and cost per
        unit of each.
    """

    rows: Floats
    features: Floats
    spans: npt.NDArray[np.int64]
    terms: Floats

    @classmethod
    def of(cls, tapes: Sequence[DecisionTape]) -> Reel:
        """Lay ``tapes`` end to end."""
        if not tapes:
            raise DataError("the simulator needs at least one decision tape")
        ends = np.cumsum([len(tape) for tape in tapes])
        spans = np.column_stack((ends - [len(tape) for tape in tapes], ends))
        terms = [
            (
                tape.instrument.leverage,
                tape.instrument.costs.commission,
                tape.instrument.costs.half_spread,
                tape.instrument.costs.slippage,
                tape.unit,
                tape.instrument.costs.per_unit,
            )
            for tape in tapes
        ]
        rows = np.ascontiguousarray(np.concatenate([tape.rows for tape in tapes]))
        features = np.ascontiguousarray(np.concatenate([tape.features for tape in tapes]))
        return cls(rows, features, spans.astype(np.int64), np.array(terms, np.float64))
