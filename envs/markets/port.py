"""The port that every source of prices fills: a number of events, drawn from a generator."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from market.tape import Tape

__all__ = ["Market"]


@runtime_checkable
class Market(Protocol):
    """A source of tapes. Frozen and picklable: workers of a cluster get it as it is."""

    @property
    def symbol(self) -> str:
        """What the tapes are called."""
        ...

    def tape(self, n: int, rng: np.random.Generator) -> Tape:
        """Draw a tape of ``n`` events.

        Parameters
        ----------
        n
            Events, from 2.
        rng
            Source of the randomness: the same state draws the same tape.

        Raises
        ------
        ValueError
            ``n`` is below 2, or more than there is.
        """
        ...
