"""Volatility target: how much rougher the next events are than the last ones were."""

from __future__ import annotations

import numba as nb
import numpy as np

from features.labels.classes import Floats, Ints
from features.labels.future import known_until
from market.tape import Tape

__all__ = ["volatility_target"]


def volatility_target(
    tape: Tape, rows: Ints, volatility: Floats, horizon: int
) -> tuple[Floats, Ints]:
    """Return the realised volatility over the next events, as a log ratio to the present one.

    ``log(sqrt((r[t+1]**2 + ... + r[t+h]**2) / h) / volatility[t])``, *r* the log returns of the
    closes. 0: as now; .69: twice as rough.

    Parameters
    ----------
    rows
        ``int64[m]``: event of each decision.
    volatility
        ``float64[m]``: of log returns, per event, at the decision.
    horizon
        Events looked ahead, from 1.

    Returns
    -------
    target
        ``float64[m]``, no unit; nan where the horizon leaves the tape or crosses a gap, where the
        present volatility is unknown or zero, and where the price stood still.
    end
        ``int64[m]``: the event that settled it, *t + h*; the decision's own where there is none.

    Notes
    -----
    Realised variance: Andersen and Bollerslev, 1998. Each window is summed from the end and the
    beginning of two blocks, so a jump leaves no rounding error in the windows that don't hold it.

    Examples
    --------
    >>> tape = Tape.of_ticks("X", np.arange(1, 4), np.exp([0.0, 0.02, 0.0]))
    >>> target, end = volatility_target(tape, np.array([0, 1, 2]), np.full(3, 0.01), 1)
    >>> target.round(3).tolist(), end.tolist()
    ([0.693, 0.693, nan], [1, 2, 2])
    """
    if horizon < 1:
        raise ValueError(f"horizon must be at least 1, was {horizon}")
    end = rows + horizon
    known = (end < known_until(tape, rows)) & (volatility > 0.0) & np.isfinite(volatility)
    settled = np.where(known, end, rows)
    squares = np.diff(np.log(tape.close), prepend=np.log(tape.close[:1])) ** 2
    realised = np.sqrt(_sums(squares, horizon)[settled] / horizon)
    known &= realised > 0.0
    ratio = np.divide(realised, volatility, out=np.ones(len(rows)), where=known)
    return np.where(known, np.log(ratio), np.nan), np.where(known, end, rows)


@nb.njit(cache=True)
def _sums(values: Floats, window: int) -> Floats:
    """Sum the last ``window`` values up to each; in O(n), with no value ever taken away again."""
    n = len(values)
    tails = np.zeros(n + 1)
    for i in range(n - 1, -1, -1):
        tails[i] = values[i] + (0.0 if (i + 1) % window == 0 else tails[i + 1])
    sums = np.empty(n)
    head = 0.0
    for i in range(n):
        head = values[i] + (0.0 if i % window == 0 else head)
        # a window that is one block, or begins before the first value, is its head alone
        whole = (i + 1) % window == 0 or i < window
        sums[i] = head if whole else tails[i - window + 1] + head
    return sums
