"""A stretch of decisions at once: what the policy sees at each, and what its answers come to.

The live trader's own steps in compiled loops, for stretches in which account and orders don't
change; bit for bit what :class:`trading.deciding.Deciding` does one by one.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from envs.action import wanted
from envs.observation import distance_of, exposure_of, observe, unrealised_of
from market.execution.fills import equity, side_cost, target_units

__all__ = ["HELD", "PLACES", "outside", "see", "settle"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

(
    CASH, UNITS, ENTRY, STOP, TARGET, HELD, WORKING, LEVERAGE, COMMISSION, HALF_SPREAD, SLIPPAGE,
    PER_UNIT, ROOM, HALTED, LEASED, DEAD_ZONE,
) = range(16)  # fmt: skip
"""Places in the state: account and bracket, decisions since it was opened, whether an order is
under way; leverage and costs; the lease (notional, halted, held at all); the policy's dead zone."""

PLACES = 16

EXPIRES, MAX_HOLD, OPENINGS, HOUR_NOW, OPENED, LIMITED = range(6)
"""Places in the counts: when the lease ends; longest hold and openings an hour; the hour that was
counted last and positions opened in it; whether those are limited."""

HOUR = 3_600_000_000_000


@nb.njit(cache=True, error_model="numpy", nogil=True)
def outside(high: Floats, low: Floats, below: float, above: float, first: int, stop: int) -> int:
    """Find the first event that leaves the prices between which nothing happens; else ``stop``."""
    for i in range(first, stop):
        if not (below < low[i] and high[i] < above):
            return i
    return stop


@nb.njit(cache=True, error_model="numpy")
def _room(state: Floats, counts: Ints, time: int) -> float:
    """Largest notional the lease allows, as :func:`risk.grant.allowed` has it."""
    if state[LEASED] == 0.0 or state[HALTED] > 0.0 or time >= counts[EXPIRES]:
        return 0.0
    room: float = state[ROOM]
    return room


@nb.njit(cache=True, error_model="numpy")
def _left(counts: Ints, time: int) -> int:
    """Count the openings left in the hour."""
    opened = counts[OPENED] if time // HOUR == counts[HOUR_NOW] else 0
    left: int = max(0, counts[OPENINGS] - opened)
    return left


@nb.njit(cache=True, error_model="numpy", nogil=True)
def see(
    out: npt.NDArray[np.float32],
    first: int,
    stop: int,
    times: Ints,
    price: Floats,
    columns: Floats,
    volatility: Floats,
    ok: Flags,
    told: Floats,
    regime: Ints,
    context: Ints,
    picks: Ints,
    centres: Floats,
    scales: Floats,
    state: Floats,
    counts: Ints,
) -> None:
    """Write the observations of decisions ``first`` to ``stop`` into the rows of ``out``."""
    held = state[HELD]
    units, leverage = state[UNITS], state[LEVERAGE]
    features = np.empty(len(picks))
    for i in range(first, stop):
        if not ok[i]:
            continue
        worth = equity(state[CASH], units, price[i])
        largest, lease = worth * leverage, 0.0
        if state[LEASED] > 0.0 and largest > 0.0:
            lease = min(min(largest, _room(state, counts, times[i])) / largest, 1.0)
        cost = math.inf
        if volatility[i] > 0.0:
            cost = side_cost(
                price[i], state[COMMISSION], state[HALF_SPREAD], state[SLIPPAGE], state[PER_UNIT]
            ) / volatility[i]  # fmt: skip
        left = _left(counts, times[i])
        for k in range(len(picks)):
            features[k] = np.float32(columns[i, picks[k]])  # the digits that a dataset keeps
        observe(
            out[i - first], told[i, 0], told[i, 1], told[i, 2], told[i, 3],
            -columns[i, context[0]], exposure_of(units, worth, leverage, price[i]),
            unrealised_of(units, state[ENTRY], price[i], volatility[i]), held, lease,
            columns[i, context[1]], columns[i, context[2]], cost, float(regime[i]),
            distance_of(state[STOP], price[i], volatility[i]),
            distance_of(state[TARGET], price[i], volatility[i]),
            left / counts[OPENINGS] if counts[LIMITED] else 1.0, state[WORKING] > 0.0,
            features, centres, scales,
        )  # fmt: skip
        if units != 0.0:
            held += 1.0


@nb.njit(cache=True, error_model="numpy", nogil=True)
def settle(
    first: int,
    stop: int,
    times: Ints,
    price: Floats,
    volatility: Floats,
    ok: Flags,
    answers: Ints,
    table: Floats,
    state: Floats,
    counts: Ints,
    actions: Ints,
    worth: Floats,
    allowed: Floats,
) -> tuple[int, float, float]:
    """Follow answers until one of them makes an order.

    Parameters
    ----------
    first, stop
        The decisions; ``answers[0]`` is of ``first``.
    times, price, volatility, ok
        Of all decisions of the stretch.
    table
        The actions.
    state, counts
        See :data:`PLACES`; ``state[HELD]`` is counted on.
    actions, worth, allowed
        Written: what was answered (-2: no decision was made, -1: risk answered), equity, and the
        units allowed.

    Returns
    -------
    tuple[int, float, float]
        The decision that makes an order, ``stop`` if none does, and its bracket's distances.
    """
    units, leverage = state[UNITS], state[LEVERAGE]
    for i in range(first, stop):
        action = answers[i - first]
        halted = state[LEASED] > 0.0 and state[HALTED] > 0.0
        if not ok[i]:
            if not (halted and units != 0.0):
                actions[i] = -2
                continue
            action = -1
        have = equity(state[CASH], units, price[i])
        exposure = exposure_of(units, have, leverage, price[i])
        aim, loss, profit = exposure, 0.0, 0.0
        if action >= 0:
            aim, loss, profit = wanted(
                table, action, exposure, volatility[i], state[DEAD_ZONE], int(state[HELD]),
                counts[MAX_HOLD], _left(counts, times[i]),
            )  # fmt: skip
        target = units
        if aim != exposure:
            target = target_units(aim, have, leverage, price[i])
        notional = 0.0
        if not halted:
            room, now = _room(state, counts, times[i]), units * price[i]
            notional = min(max(target * price[i], min(-room, now)), max(room, now))
        if notional != target * price[i]:
            target = notional / price[i]
        actions[i], worth[i], allowed[i] = action, have, target
        if units != 0.0:
            state[HELD] += 1.0
        if target != units and state[WORKING] == 0.0:
            return i, loss, profit
    return stop, 0.0, 0.0
