"""What the columns look like to a suspicious reader: do they know the future, have they moved."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from features.dataset import Dataset
from market.errors import DataError
from trading.walkforward.steps import Step
from validation.adversarial import AdversarialConfig, adversarial
from validation.leakage import leaks

__all__ = ["Columns", "columns_of"]


class Columns(msgspec.Struct, frozen=True):
    """What was found in a dataset's columns.

    Parameters
    ----------
    leaking
        Those that tell more of what comes than of what was, the worst first; ``None`` where that
        could not be told.
    leaks
        The finding in words, or why none could be made.
    shifted
        Whether the last step's test is more unlike its training than spans of the history usually
        are; ``None`` where that could not be told.
    auc
        How well its rows are told from training's; .5 is not at all.
    shift
        The finding in words, or why none could be made.
    """

    leaking: tuple[str, ...] | None
    leaks: str
    shifted: bool | None
    auc: float
    shift: str

    @property
    def suspicious(self) -> bool:
        """Whether a column seems to know the future: then no figure is to be believed."""
        return bool(self.leaking)


def columns_of(
    dataset: Dataset, step: Step, seed: int, config: AdversarialConfig | None = None
) -> Columns:
    """Look at all columns, in all decisions; and at the rows of a step's test beside its training.

    A finding that takes more decisions than there are is said to be missing, and is no error.

    Parameters
    ----------
    dataset
        Without the hold-out.
    step
        The last one.
    seed
        Of what is drawn.
    config
        How hard a model tries to tell the rows.
    """
    rng = np.random.default_rng(seed)
    config = config or AdversarialConfig()
    reach = math.ceil(dataset.horizon / dataset.every)
    config = config.model_copy(update={"gap": max(config.gap, reach)})
    leaking: tuple[str, ...] | None = None
    try:
        found = leaks(
            dataset.X, dataset.names, dataset.label, dataset.label_end, rng, rows=dataset.rows
        )
        leaking, told = tuple(one.column for one in found.found), found.text
    except DataError as error:
        told = f"not looked for: {error}"
    train, test = np.arange(step.start, step.stop), np.arange(step.first, step.last + 1)
    try:
        moved = adversarial(dataset.X, dataset.names, train, test, rng, config)
    except DataError as error:
        return Columns(leaking, told, None, math.nan, f"not told: {error}")
    return Columns(leaking, told, bool(moved), moved.auc, moved.text)
