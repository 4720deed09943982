"""Entries on the forecast, exits at a fixed profit or loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from envs.action import HOLD
from envs.spec import BracketActions, PolicySpec
from policies.baselines.seen import EDGE, EDGE_UNIT, EXPOSURE

__all__ = ["Bracket"]

_LONG, _SHORT = 2, 3


class Bracket:
    """Enters with the forecast when flat; a take profit, a stop loss or time takes it out again.

    Parameters
    ----------
    enter
        ``|P(up) - P(down)|`` beyond which it enters, in (0, .5).
    profit, loss
        Distances, volatilities of one event, both above 0.
    hold
        Decisions after which the position is closed; 0: never.

    Raises
    ------
    ValueError
        A parameter out of its range.

    Examples
    --------
    >>> seen = np.zeros(16, np.float32)
    >>> seen[0] = -2.0
    >>> policy = Bracket(profit=10.0, loss=6.0)
    >>> policy.spec.table[policy.act(seen)].tolist()
    [2.0, -1.0, 6.0, 10.0]
    """

    def __init__(
        self, enter: float = 0.1, profit: float = 10.0, loss: float = 6.0, hold: int = 300
    ) -> None:
        if not 0.0 < enter < 0.5:
            raise ValueError(f"enter must be between 0 and .5, was {enter}")
        if profit <= 0.0 or loss <= 0.0:
            raise ValueError(f"profit and loss must be positive, were {profit} and {loss}")
        self.name = "bracket"
        self.version = f"1-{enter:g}-{profit:g}-{loss:g}-{hold}"
        self.spec = PolicySpec(
            action=BracketActions(sizes=(1.0,), losses=(loss,), profits=(profit,)), max_hold=hold
        )
        self._enter = enter / EDGE_UNIT

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Enter when flat and told to; then wait."""
        edge = float(observation[EDGE])
        if observation[EXPOSURE] != 0.0 or abs(edge) <= self._enter:
            return HOLD
        return _LONG if edge > 0.0 else _SHORT
