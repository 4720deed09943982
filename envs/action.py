"""What a policy may answer: leave things as they are, or one of five exposures."""

from __future__ import annotations

import numba as nb

__all__ = ["ACTIONS", "DEAD_ZONE", "FLAT", "HOLD", "LONG", "SHORT", "wanted"]

HOLD, SHORT, FLAT, LONG = 0, 1, 3, 5
"""Actions with a name: do nothing, and the largest short, no, and the largest long position."""

ACTIONS: tuple[float | None, ...] = (None, -1.0, -0.5, 0.0, 0.5, 1.0)
"""Exposure by action; ``None`` is :data:`HOLD`.

Holding is an action of its own because costs make doing nothing the best thing most of the time:
on the published control problem, a policy that can choose to do nothing reaches .97 of the
optimum, one that must name its position every time .64.
"""

DEAD_ZONE = 0.1
"""An exposure this close to the wanted one is left as it is; going flat is always done in full."""


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def wanted(action: int, current_exposure: float) -> float:
    """Exposure that ``action`` asks for.

    Returns ``current_exposure`` itself, which means the very units held, for :data:`HOLD` and
    where the position already is within :data:`DEAD_ZONE` of the one asked for.

    Examples
    --------
    >>> wanted(HOLD, 0.3), wanted(SHORT, 0.3), wanted(FLAT, 0.3), wanted(4, 0.3)
    (0.3, -1.0, 0.0, 0.5)
    >>> wanted(LONG, 0.95), wanted(FLAT, 0.05)
    (0.95, 0.0)
    """
    if action == HOLD:
        return current_exposure
    aim = 0.5 * (action - FLAT)
    if aim != 0.0 and abs(aim - current_exposure) <= DEAD_ZONE:
        return current_exposure
    return aim
