"""Direction: whether the price rose, fell, or stayed within its own noise."""

from __future__ import annotations

import numpy as np

from features.labels.classes import DOWN, FLAT, NONE, UP, Floats, Ints, Labels
from features.labels.future import known_until
from market.tape import Tape

__all__ = ["direction"]


def direction(tape: Tape, rows: Ints, volatility: Floats, horizon: int, threshold: float) -> Labels:
    """Label decisions by where the price was a fixed number of events later.

    ``UP`` if ``log(close[t + h] / close[t]) > threshold * volatility[t] * sqrt(h)``, ``DOWN`` if it
    is below minus that, else ``FLAT``; the bound is what was known at *t*.

    Parameters
    ----------
    rows
        ``int64[m]``: event of each decision.
    volatility
        ``float64[m]``: of log returns, per event, at the decision.
    horizon
        Events from decision to outcome.
    threshold
        In standard deviations of a move over the horizon.

    Returns
    -------
    label
        ``int8[m]``; ``NONE`` where the horizon leaves the tape or crosses a gap, or where the
        volatility is unknown.
    end
        ``int64[m]``: the event that settled the label, always ``t + h``; the decision's own where
        there is none.
    """
    end = rows + horizon
    known = (end < known_until(tape, rows)) & np.isfinite(volatility)
    settled = np.where(known, end, rows)
    move = np.log(tape.close[settled] / tape.close[rows])
    bound = threshold * volatility * np.sqrt(horizon)
    labels = np.where(move > bound, UP, np.where(move < -bound, DOWN, FLAT))
    return np.where(known, labels, NONE).astype(np.int8), settled
