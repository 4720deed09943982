"""What a policy may answer, as a table of actions that compiled code and networks read alike."""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = [
    "ACTIONS",
    "AIM",
    "DEAD_ZONE",
    "ENDLESS",
    "ENTER",
    "ENTER_FIXED",
    "FLAT",
    "HOLD",
    "LONG",
    "SHORT",
    "STAY",
    "mask",
    "masks",
    "wanted",
]

HOLD, SHORT, FLAT, LONG = 0, 1, 3, 5
"""Actions of the default table with a name: do nothing, and the largest short, no, and the largest
long position."""

ACTIONS: tuple[float | None, ...] = (None, -1.0, -0.5, 0.0, 0.5, 1.0)
"""The default table's exposures; ``None`` is :data:`HOLD`.

Holding is an action of its own because costs make doing nothing the best thing most of the time:
on the published control problem, a policy that can choose to do nothing reaches .97 of the
optimum, one that must name its position every time .64.
"""

DEAD_ZONE = 0.1
"""An exposure this close to the wanted one is left as it is; going flat is always done in full."""

STAY, AIM, ENTER, ENTER_FIXED = 0, 1, 2, 3
"""Kinds of action, the first column of a table: leave things as they are; hold an exposure; enter
with a bracket, from flat only, its distances in volatilities of one event or as fractions of the
price."""

ENDLESS = 1 << 30
"""Openings left where there is no limit."""

_EXPOSURE, _LEASE, _LEFT, _WORKING = 4, 7, 14, 15
"""Places in the observation; a test holds them to :data:`envs.observation.OBSERVATION`."""

_WIDEST = 0.9
"""No stop or target is farther than this share of the price."""


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def wanted(
    table: npt.NDArray[np.float64],
    action: int,
    exposure: float,
    volatility: float,
    dead_zone: float,
    held: int,
    max_hold: int,
    left: int,
) -> tuple[float, float, float]:
    r"""Exposure that ``action`` asks for, and the distances of the bracket it comes with.

    Parameters
    ----------
    table
        ``float64[A, 4]``: see :attr:`envs.spec.PolicySpec.table`.
    action
        Row of it.
    exposure
        Fraction of the largest position held now.
    volatility
        Of one event, which distances are told in.
    dead_zone
        See :data:`DEAD_ZONE`.
    held, max_hold
        Decisions since the position was opened, this one not counted, and how many are allowed;
        0: any number. A position held so long is closed, whatever the action.
    left
        Openings that are still allowed in this hour. Without one, nothing is opened, and a turn
        only closes.

    Returns
    -------
    tuple[float, float, float]
        Exposure; stop's and target's distances as fractions of the price, 0 for none. The very
        ``exposure`` means the very units held.

    Examples
    --------
    >>> from envs.spec import PolicySpec
    >>> table = PolicySpec().table
    >>> [wanted(table, a, 0.3, 1e-4, 0.1, 0, 0, 9)[0] for a in (HOLD, SHORT, FLAT, 4)]
    [0.3, -1.0, 0.0, 0.5]
    >>> wanted(table, LONG, 0.95, 1e-4, 0.1, 0, 0, 9), wanted(table, HOLD, 0.3, 1e-4, 0.1, 7, 7, 9)
    ((0.95, 0.0, 0.0), (0.0, 0.0, 0.0))
    """
    if max_hold > 0 and exposure != 0.0 and held >= max_hold:
        return 0.0, 0.0, 0.0
    kind, aim = table[action, 0], table[action, 1]
    if kind == STAY:
        return exposure, 0.0, 0.0
    if left <= 0 and aim * exposure <= 0.0:
        aim = 0.0
        if exposure == 0.0:
            return exposure, 0.0, 0.0
    if kind >= ENTER:
        if exposure != 0.0:
            return exposure, 0.0, 0.0
        unit = volatility if kind == ENTER else 1.0
        return (
            aim,
            min(table[action, 2] * unit, _WIDEST),
            min(table[action, 3] * unit, _WIDEST),
        )
    if aim != 0.0 and abs(aim - exposure) <= dead_zone:
        return exposure, 0.0, 0.0
    return aim, 0.0, 0.0


@nb.njit(cache=True, error_model="numpy")
def mask(
    table: npt.NDArray[np.float64],
    observation: npt.NDArray[np.float32],
    out: npt.NDArray[np.bool_],
) -> None:
    """Say which actions can have an effect; a function of the observation alone.

    Doing nothing always can. Nothing else can while an order is under way. A position is entered
    with a bracket from flat only. Nothing is opened or turned without a lease or with the hour's
    openings used up; making a position smaller is always allowed.

    Parameters
    ----------
    table
        See :attr:`envs.spec.PolicySpec.table`.
    observation
        ``float32[size]``.
    out
        ``bool[A]``: written.
    """
    exposure = observation[_EXPOSURE]
    free = observation[_LEASE] > 0.0 and observation[_LEFT] > 0.0
    for action in range(len(table)):
        kind, aim = table[action, 0], table[action, 1]
        if kind == STAY:
            out[action] = True
        elif observation[_WORKING] > 0.0:
            out[action] = False
        elif kind >= ENTER:
            out[action] = exposure == 0.0 and free
        elif aim == 0.0:
            out[action] = exposure != 0.0
        elif aim * exposure > 0.0:
            out[action] = observation[_LEASE] > 0.0 or abs(aim) < abs(exposure)
        else:
            out[action] = free


@nb.njit(cache=True, error_model="numpy")
def masks(
    table: npt.NDArray[np.float64],
    observations: npt.NDArray[np.float32],
    out: npt.NDArray[np.bool_],
) -> None:
    """Say of many observations which actions can have an effect; see :func:`mask`.

    Parameters
    ----------
    table
        See :attr:`envs.spec.PolicySpec.table`.
    observations
        ``float32[n, size]``.
    out
        ``bool[n, A]``: written.
    """
    for i in range(len(observations)):
        mask(table, observations[i], out[i])
