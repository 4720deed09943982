"""A position that follows the forecast, and a zone around it in which it is left alone."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from policies.baselines.levels import Sized
from policies.baselines.seen import EDGE, EDGE_UNIT, EXPOSURE

__all__ = ["Patient", "Zone"]


class Zone(Sized):
    """Keeps the position within ``width`` of ``(P(up) - P(down)) / full``, trading to the edge.

    What is best against costs in proportion to what is traded, on a signal that comes and goes
    (:mod:`policies.optimum.bands`).

    Parameters
    ----------
    full
        ``P(up) - P(down)`` that is worth the largest position, in (0, .5].
    width
        Half of the zone's, exposure, at least .05.

    Raises
    ------
    ValueError
        A parameter out of its range.

    Examples
    --------
    >>> seen = np.zeros(16, np.float32)
    >>> seen[0], seen[4] = 1.0, 0.1  # P(up) - P(down) = .1, a tenth held
    >>> Zone(full=0.2, width=0.3).aim(seen)
    0.2
    """

    name: ClassVar[str] = "zone"

    def __init__(self, full: float = 0.2, width: float = 0.3) -> None:
        super().__init__(0.0)
        if not 0.0 < full <= 0.5:
            raise ValueError(f"full must be above 0 and at most .5, was {full}")
        if not 0.05 <= width <= 1.0:
            raise ValueError(f"width must be between .05 and 1, was {width}")
        self.version = f"1-{full:g}-{width:g}"
        self._full, self._width = full, width

    def aim(self, observation: npt.NDArray[np.float32]) -> float:
        """Return the nearest exposure in the zone."""
        centre = min(max(EDGE_UNIT * float(observation[EDGE]) / self._full, -1.0), 1.0)
        exposure = float(observation[EXPOSURE])
        low, high = centre - self._width, centre + self._width
        return exposure if low <= exposure <= high else round(min(max(exposure, low), high), 6)

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Stay in the zone; trade to its edge from beyond it."""
        if self.aim(observation) == float(observation[EXPOSURE]):
            return 0
        return super().act(observation)


class Patient(Sized):
    """Follows the ensemble, a part of the way at a time.

    Each decision goes ``1 - exp(-urgency)`` of the way to the position aimed at, a tenth at least:
    Almgren and Chriss' schedule without a deadline, whose urgency
    :func:`policies.optimum.almgren_chriss.schedule` gives.

    Parameters
    ----------
    enter
        ``|P(up) - P(down)|`` beyond which the largest position is aimed at, in (0, .5); within it,
        the position held is.
    urgency
        Above 0.

    Raises
    ------
    ValueError
        A parameter out of its range.

    Examples
    --------
    >>> seen = np.zeros(16, np.float32)
    >>> seen[0] = 2.0
    >>> round(Patient(urgency=0.6071).aim(seen), 3)
    0.455
    """

    name: ClassVar[str] = "patient"

    def __init__(self, enter: float = 0.1, urgency: float = 0.6071) -> None:
        super().__init__(0.0)
        if not 0.0 < enter < 0.5:
            raise ValueError(f"enter must be between 0 and .5, was {enter}")
        if urgency <= 0.0:
            raise ValueError(f"urgency must be positive, was {urgency}")
        self.version = f"1-{enter:g}-{urgency:g}"
        self._enter, self._share = enter / EDGE_UNIT, -math.expm1(-urgency)

    def aim(self, observation: npt.NDArray[np.float32]) -> float:
        """Return where this decision's part of the way ends."""
        edge, exposure = float(observation[EDGE]), float(observation[EXPOSURE])
        if abs(edge) <= self._enter:
            return exposure
        end = math.copysign(1.0, edge)
        if abs(end - exposure) <= 0.1:
            return end if abs(end - exposure) > 0.05 else exposure
        return exposure + math.copysign(max(0.1, self._share * abs(end - exposure)), edge)

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Go a part of the way."""
        if self.aim(observation) == float(observation[EXPOSURE]):
            return 0
        return super().act(observation)
