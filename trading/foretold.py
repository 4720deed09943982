"""Forecasts made beforehand, looked up by the time of the decision: an ensemble for backtests."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from models.prediction import Prediction

__all__ = ["Foretold"]


@dataclass(frozen=True)
class Foretold:
    """What was forecast for each decision, or given as a signal.

    In an ensemble's place it lets a backtest by the live trader use forecasts that are expensive
    to make again: those of a walk-forward, out of fold, or of a signal from elsewhere.

    Parameters
    ----------
    times
        ``int64[n]``: of the decisions, increasing.
    told
        ``float64[n, 4]``: probabilities of down, flat and up, and disagreement.
    regime
        ``int64[n]``; -1 where none is told apart.
    version
        Stands for all of it in journals.

    Examples
    --------
    >>> foretold = Foretold.of_signal(np.array([1, 2]), np.array([0, -1]))
    >>> foretold.at(2).edge
    -1.0
    """

    times: npt.NDArray[np.int64]
    told: npt.NDArray[np.float64]
    regime: npt.NDArray[np.int64]
    version: str = "foretold"
    window: int = field(default=1, init=False)

    @classmethod
    def of_signal(cls, times: npt.NDArray[np.int64], signal: npt.NDArray[np.integer]) -> Foretold:
        """Make sure forecasts of a signal: 1 for up, -1 for down, 0 for flat."""
        sign = np.sign(signal)
        told = np.column_stack((sign < 0, sign == 0, sign > 0, np.zeros(len(sign))))
        return cls(times, told.astype(np.float64), np.full(len(times), -1))

    def many(
        self, times: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Look up several decisions.

        Raises
        ------
        DataError
            Nothing was foretold for one of them.
        """
        at = np.searchsorted(self.times, times)
        known = self.times[np.minimum(at, len(self.times) - 1)] == times
        if not known.all():
            raise DataError(
                f"nothing was foretold for the decision at {times[np.argmin(known)]}; forecast for "
                "every decision, flat where there is nothing to say"
            )
        return self.told[at], self.regime[at]

    def at(self, time: int) -> Prediction:
        """Look up one decision; see :meth:`many`."""
        told, regime = self.many(np.array([time]))
        down, flat, up, apart = told[0].tolist()
        return Prediction(down, flat, up, apart, regime=int(regime[0]))

    def predict(self, window: npt.NDArray[np.float32]) -> Prediction:
        """Refuse: what was foretold is looked up by time, see :meth:`at`."""
        raise DataError(f"nothing is foretold for a window of {len(window)} rows; use at(time)")
