"""The dataset: one row per decision, with what was known and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.decisions import Carry, Recipe, Stretch, take
from features.labels import LabelConfig
from features.layout import lay
from market.beside import Beside
from market.errors import DataError
from market.execution import Costs
from market.tape import Tape

__all__ = ["Dataset", "barren", "build"]


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
        ``float32[m, F]``: the columns, all known, as a trader's window holds them.
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
    X: npt.NDArray[np.float32]
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


def build(
    tape: Tape,
    features: FeatureConfig,
    labels: LabelConfig,
    every: int,
    costs: Costs | None = None,
    beside: Beside | None = None,
) -> Dataset:
    """Make the dataset of a tape, in memory; :mod:`features.building` makes those of any size.

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
    costs
        What a trade costs, of which barriers are net; by default nothing.
    beside
        Trades, order book and peer, where columns are made of them.

    Raises
    ------
    DataError
        The tape is too short to warm the features up.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, was {every}")
    recipe = Recipe(features=features, labels=labels, every=every, costs=costs or Costs())
    whole = Stretch(tape, tape.slice(len(tape), len(tape)), beside or Beside())
    made, _ = take(recipe, whole, Carry.of(recipe))
    if not len(made):
        raise barren(tape.symbol, recipe, made.events, made.gaps, made.due, made.unknown)
    layout = lay(features)
    return Dataset(
        symbol=tape.symbol,
        **made.arrays,
        names=layout.names,
        schema=layout.schema,
        every=every,
        horizon=labels.horizon,
    )


def barren(
    symbol: str,
    recipe: Recipe,
    events: int,
    gaps: int,
    due: int,
    unknown: npt.NDArray[np.int64],
) -> DataError:
    """Say why a recording holds no decision on which every column is known.

    Parameters
    ----------
    events, gaps, due, unknown
        As in :class:`~features.decisions.Decisions`, of the whole recording.
    """
    found = recipe.features.found
    never = [one.name for one, times in zip(found, unknown, strict=True) if times == due]
    # Prices are always told: what is made of them alone lacks nothing but events without a gap.
    lacks = any(
        one.of.stream != "prices" or one.of.need not in ("price", "range")
        for one in found
        if one.name in never
    )
    if due and lacks and events > recipe.features.warmup:
        shown = ", ".join(never[:5]) + (f" and {len(never) - 5} more" if len(never) > 5 else "")
        return DataError(
            f"{symbol}: {events} events with {gaps} gaps, and nothing is ever known of {shown}; "
            "take them out of features.columns, or bring what they are made of"
        )
    return DataError(
        f"{symbol}: {events} events with {gaps} gaps hold no decision on warm features; needs "
        f"more than {recipe.features.warmup} events without a gap"
    )
