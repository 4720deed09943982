"""One sleeve in the simulator, compiled: what it decides, what happens to it, what it sees.

The vector environment runs any number of them, the portfolio several on one account. Orders live
in :mod:`market.execution.sleeve`, as the paper broker's do.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from envs.action import ENDLESS, HOLD, wanted
from envs.observation import (
    distance_of,
    exposure_of,
    observe_market,
    observe_position,
    unrealised_of,
)
from features.compiled import ahead
from market.execution.costs import COMMISSION, HALF_SPREAD, LEVERAGE, PER_UNIT, SLIPPAGE
from market.execution.fills import side_cost, target_units
from market.execution.sleeve import (
    ENTRY,
    OPENED,
    STOP,
    TARGET,
    UNITS,
    WAITING,
    advance,
    place,
)

__all__ = ["LANE", "PLACE", "backdrop", "decide", "happen", "look", "stretched"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LANE = ("worth", "peak", "lease", "mean", "square", "stretch", "anchor")
"""Columns of a lane: equity at the present row and the highest so far, lease in largest positions,
mean and mean square of the rewards so far (for the differential Sharpe ratio), what the price's
moves are multiplied with, and the price they are counted from."""

WORTH, PEAK, LEASE, MEAN, SQUARE, STRETCH, ANCHOR = range(7)

PLACE = ("tape", "row", "end", "held", "hour", "used")
"""Columns of the place: tape, present row and the last one, where the episode is cut off; decisions
since the position was opened; hour of the clock, and openings in it."""

TAPE, ROW, END, HELD, HOUR, USED = range(6)

EVENT, TIME, MARKS = 2, 3, 4
"""Columns of a decision's marks that are integers, its event and that one's time; and how many
columns there are. Price and volatility come first."""

HAPPENED, WIDE = 6, 8
"""Column of an event that is its time; and how many there are: a line of the processor's cache."""

_NANOSECONDS = 3_600_000_000_000


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def stretched(lane: Floats, price: float) -> float:
    """Return the price where moves are larger or smaller: ``anchor (price / anchor)^stretch``."""
    if lane[STRETCH] == 1.0:
        return price
    return float(lane[ANCHOR] * math.exp(lane[STRETCH] * math.log(price / lane[ANCHOR])))


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def openings(spot: Ints, time: int, most: int) -> int:
    """Return the openings left in the hour of ``time``, beginning it where it is a new one."""
    if most == ENDLESS:
        return most
    hour = time // _NANOSECONDS
    if spot[HOUR] != hour:
        spot[HOUR], spot[USED] = hour, 0
    return most - int(spot[USED])


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def aimed(
    action: int,
    table: Floats,
    dead_zone: float,
    longest: int,
    most: int,
    money: Floats,
    spot: Ints,
    lease: float,
    exposure: float,
    volatility: float,
    time: int,
) -> tuple[float, float, float]:
    """Return the exposure a decision asks for and may have, and its bracket's distances.

    Parameters
    ----------
    action, table
        The answer, and what it means.
    dead_zone, longest, most
        The rules: see :func:`envs.action.wanted`; openings an hour.
    money, spot
        The sleeve's; ``spot`` counts the decision.
    lease
        Largest exposure that may be grown into.
    exposure, volatility, time
        Of the present row.
    """
    held = spot[HELD]
    if money[UNITS] != 0.0:
        spot[HELD] += 1
    if money[WAITING] != 0.0:
        return exposure, 0.0, 0.0
    if longest == 0 and action == HOLD:
        return exposure, 0.0, 0.0
    left = openings(spot, time, most)
    aim, loss, profit = wanted(table, action, exposure, volatility, dead_zone, held, longest, left)
    if aim != exposure and lease < 1.0:
        aim = min(max(aim, min(-lease, exposure)), max(lease, exposure))
    return aim, loss, profit


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def decide(
    aim: float,
    exposure: float,
    loss: float,
    profit: float,
    money: Floats,
    clock: Ints,
    spot: Ints,
    terms: Floats,
    delays: Floats,
    i: int,
    worth: float,
    price: float,
    time: int,
) -> None:
    """Send the order that makes ``aim`` of ``exposure``, if there is one to send.

    ``delays`` are all sleeves', of which this is number ``i``.
    """
    if aim == exposure:
        return
    order = target_units(aim, worth, terms[LEVERAGE], price) - money[UNITS]
    if order == 0.0:
        return
    if aim != 0.0 and aim * exposure <= 0.0:
        spot[USED] += 1
    place(money, clock, terms, delays[i], order, loss, profit, time)


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def happen(
    money: Floats,
    clock: Ints,
    lane: Floats,
    spot: Ints,
    terms: Floats,
    times: Ints,
    events: Floats,
    first: int,
    last: int,
    fills: Floats,
) -> None:
    """Let the events from ``first`` to ``last`` (exclusive) happen to a sleeve.

    ``times`` and ``events`` are pointers to the same memory, see :class:`envs.reel.Reel`.
    """
    opened = clock[OPENED]
    for e in range(first, last):
        # To a flat sleeve with nothing under way nothing happens.
        if money[UNITS] == 0.0 and money[WAITING] == 0.0:
            break
        event = ahead(events, e * WIDE)
        advance(
            money,
            clock,
            terms,
            stretched(lane, event[0]),
            stretched(lane, event[1]),
            stretched(lane, event[2]),
            stretched(lane, event[3]),
            event[4],
            times[e * WIDE + HAPPENED],
            event[5],
            fills,
        )
    if clock[OPENED] != opened:
        spot[HELD] = 0


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def look(
    seen: npt.NDArray[np.float32],
    size: int,
    money: Floats,
    lane: Floats,
    spot: Ints,
    terms: Floats,
    most: int,
    varied: bool,
    price: float,
    volatility: float,
    time: int,
    out: npt.NDArray[np.float32],
) -> None:
    """Write what a sleeve sees into ``out``.

    Parameters
    ----------
    seen, size
        The row's numbers, see :func:`backdrop`, and how many.
    most
        Openings an hour.
    varied
        Whether costs and volatility may differ from the backdrop's.
    """
    for k in range(size):
        out[k] = seen[k]
    left = 1.0 if most == ENDLESS else openings(spot, time, most) / most
    if money[UNITS] == 0.0 and money[WAITING] == 0.0:
        out[7], out[14] = lane[LEASE], left
    else:
        units = money[UNITS]
        observe_position(
            out,
            exposure_of(units, lane[WORTH], terms[LEVERAGE], price),
            unrealised_of(units, money[ENTRY], price, volatility),
            spot[HELD],
            lane[LEASE],
            distance_of(money[STOP], price, volatility),
            distance_of(money[TARGET], price, volatility),
            left,
            money[WAITING] != 0.0,
        )
    if varied:
        cost = side_cost(
            price, terms[COMMISSION], terms[HALF_SPREAD], terms[SLIPPAGE], terms[PER_UNIT]
        )
        out[10] = min(max(1.0 - 1.0 / (1.0 + cost / volatility), 0.0), 1.0)


@nb.njit(cache=True, error_model="numpy")
def backdrop(
    rows: Floats,
    features: Floats,
    scales: Floats,
    which: Ints,
    terms: Floats,
    out: npt.NDArray[np.float32],
) -> None:
    """Write what a flat sleeve with a whole lease sees at every row.

    Parameters
    ----------
    rows, features
        See :class:`envs.tape.DecisionTape`.
    scales
        ``float64[2, k]``: centres and scales of the features.
    which
        ``int64[M]``: tape of each row.
    terms
        ``float64[n, 16]``: of each tape.
    out
        ``float32[M, size]``: written.
    """
    for i in range(len(rows)):
        row, its = rows[i], terms[which[i]]
        cost = side_cost(row[0], its[COMMISSION], its[HALF_SPREAD], its[SLIPPAGE], its[PER_UNIT])
        observe_market(
            out[i], row[2], row[3], row[4], row[5], row[7], row[8], row[9], cost / row[6],
            row[10], features[i], scales[0], scales[1],
        )  # fmt: skip
        observe_position(out[i], 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, False)
