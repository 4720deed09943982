"""The decisions of a stretch of a recording: what was known at each, and what came of it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from features.batch import compute_rows
from features.config import FeatureConfig
from features.labels import LabelConfig, label
from features.layout import State
from market.beside import Beside
from market.clock import decision_rows
from market.config import Config
from market.execution import Costs
from market.tape import Tape

__all__ = ["ARRAYS", "Carry", "Decisions", "Recipe", "Stretch", "joined", "take"]

ARRAYS: dict[str, str] = {
    "rows": "i8",
    "times": "i8",
    "X": "f4",
    "price": "f8",
    "fill": "f8",
    "volatility": "f8",
    "label": "i1",
    "label_end": "i8",
    "fresh": "?",
}
"""What there is of each decision, with its numpy type; :class:`~features.dataset.Dataset` says what
each is. The columns are ``float32`` because a trader's window is: a model is given the same."""


class Recipe(Config):
    """All that a dataset depends on besides the recording and the code.

    Parameters
    ----------
    features, labels
        What is computed.
    every
        Events per decision.
    costs
        What a trade costs, of which barriers are net.
    """

    features: FeatureConfig = FeatureConfig()
    labels: LabelConfig = LabelConfig()
    every: Annotated[int, Field(ge=1)] = 5
    costs: Costs = Costs()


@dataclass(frozen=True)
class Stretch:
    """A part of a recording.

    Parameters
    ----------
    tape
        Ticks or bars, perhaps none.
    ahead
        What comes after them: as many events as labels reach ahead, and at least one, if the
        recording has as many. Decisions are not made on these.
    beside
        What else was recorded up to the last event of ``tape``; all since the stretch before.
    """

    tape: Tape
    ahead: Tape
    beside: Beside


@dataclass(frozen=True)
class Carry:
    """What one stretch hands on to the next.

    Parameters
    ----------
    state
        The features' memory.
    events
        Of the tape, before this stretch.
    since
        Of those, since the start or the last gap.
    gaps
        How many there were.
    kept
        How many of them lay before the latest decision; -1 before the first.
    """

    state: State
    events: int = 0
    since: int = 0
    gaps: int = 0
    kept: int = -1

    @classmethod
    def of(cls, recipe: Recipe) -> Carry:
        """Return what the first stretch is handed."""
        return cls(State.of(recipe.features))


@dataclass(frozen=True)
class Decisions:
    """Decisions on warm features that have a next event to be filled on, in time order.

    Parameters
    ----------
    arrays
        By the names of :data:`ARRAYS`. Events are numbered from the recording's first.
    events, gaps, due
        Of the stretch; ``due`` counts the decisions left out because something was unknown too.
    unknown
        ``int64[F]``: on how many of those due each column was unknown.
    """

    arrays: dict[str, npt.NDArray[Any]]
    events: int
    gaps: int
    due: int
    unknown: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.arrays["rows"])


def take(recipe: Recipe, stretch: Stretch, carry: Carry) -> tuple[Decisions, Carry]:
    """Make the decisions of a stretch; ``carry`` is what the one before handed on.

    However a recording is cut, its stretches' decisions are, byte for byte, those of the whole.
    """
    tape, costs = stretch.tape, recipe.costs
    due = decision_rows(tape.fresh, recipe.every, carry.since)
    if not len(stretch.ahead):
        due = due[due < len(tape) - 1]
    state = deepcopy(carry.state)
    columns, volatility = compute_rows(recipe.features, tape, due, stretch.beside, state)
    warm = np.isfinite(volatility)
    rows, volatility = due[warm], volatility[warm]
    known = joined((tape, stretch.ahead))
    classes, end = label(recipe.labels, known, rows, volatility, costs)
    gaps = carry.gaps + np.cumsum(tape.fresh)[rows]
    with np.errstate(over="ignore"):  # whoever fits a model on it refuses what isn't finite
        X = (columns if warm.all() else columns[warm]).astype(np.float32)
    arrays: dict[str, npt.NDArray[Any]] = {
        "rows": rows + carry.events,
        "times": tape.times[rows],
        "X": X,
        "price": tape.close[rows],
        "fill": known.open[rows + 1],
        "volatility": volatility,
        "label": classes,
        "label_end": end + carry.events,
        "fresh": np.diff(gaps, prepend=carry.kept) > 0,
    }
    breaks = np.flatnonzero(tape.fresh)
    handed = Carry(
        state,
        carry.events + len(tape),
        len(tape) - int(breaks[-1]) if len(breaks) else carry.since + len(tape),
        carry.gaps + len(breaks),
        int(gaps[-1]) if len(gaps) else carry.kept,
    )
    unknown = np.isnan(columns[~warm]).sum(axis=0)
    return Decisions(arrays, len(tape), len(breaks), len(due), unknown), handed


def joined(tapes: tuple[Tape, ...]) -> Tape:
    """Return tapes that follow one another as one."""
    first, *rest = (tape for tape in tapes if len(tape)) if any(map(len, tapes)) else tapes[:1]
    if not rest:
        return first
    return Tape(
        first.symbol,
        first.bars,
        np.concatenate([tape.times for tape in (first, *rest)]),
        np.concatenate([tape.values for tape in (first, *rest)]),
        np.concatenate([tape.fresh for tape in (first, *rest)]),
    )
