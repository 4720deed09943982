"""The simulator's input: a row per decision, and every event that happens between decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from envs.observation import context_columns
from envs.spec import PolicySpec
from features.dataset import Dataset
from market.errors import DataError
from market.instruments import Instrument
from market.tape import VOLUME, Tape

__all__ = ["CONTEXT", "EVENT", "DecisionTape", "Events"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CONTEXT = (
    "price", "fill", "p_down", "p_flat", "p_up", "disagreement", "volatility", "vol_ratio",
    "day_sin", "day_cos", "regime",
)  # fmt: skip
"""Columns of :attr:`DecisionTape.rows`."""

EVENT = ("open", "high", "low", "close", "volume", "widen")
"""Columns of :attr:`Events.values`."""


@dataclass(frozen=True)
class Events:
    """What happens between decisions, ``e`` events in time order.

    Parameters
    ----------
    bars
        Whether they are bars (else ticks, whose four prices are one).
    times
        ``int64[e]``: venue time of each, nanoseconds; a bar's close.
    values
        ``float64[e, 6]``: the columns of :data:`EVENT`. Volume is ``nan`` where unknown; ``widen``
        multiplies spread and slippage, 1 ordinarily, ``inf`` while trading is halted.
    """

    bars: bool
    times: Ints
    values: Floats

    @classmethod
    def of(cls, tape: Tape, widen: Floats | None = None) -> Events:
        """Take a tape's rows, and what spread and slippage are multiplied with at each."""
        values = np.ones((len(tape), len(EVENT)))
        values[:, : VOLUME + 1] = tape.values[:, : VOLUME + 1]
        if widen is not None:
            values[:, -1] = widen
        return cls(tape.bars, tape.times, values)


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
        except ``fill``, the next event's open.
    every
        Events per decision.
    features
        ``float64[m, k]``: the columns that :attr:`envs.spec.PolicySpec.features` names, as they
        are.
    events
        All events from the first decision's to the last one's. Left out, they are made of price
        and fill: one bar from decision to decision, from the fill to the next price, no higher
        and no lower than the two.
    at
        ``int64[m]``: event that each decision was made on; increasing.
    fresh
        ``bool[m]``: whether a gap lies before the decision; left out, there is none.

    Raises
    ------
    DataError
        Fewer than two rows, or a value that isn't finite, or a price or volatility not positive;
        or events that don't fit.
    """

    instrument: Instrument
    times: Ints
    rows: Floats
    every: int = 1
    features: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    events: Events | None = None
    at: Ints | None = None
    fresh: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        symbol = self.instrument.symbol
        if not len(self.features):
            object.__setattr__(self, "features", np.zeros((len(self.rows), 0)))
        if not len(self.fresh):
            object.__setattr__(self, "fresh", np.zeros(len(self.rows), np.bool_))
        if len(self.rows) < 2:
            raise DataError(
                f"{symbol}: a decision tape needs 2 rows or more, has {len(self.rows)}; "
                "give more history or decide more often"
            )
        if len(self.fresh) != len(self.rows):
            raise DataError(
                f"{symbol}: fresh must be one flag a decision, {len(self.rows)}, "
                f"was {len(self.fresh)}"
            )
        good = np.isfinite(self.rows).all(axis=1) & (self.rows[:, [0, 1, 6]] > 0.0).all(axis=1)
        if not good.all():
            row = int(np.argmin(good))
            seen = dict(zip(CONTEXT, self.rows[row].tolist(), strict=True))
            raise DataError(
                f"{symbol}: decision {row} holds a value that can't be traded on: {seen}"
            )
        if (self.events is None) != (self.at is None):
            raise DataError(f"{symbol}: events and at are given together or not at all")
        if self.events is not None and self.at is not None:
            fits = len(self.at) == len(self.rows) and bool((np.diff(self.at) > 0).all())
            if not fits or not 0 <= self.at[0] <= self.at[-1] < len(self.events.times):
                raise DataError(
                    f"{symbol}: at must name an event for each of {len(self.rows)} decisions, "
                    f"increasing, of {len(self.events.times)} events"
                )

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        proba: Floats,
        disagreement: Floats,
        instrument: Instrument,
        regimes: Ints | None = None,
        spec: PolicySpec | None = None,
        tape: Tape | None = None,
        widen: Floats | None = None,
    ) -> DecisionTape:
        """Join a dataset with what the ensemble said of it, and with what happened in between.

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
        tape
            What the dataset was made of. Without it, what happens between two decisions isn't
            known: brackets, latency and liquidation meet the two prices alone.
        widen
            ``float64[len(tape)]``: what spread and slippage are multiplied with at each event.
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
        features = dataset.X[spoken][:, columns].astype(np.float64)
        at, events = dataset.rows[spoken], None
        if tape is not None and len(at):
            first, last = int(at[0]), int(at[-1]) + 1
            part = None if widen is None else widen[first:last]
            events = Events.of(tape.slice(first, last), part)
        return cls(
            instrument, dataset.times[spoken], rows[spoken], dataset.every, features,
            events, None if events is None else at - at[0],
            np.diff(np.cumsum(dataset.fresh)[spoken], prepend=0) > 0,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def price(self) -> Floats:
        """``float64[m]``: price at each decision; positions are marked at it."""
        return self.rows[:, 0]

    def slice(self, start: int, stop: int) -> DecisionTape:
        """Return decisions ``start`` to ``stop`` (exclusive), as a view."""
        part = np.s_[start:stop]
        return replace(
            self,
            times=self.times[part],
            rows=self.rows[part],
            features=self.features[part],
            at=None if self.at is None else self.at[part],
            fresh=self.fresh[part],
        )

    def take(self, rows: Ints) -> DecisionTape:
        """Return the decisions ``rows``, increasing; what lay between two of them still happens."""
        events, at = self.happening
        return replace(
            self,
            times=self.times[rows],
            rows=self.rows[rows],
            features=self.features[rows],
            events=events,
            at=at[rows],
            fresh=np.diff(np.cumsum(self.fresh)[rows], prepend=0) > 0,
        )

    @property
    def happening(self) -> tuple[Events, Ints]:
        """The events, and which one each decision was made on."""
        if self.events is not None and self.at is not None:
            return self.events, self.at
        price, fill = self.rows[:, 0], self.rows[:, 1]
        values = np.ones((len(self), len(EVENT)))
        values[:, :4] = price[:, None]
        values[1:, 0] = fill[:-1]
        values[1:, 1] = np.maximum(fill[:-1], price[1:])
        values[1:, 2] = np.minimum(fill[:-1], price[1:])
        values[:, VOLUME] = np.nan
        return Events(True, self.times, values), np.arange(len(self))

    @property
    def unit(self) -> float:
        """Typical log return of the largest position over one decision, one standard deviation."""
        typical = float(np.median(self.rows[:, 6])) * math.sqrt(self.every)
        return self.instrument.leverage * typical
