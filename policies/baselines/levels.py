"""Exposures in steps of a tenth, for rules that say how much."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from envs.action import HOLD
from envs.spec import ExposureActions, PolicySpec
from policies.baselines.seen import EXPOSURE

__all__ = ["Sized"]

_STEPS = 10


class Sized:
    """Base of the rules that name an exposure: rounds it to a tenth and says which action that is.

    Parameters
    ----------
    zone
        An exposure within this of the wanted one is left as it is; going flat is done in full.

    Raises
    ------
    ValueError
        ``zone`` not in [0, 1).
    """

    spec: ClassVar[PolicySpec] = PolicySpec(
        action=ExposureActions(
            levels=tuple(i / _STEPS for i in range(-_STEPS, _STEPS + 1)), dead_zone=0.05
        )
    )

    def __init__(self, zone: float) -> None:
        if not 0.0 <= zone < 1.0:
            raise ValueError(f"zone must be at least 0 and below 1, was {zone}")
        self._zone = zone

    def aim(self, observation: npt.NDArray[np.float32]) -> float:
        """Return the exposure wanted, -1 to 1."""
        raise NotImplementedError

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Go to the nearest tenth of what is wanted, unless that is where one is."""
        wanted, exposure = self.aim(observation), float(observation[EXPOSURE])
        row = round(_STEPS * min(max(wanted, -1.0), 1.0)) + _STEPS + 1
        level = (row - 1 - _STEPS) / _STEPS
        near = abs(level - exposure) <= self._zone
        if level == exposure or (near and (level != 0.0 or exposure == 0.0)):
            return HOLD
        return row
