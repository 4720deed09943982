"""The kernel path's loop: decisions known in advance, traded through the one execution model."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from envs.action import ENTER, wanted
from envs.observation import exposure_of
from market.execution.fills import equity, target_units
from market.execution.quiet import quiet
from market.execution.sleeve import (
    CASH,
    FILLS,
    OPENED,
    UNITS,
    WAITING,
    advance,
    place,
)

__all__ = [
    "DEAD_ZONE",
    "LEVERAGE",
    "LOGGED",
    "MAX_HOLD",
    "OPENINGS",
    "ROOM",
    "RULES",
    "order_for",
    "walk",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEVERAGE, DEAD_ZONE, MAX_HOLD, OPENINGS, ROOM = range(5)
RULES = 5
"""Places in the rules of a run, and how many: largest position as a multiple of equity; dead zone,
longest hold and openings an hour of the policy's spec; largest notional that the lease allows."""

LOGGED = ("units", "price", "fee", "reason", "held", "cash")
"""Columns of the log of fills; ``held`` and ``cash`` are what there is afterwards."""

HOUR = 3_600_000_000_000

FOREVER = np.iinfo(np.int64).max


@nb.njit(cache=True, error_model="numpy")
def order_for(
    money: Floats,
    price: float,
    table: Floats,
    action: int,
    volatility: float,
    held: int,
    left: int,
    rules: Floats,
) -> tuple[float, float, float]:
    """Say what a decision comes to: units to be held, and the bracket's distances.

    The live trader's own steps, in their order: :func:`envs.action.wanted`,
    :func:`market.execution.target_units` and the cut of :func:`risk.grant.allowed` under a lease
    that runs and allows ``rules[ROOM]``.
    """
    units = money[UNITS]
    worth = equity(money[CASH], units, price)
    exposure = exposure_of(units, worth, rules[LEVERAGE], price)
    aim, loss, profit = wanted(
        table, action, exposure, volatility, rules[DEAD_ZONE], held, int(rules[MAX_HOLD]), left
    )
    target = units
    if aim != exposure:
        target = target_units(aim, worth, rules[LEVERAGE], price)
    now, room = units * price, rules[ROOM]
    notional = min(max(target * price, min(-room, now)), max(room, now))
    if notional != target * price:
        target = notional / price
    return target, loss, profit


@nb.njit(cache=True, error_model="numpy")
def _longer(log: Floats, rows: Ints) -> tuple[Floats, Ints]:
    """Double the room for fills."""
    n = len(rows)
    more, places = np.empty((2 * n, log.shape[1])), np.empty(2 * n, np.int64)
    more[:n] = log
    places[:n] = rows
    return more, places


@nb.njit(cache=True, error_model="numpy", nogil=True)
def walk(
    money: Floats,
    clock: Ints,
    terms: Floats,
    delays: Floats,
    times: Ints,
    first: Floats,
    high: Floats,
    low: Floats,
    last: Floats,
    volume: Floats,
    widen: Floats,
    due: Ints,
    at: Ints,
    actions: Ints,
    volatility: Floats,
    table: Floats,
    rules: Floats,
) -> tuple[Ints, Floats, Ints, Floats]:
    """Trade decisions that are known in advance.

    Events on which nothing can happen are left out: while nothing is held and nothing under way,
    and while :func:`market.execution.quiet.quiet` says so.

    Parameters
    ----------
    money, clock, terms, delays
        The sleeve, see :mod:`market.execution.sleeve`; changed.
    times, first, high, low, last, volume
        ``[n]``: the events.
    widen
        ``float64[n]``, or empty: 1 throughout.
    due
        ``int64[d]``: rows of the events on which a decision is made.
    at
        ``int64[m]``: which of them, by place in ``due``, answer anything but "stay".
    actions, volatility
        ``[m]``: rows of ``table`` answered, and volatility of one event, at those.
    table
        ``float64[A, 4]``: see :attr:`envs.spec.PolicySpec.table`.
    rules
        ``float64[5]``: see :data:`RULES`.

    Returns
    -------
    rows
        ``int64[k]``: of the fills.
    log
        ``float64[k, 6]``: the fills, see :data:`LOGGED`.
    places
        ``int64[q]``: decisions, by place in ``due``, that an answer or the longest hold changed.
    targets
        ``float64[q]``: signed units they allowed.
    """
    n, m, d = len(times), len(at), len(due)
    halts, max_hold = len(widen) > 0, int(rules[MAX_HOLD])
    log, rows = np.empty((64, 6)), np.empty(64, np.int64)
    told, places = np.empty((64, 1)), np.empty(64, np.int64)
    fills = np.zeros((FILLS, 4))
    k, q, a, i = 0, 0, 0, 0
    expires, since = FOREVER, 0
    hour, sent = -1, 0
    # While a position is open, entries with a bracket change nothing: the next answer that may.
    other = np.empty(m + 1, np.int64)
    other[m] = FOREVER
    for j in range(m - 1, -1, -1):
        other[j] = due[at[j]] if table[actions[j], 0] < ENTER else other[j + 1]
    while i < n:
        while a < m and due[at[a]] < i:
            a += 1
        stop = due[expires] if expires < d else FOREVER
        if money[UNITS] != 0.0:
            stop = min(stop, other[a])
        elif a < m:
            stop = min(stop, due[at[a]])
        if money[UNITS] == 0.0 and money[WAITING] == 0.0:
            if stop >= n:
                break
            i = stop
        else:
            until = min(stop, n - 1) + 1
            i = quiet(money, clock, terms, times, high, low, widen, i, until)
            if i == until:
                if stop >= n:
                    break
                i = stop
            else:
                units, opened = money[UNITS], clock[OPENED]
                done = advance(
                    money, clock, terms, first[i], high[i], low[i], last[i], volume[i], times[i],
                    widen[i] if halts else 1.0, fills,
                )  # fmt: skip
                while k + done > len(rows):
                    log, rows = _longer(log, rows)
                held = money[UNITS]
                for j in range(done - 1, -1, -1):
                    rows[k + j] = i
                    log[k + j, 0], log[k + j, 1] = fills[j, 0], fills[j, 1]
                    log[k + j, 2], log[k + j, 3] = fills[j, 2], fills[j, 3]
                    log[k + j, 4], log[k + j, 5] = held, money[CASH]
                    # A close takes all there is; before an order there is what there was.
                    if fills[j, 3] != 4.0:
                        held = units if fills[j, 3] == 0.0 else -fills[j, 0]
                k += done
                if clock[OPENED] != opened:
                    expires = FOREVER
                    if money[UNITS] != 0.0:
                        since = int(np.searchsorted(due, i))
                        if max_hold > 0:
                            expires = since + max_hold
        while a < m and due[at[a]] < i:
            a += 1
        answers, late = a < m and due[at[a]] == i, expires < d and due[expires] == i
        if answers or late:
            place_ = at[a] if answers else expires
            now = times[i] // HOUR
            if now != hour:
                hour, sent = now, 0
            units = money[UNITS]
            target, loss, profit = order_for(
                money, last[i], table, actions[a] if answers else 0,
                volatility[a] if answers else math.nan,
                place_ - since, max(int(rules[OPENINGS]) - sent, 0), rules,
            )  # fmt: skip
            if q == len(places):
                told, places = _longer(told, places)
            places[q], told[q, 0] = place_, target
            q += 1
            if target != units and money[WAITING] == 0.0:
                order = target - units
                place(money, clock, terms, delays, order, loss, profit, times[i])
                if units == 0.0 or (units + order) * units < 0.0:
                    sent += 1
            if late:
                expires += 1
        i += 1
    return rows[:k].copy(), log[:k].copy(), places[:q].copy(), told[:q, 0].copy()
