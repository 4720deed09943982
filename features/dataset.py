"""The dataset: one row per decision, with what was known and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from features.batch import compute_rows
from features.config import FeatureConfig
from features.labels import LabelConfig, label
from features.layout import lay
from market.clock import decision_rows
from market.errors import DataError
from market.tape import Tape

__all__ = ["Dataset", "build"]


@dataclass(frozen=True)
class Dataset:
    """Decisions of one symbol, in time order; ``m`` of them.

    Parameters
    ----------
    symbol
        The instrument.
    rows
        ``int64[m]``: event of the tape each decision was made on.
    times
        ``int64[m]``: its venue time, nanoseconds.
    X
        ``float64[m, F]``: the columns, all finite.
    price
        ``float64[m]``: close at the decision; positions are marked at it.
    fill
        ``float64[m]``: open of the next event; the decision's order is filled around it.
    volatility
        ``float64[m]``: of log returns, per event.
    label
        ``int8[m]``: 0 down, 1 flat, 2 up, -1 unknown.
    label_end
        ``int64[m]``: event that settled the label; the decision's own where there is none.
    fresh
        ``bool[m]``: first decision, or first after a gap; windows of rows must not cross it.
    names
        The columns' names.
    schema
        Stands for columns and feature configuration.
    every
        Events per decision.
    horizon
        Events from decision to label.
    """

    symbol: str
    rows: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    X: npt.NDArray[np.float64]
    price: npt.NDArray[np.float64]
    fill: npt.NDArray[np.float64]
    volatility: npt.NDArray[np.float64]
    label: npt.NDArray[np.int8]
    label_end: npt.NDArray[np.int64]
    fresh: npt.NDArray[np.bool_]
    names: tuple[str, ...]
    schema: str
    every: int
    horizon: int

    def __len__(self) -> int:
        return len(self.rows)

    def slice(self, start: int, stop: int) -> Dataset:
        """Return decisions ``start`` to ``stop`` (exclusive); the first becomes ``fresh``."""
        part = slice(start, stop)
        cut = {
            field.name: getattr(self, field.name)[part]
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        cut["fresh"] = cut["fresh"].copy()
        cut["fresh"][:1] = True
        return replace(self, **cut)


def build(tape: Tape, features: FeatureConfig, labels: LabelConfig, every: int) -> Dataset:
    """Make the dataset of a tape.

    Kept are the decisions on warm features that have a next event to be filled on (across a gap
    too: nobody knew it was coming).

    Parameters
    ----------
    tape
        Ticks or bars.
    features, labels
        What is computed.
    every
        Events per decision, from 1.

    Raises
    ------
    DataError
        The tape is too short to warm the features up.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, was {every}")
    rows = decision_rows(tape.fresh, every)
    rows = rows[rows < len(tape) - 1]
    columns, volatility = compute_rows(features, tape, rows)
    warm = np.isfinite(volatility)
    if not warm.any():
        raise _barren(tape, features, columns)
    rows, columns, volatility = rows[warm], columns[warm], volatility[warm]
    classes, end = label(labels, tape, rows, volatility)
    gaps = np.cumsum(tape.fresh)[rows]
    layout = lay(features)
    return Dataset(
        symbol=tape.symbol,
        rows=rows,
        times=tape.times[rows],
        X=columns,
        price=tape.close[rows],
        fill=tape.open[rows + 1],
        volatility=volatility,
        label=classes,
        label_end=end,
        fresh=np.diff(gaps, prepend=gaps[0] - 1) > 0,
        names=layout.names,
        schema=layout.schema,
        every=every,
        horizon=labels.horizon,
    )


def _barren(tape: Tape, features: FeatureConfig, columns: npt.NDArray[np.float64]) -> DataError:
    """Say why a tape holds no decision on which every column is known."""
    names = np.array(lay(features).names)
    never = names[np.isnan(columns).all(axis=0)].tolist()
    if 0 < len(never) < len(names) and len(tape) > features.warmup:
        shown = ", ".join(never[:5]) + (f" and {len(never) - 5} more" if len(never) > 5 else "")
        return DataError(
            f"{tape.symbol}: nothing is ever known of {shown}; take them out of features.columns, "
            "or bring what they are made of"
        )
    return DataError(
        f"{tape.symbol}: {len(tape)} events with {int(tape.fresh.sum())} gaps hold no decision on "
        f"warm features; needs more than {features.warmup} events without a gap"
    )
