"""Whether a hold-out may judge a registered ensemble: it has seen the rest, and nothing of that."""

from __future__ import annotations

import numpy as np

from features.dataset import Dataset
from market.errors import StateError
from market.tape import Tape
from models.card import Card
from models.registry.entry import Entry
from models.registry.lineage import data_digest
from venues.library.words import moment

__all__ = ["reaches", "same_data"]


def reaches(card: Card, tape: Tape, unseen: int) -> bool:
    """Whether an outcome that an ensemble learnt is of the hold-out.

    Parameters
    ----------
    tape
        The recording.
    unseen
        Venue time behind which the hold-out lies.
    """
    last = int(np.searchsorted(tape.times, card.end))
    return last + card.horizon >= int(np.searchsorted(tape.times, unseen, side="right"))


def same_data(entry: Entry, card: Card, dataset: Dataset) -> None:
    """Raise unless an ensemble was fitted on a part of this dataset.

    Parameters
    ----------
    entry
        Its registration.
    dataset
        Of the whole recording, with the labels, costs and clock of the configuration.

    Raises
    ------
    StateError
        It was fitted on something else.
    """
    first, last = np.searchsorted(dataset.times, [card.start, card.end])
    part = dataset.slice(int(first), int(last) + 1)
    if len(part) != card.decisions or data_digest(part) != entry.lineage.data:
        has = f"{len(part):,} other ones" if len(part) else "none"
        raise StateError(
            f"{entry.symbol} {entry.number} was trained on {card.decisions:,} decisions from "
            f"{moment(card.start)} to {moment(card.end)}; this recording, with these labels, costs "
            f"and `every`, has {has} there; bring what it was trained on, or train again with "
            "`pregao train`"
        )
