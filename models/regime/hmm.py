"""The state of a Gaussian hidden Markov model, filtered over one window of rows.

The filter starts at the window's first row from the chain's stationary distribution and goes
forward, so it knows neither what was before nor what comes after:

    a_0(s) ∝ π(s) p(x_0 | s),   a_t(s) ∝ Σ_r a_(t-1)(r) A(r, s) p(x_t | s)

What it forgets by leaving out the rows before fades at least as fast as the chain mixes: by the
second largest eigenvalue of ``A`` to the power of the window's length, and faster where rows tell
states apart.

Source: Hamilton (1989); Rabiner (1989), section III.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.regime.card import HmmNumbers

__all__ = ["Hmm"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_BLOCK = 8192
"""Windows at a time in batch, whose states fit into the processor's cache."""


class Hmm:
    """Runtime of a hidden Markov model; one window and many take the same steps, in one order."""

    def __init__(self, numbers: HmmNumbers) -> None:
        self.count = len(numbers.stationary)
        self._start = numbers.stationary
        self._transitions = numbers.transitions
        self._means = np.array(numbers.means)
        self._whitenings = np.array(numbers.whitenings)
        heights = np.log(np.diagonal(self._whitenings, axis1=1, axis2=2)).sum(axis=1)
        self._heights = heights - heights.max()

    def densities(self, rows: Rows) -> Floats:
        """Densities of ``[m, K]`` rows in each state, ``[m, S]``, relative to a row's highest.

        A row so far out that it is impossible in one state is as likely as 1 in the one that it is
        least unlikely in: no row is impossible in all.
        """
        away = rows.astype(np.float64)[:, None, :] - self._means
        log = np.zeros(away.shape[:2])
        for i in range(away.shape[2]):
            # one product after the other: a matrix product may add in another order in batch
            whitened = self._whitenings[:, i, 0] * away[:, :, 0]
            for j in range(1, i + 1):
                whitened = whitened + self._whitenings[:, i, j] * away[:, :, j]
            log += whitened * whitened
        log = self._heights - 0.5 * log
        relative: Floats = np.exp(log - log.max(axis=1, keepdims=True))
        return relative

    def index(self, window: Rows) -> int:
        """Likeliest state of the window's last row; the lower one in a tie."""
        states, moves = range(self.count), self._transitions
        said = self.densities(window).tolist()
        filtered = [p * d for p, d in zip(self._start, said[0], strict=True)]
        for density in said[1:]:
            ahead = [filtered[0] * move for move in moves[0]]
            for r in states[1:]:
                p, row = filtered[r], moves[r]
                ahead = [ahead[s] + p * row[s] for s in states]
            filtered = [ahead[s] * density[s] for s in states]
            total = filtered[0]
            for value in filtered[1:]:
                total += value
            filtered = [value / total for value in filtered]
        return max(states, key=filtered.__getitem__)

    def at(self, rows: Rows, ends: Ints, window: int) -> Ints:
        """Likeliest states after the windows that end at ``ends``."""
        said = self.densities(rows).T.copy()
        found = np.empty(len(ends), dtype=np.int64)
        for at in range(0, len(ends), _BLOCK):
            some = ends[at : at + _BLOCK]
            found[at : at + _BLOCK] = self._filter(said, some - (window - 1), window)
        return found

    def _filter(self, said: Floats, first: Ints, window: int) -> Ints:
        states, moves = range(self.count), self._transitions
        filtered = [self._start[s] * said[s, first] for s in states]
        for step in range(1, window):
            row = first + step
            ahead = [filtered[0] * moves[0][s] for s in states]
            for r in states[1:]:
                ahead = [ahead[s] + filtered[r] * moves[r][s] for s in states]
            filtered = [ahead[s] * said[s, row] for s in states]
            total = filtered[0]
            for value in filtered[1:]:
                total = total + value
            filtered = [value / total for value in filtered]
        likeliest: Ints = np.argmax(np.array(filtered), axis=0)
        return likeliest
