"""Policies that ask nobody: doing nothing, holding, and turning over at a fixed pace."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from envs.action import ACTIONS, FLAT, HOLD, LONG
from envs.spec import PolicySpec
from policies.baselines.seen import EXPOSURE, HELD

__all__ = ["Flat", "Hold", "Probe"]

_HALF_LONG, _HALF_SHORT = ACTIONS.index(0.5), ACTIONS.index(-0.5)


class Flat:
    """Never trades: the right answer where there is no edge. Leaves a position it finds."""

    name: ClassVar[str] = "flat"
    version: ClassVar[str] = "1"
    spec: ClassVar[PolicySpec] = PolicySpec()

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Hold nothing."""
        return HOLD if observation[EXPOSURE] == 0.0 else FLAT


class Hold:
    """Buys once and keeps it: what the market itself earned."""

    name: ClassVar[str] = "hold"
    version: ClassVar[str] = "1"
    spec: ClassVar[PolicySpec] = PolicySpec()

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Hold the largest long position, without trimming what it grows or shrinks to."""
        return HOLD if observation[EXPOSURE] > 0.0 else LONG


class Probe:
    """Turns half a position over at a fixed pace, whatever the market does.

    Not meant to earn: it loses its costs at a known rate. It keeps orders, fills, fees and limits
    in motion on markets where a sound policy stays out, as a health check of the whole path.

    Parameters
    ----------
    pace
        Decisions it stays on one side.

    Raises
    ------
    ValueError
        ``pace`` below 1.

    Examples
    --------
    >>> from envs.observation import SIZE
    >>> seen = np.zeros(SIZE, np.float32)
    >>> Probe().act(seen)
    4
    """

    name: ClassVar[str] = "probe"
    spec: ClassVar[PolicySpec] = PolicySpec()

    def __init__(self, pace: int = 20) -> None:
        if pace < 1:
            raise ValueError(f"pace must be at least 1, was {pace}")
        self.version = f"1-{pace}"
        # The observation tells n decisions as n / (n + 50); half of one keeps rounding out.
        self._held = (pace - 0.5) / (pace + 49.5)

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Enter long; then change sides each time the pace is up."""
        exposure = float(observation[EXPOSURE])
        if exposure == 0.0:
            return _HALF_LONG
        if observation[HELD] < self._held:
            return HOLD
        return _HALF_SHORT if exposure > 0.0 else _HALF_LONG
