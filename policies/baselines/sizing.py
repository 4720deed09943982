"""How much to hold: by volatility, and by Kelly."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from policies.baselines.levels import Sized
from policies.baselines.seen import COST, EDGE, EDGE_UNIT, EXPOSURE, FLATNESS, VOLATILITY
from policies.optimum.kelly import bet

__all__ = ["KellyFraction", "VolatilityTarget"]


class VolatilityTarget(Sized):
    """Stays long, with less where the market is wilder than it used to be: constant risk.

    ``exposure = min(1, target * long-run volatility / volatility)``

    Parameters
    ----------
    target
        Exposure at the long-run volatility, in (0, 1].
    zone
        See :class:`policies.baselines.levels.Sized`.

    Raises
    ------
    ValueError
        ``target`` or ``zone`` out of its range.

    Examples
    --------
    >>> seen = np.zeros(16, np.float32)
    >>> seen[3] = np.log(2.0)  # twice as wild as ever
    >>> VolatilityTarget(0.6).aim(seen)
    0.3
    """

    name: ClassVar[str] = "volatility-target"

    def __init__(self, target: float = 0.5, zone: float = 0.1) -> None:
        super().__init__(zone)
        if not 0.0 < target <= 1.0:
            raise ValueError(f"target must be above 0 and at most 1, was {target}")
        self.version = f"1-{target:g}-{zone:g}"
        self._target = target

    def aim(self, observation: npt.NDArray[np.float32]) -> float:
        """Return the exposure of constant risk."""
        return round(min(1.0, self._target * math.exp(-float(observation[VOLATILITY]))), 6)


class KellyFraction(Sized):
    """Bets a share of what Kelly would on the ensemble's word, after the round trip's cost.

    The forecast is taken for a bet on which side the price leaves first, at ``move`` volatilities:
    chance ``P(up) / (P(up) + P(down))``, won ``move - 2 cost``, lost ``move + 2 cost``. A position
    that the costs no longer justify *entering* is kept while the forecast is on its side.

    Parameters
    ----------
    fraction
        Of Kelly's bet, in (0, 1].
    cap
        Largest exposure, in (0, 1].
    move
        Event volatilities at stake, above 0; the label's threshold times the root of its horizon.
    zone
        See :class:`policies.baselines.levels.Sized`.

    Raises
    ------
    ValueError
        A parameter out of its range.

    Examples
    --------
    >>> seen = np.zeros(16, np.float32)
    >>> seen[0] = 2.0  # P(up) - P(down) = .2, P(flat) a third: 13 to 7
    >>> round(KellyFraction(1.0).aim(seen), 3)
    0.3
    >>> seen[10] = 0.5  # one side costs an event's volatility
    >>> KellyFraction(1.0).aim(seen)
    0.0
    """

    name: ClassVar[str] = "kelly"

    def __init__(
        self, fraction: float = 0.5, cap: float = 1.0, move: float = 1.36, zone: float = 0.1
    ) -> None:
        super().__init__(zone)
        for word, value in (("fraction", fraction), ("cap", cap)):
            if not 0.0 < value <= 1.0:
                raise ValueError(f"{word} must be above 0 and at most 1, was {value}")
        if move <= 0.0:
            raise ValueError(f"move must be positive, was {move}")
        self.version = f"1-{fraction:g}-{cap:g}-{move:g}-{zone:g}"
        self._fraction, self._cap, self._move = fraction, cap, move

    def aim(self, observation: npt.NDArray[np.float32]) -> float:
        """Return the bet."""
        edge = EDGE_UNIT * float(observation[EDGE])
        moves = 1.0 - (float(observation[FLATNESS]) + 1.0) / 3.0
        exposure = float(observation[EXPOSURE])
        if edge == 0.0 or moves <= 0.0:
            return 0.0
        win = min(1.0, 0.5 * (1.0 + abs(edge) / moves))
        seen = min(float(observation[COST]), 1.0 - 1e-9)
        cost = 2.0 * seen / (1.0 - seen)
        side = math.copysign(1.0, edge)
        share = bet(win, (self._move - cost) / (self._move + cost)) if cost < self._move else 0.0
        wanted = side * min(self._cap, self._fraction * share)
        return exposure if abs(wanted) < abs(exposure) and side * exposure > 0.0 else wanted
