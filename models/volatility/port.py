"""The port of a fitted volatility model, and what all of them share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from market.errors import DataError

__all__ = ["BOUND", "FittedVolatility", "bounded", "checked"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BOUND = 1e4
"""A variance stays within so many times, and one over so many times, the training returns' mean
square, its root within a hundred: after a price that stood still for long the next move would else
be infinitely unlikely, and one wrong price could send an exponential recursion anywhere."""


class FittedVolatility(ABC):
    """A volatility model after fitting, one return at a time.

    The state is that of a stream that has not begun, whatever it was fitted on: to go on live, give
    it the latest history first.
    """

    @property
    @abstractmethod
    def value(self) -> float:
        """Standard deviation of the next return, per return; ``nan`` until warm."""

    @abstractmethod
    def reset(self) -> None:
        """Forget every return: call it after a gap, across which there is none."""

    @abstractmethod
    def forecast(self, horizon: int) -> Floats:
        """Return the standard deviation of each of the next returns, ``float64[horizon]``.

        ``nan`` until warm. Returns are uncorrelated, so that of their sum is the root of the sum of
        squares. A variance of the future is the expected one.
        """

    @abstractmethod
    def fork(self) -> FittedVolatility:
        """Return the same model, nothing seen."""

    @abstractmethod
    def take(self, change: float) -> None:
        """Take a return that is known to be finite."""

    def update(self, change: float) -> None:
        """Take the next return, in the unit it was fitted in.

        Raises
        ------
        DataError
            It isn't finite.
        """
        if not math.isfinite(change):
            raise DataError(f"return must be finite, was {change}; reset() after a gap")
        self.take(change)

    def path(self, returns: Floats, fresh: Flags | None = None) -> Floats:
        """Give every return to a model that has seen none, and read its value after each.

        Parameters
        ----------
        returns
            ``float64[n]``.
        fresh
            ``bool[n]``: this return is the first after a gap.

        Returns
        -------
        ``float64[n]``: the forecast of return ``t + 1`` is in place ``t``; :attr:`value` of a
        stream, bit for bit. This model's own state stays as it is.

        Raises
        ------
        DataError
            A return isn't finite, or flags and returns differ in number.
        """
        changes = checked(returns)
        model, out = self.fork(), np.empty(len(changes))
        if fresh is None:
            for i, change in enumerate(changes.tolist()):
                model.take(change)
                out[i] = model.value
            return out
        if len(fresh) != len(changes):
            raise DataError(f"{len(changes)} returns need as many flags, were {len(fresh)}")
        for i, (change, first) in enumerate(zip(changes.tolist(), fresh.tolist(), strict=True)):
            if first:
                model.reset()
            model.take(change)
            out[i] = model.value
        return out


def bounded(variance: float, start: float) -> float:
    """Keep a variance within :data:`BOUND` of the training returns'; ``nan`` is the upper end."""
    high = start * BOUND
    if not variance < high:
        return high
    return max(variance, start / BOUND)


def checked(returns: Floats, least: int = 0, model: str = "") -> Floats:
    """Refuse returns that no model can be fitted to.

    Raises
    ------
    DataError
        Not finite; if ``least``, fewer than that, or all the same.
    """
    changes: Floats = np.asarray(returns, dtype=np.float64)
    if changes.ndim != 1:
        raise DataError(f"returns must be one row of numbers, had shape {changes.shape}")
    if not np.isfinite(changes).all():
        at = int(np.argmin(np.isfinite(changes)))
        raise DataError(f"return {at} must be finite, was {changes[at]}; leave out gaps' returns")
    if len(changes) < least:
        raise DataError(f"{model} needs at least {least} returns, were {len(changes)}")
    # the price stood still, or never did but for rounding
    if least and np.ptp(changes) <= 1e-12 * float(np.abs(changes).max()):
        raise DataError(f"{model} needs returns that vary, all were {changes[0]:g}")
    return changes
