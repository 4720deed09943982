"""What another strategy did at the decisions of one that is judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.backtest import Sleeve
from validation.evidence import Champion

__all__ = ["SMALLEST", "Rival"]

SMALLEST = 1e-12
"""Probabilities are taken to be at least this, so that one sure mistake has a finite loss."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rival:
    """A strategy to compare with, and its run over the same tape.

    Parameters
    ----------
    name
        For people.
    sleeve
        Its run.
    frequencies
        Class frequencies of its training: what it says where it has nothing to say.
    """

    name: str
    sleeve: Sleeve
    frequencies: tuple[float, float, float]

    def beside(self, other: Sleeve, times: Ints, outcomes: Ints) -> Champion:
        """Return its net returns from each decision of ``other`` to the next, and its log-losses.

        A longer window, or one that a hole emptied, makes it decide later: its position is marked
        at the other's prices then, and its class frequencies stand for a forecast.

        Parameters
        ----------
        times, outcomes
            ``int64[k]``: the other's labelled decisions, and what came of them.
        """
        equity = self._marked(other.times, other.prices)
        said = {one.time: one.probabilities for one in self.sleeve.decisions}
        chances = [
            (said.get(time) or self.frequencies)[outcome]
            for time, outcome in zip(times.tolist(), outcomes.tolist(), strict=True)
        ]
        losses = -np.log(np.maximum(np.array(chances, np.float64), SMALLEST))
        return Champion(self.name, np.diff(equity) / equity[:-1], losses)

    def _marked(self, times: Ints, prices: Floats) -> Floats:
        """Return its equity at other times, from the first of its own that isn't earlier.

        Between its decisions it fills no order but the last one's, at once: what it holds at a
        decision it has held since soon after the decision before.
        """
        own = self.sleeve
        units = np.array([*(one.units for one in own.decisions), own.trader.status().units])
        at = np.searchsorted(own.times, times)
        equity: Floats = own.equity[at] - units[at] * (own.prices[at] - prices)
        return equity
