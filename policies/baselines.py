"""Policies anybody must beat: doing nothing, holding, and doing what the ensemble says."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from envs.action import ACTIONS, FLAT, HOLD, LONG, SHORT
from envs.observation import OBSERVATION
from envs.spec import PolicySpec

__all__ = ["Flat", "Follow", "Hold", "Probe"]

_NAMES = tuple(component.name for component in OBSERVATION)
_EDGE, _EXPOSURE, _HELD = (_NAMES.index(name) for name in ("edge", "exposure", "held"))
_EDGE_UNIT = 0.1
_HALF_LONG, _HALF_SHORT = ACTIONS.index(0.5), ACTIONS.index(-0.5)


class Flat:
    """Never trades: the right answer where there is no edge. Leaves a position it finds."""

    name: ClassVar[str] = "flat"
    version: ClassVar[str] = "1"
    spec: ClassVar[PolicySpec] = PolicySpec()

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Hold nothing."""
        return HOLD if observation[_EXPOSURE] == 0.0 else FLAT


class Hold:
    """Buys once and keeps it: what the market itself earned."""

    name: ClassVar[str] = "hold"
    version: ClassVar[str] = "1"
    spec: ClassVar[PolicySpec] = PolicySpec()

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Hold the largest long position, without trimming what it grows or shrinks to."""
        return HOLD if observation[_EXPOSURE] > 0.0 else LONG


class Follow:
    """Follows the ensemble, with a dead zone wide enough to pay for the trades.

    Parameters
    ----------
    enter
        Takes the largest position on the likelier side once ``|P(up) - P(down)|`` exceeds this.
    leave
        Closes it once the difference has turned to the other side by more than this.

    Raises
    ------
    ValueError
        ``enter`` not in (0, .5), or ``leave`` not in [0, ``enter``].

    Examples
    --------
    >>> from envs.observation import SIZE
    >>> seen = np.zeros(SIZE, np.float32)
    >>> seen[0] = 2.0  # P(up) - P(down) = .2
    >>> Follow(enter=0.1).act(seen), Follow(enter=0.3).act(seen)
    (5, 0)
    """

    name: ClassVar[str] = "follow"
    spec: ClassVar[PolicySpec] = PolicySpec()

    def __init__(self, enter: float = 0.1, leave: float = 0.0) -> None:
        if not 0.0 < enter < 0.5:
            raise ValueError(f"enter must be between 0 and .5, was {enter}")
        if not 0.0 <= leave <= enter:
            raise ValueError(f"leave must be between 0 and enter ({enter}), was {leave}")
        self.version = f"1-{enter:g}-{leave:g}"
        self._enter, self._leave = enter / _EDGE_UNIT, leave / _EDGE_UNIT

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Enter with the forecast, leave when it has turned."""
        edge, exposure = float(observation[_EDGE]), float(observation[_EXPOSURE])
        if edge > self._enter:
            return HOLD if exposure > 0.0 else LONG
        if edge < -self._enter:
            return HOLD if exposure < 0.0 else SHORT
        if exposure * edge < 0.0 and abs(edge) > self._leave:
            return FLAT
        return HOLD


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
        exposure = float(observation[_EXPOSURE])
        if exposure == 0.0:
            return _HALF_LONG
        if observation[_HELD] < self._held:
            return HOLD
        return _HALF_SHORT if exposure > 0.0 else _HALF_LONG
