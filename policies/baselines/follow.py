"""Does what the ensemble says, with a dead zone."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from envs.action import FLAT, HOLD, LONG, SHORT
from envs.spec import PolicySpec
from policies.baselines.seen import EDGE, EDGE_UNIT, EXPOSURE

__all__ = ["Follow"]


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
        self._enter, self._leave = enter / EDGE_UNIT, leave / EDGE_UNIT

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Enter with the forecast, leave when it has turned."""
        edge, exposure = float(observation[EDGE]), float(observation[EXPOSURE])
        if edge > self._enter:
            return HOLD if exposure > 0.0 else LONG
        if edge < -self._enter:
            return HOLD if exposure < 0.0 else SHORT
        if exposure * edge < 0.0 and abs(edge) > self._leave:
            return FLAT
        return HOLD
