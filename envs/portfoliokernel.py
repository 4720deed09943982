"""The portfolio's step, compiled: several sleeves on one clock and one account.

Each sleeve lives as :mod:`envs.lane` says. What they share is the equity that positions are sized
by and margin is counted against, and a limit on the sum of their exposures.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

from envs.lane import END, EVENT, LEASE, ROW, TIME, WORTH, aimed, decide, happen, look
from envs.memory import bare
from envs.observation import exposure_of
from envs.reward import reward
from features.compiled import pointer
from market.execution.costs import LEVERAGE
from market.execution.fills import equity
from market.execution.sleeve import (
    CASH,
    ENTRY,
    FILLS,
    STOP,
    TARGET,
    TURNOVER,
    UNITS,
    WAITING,
)

__all__ = ["limited", "step", "view"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Seen = npt.NDArray[np.float32]


@nb.njit(cache=True, error_model="numpy")
def limited(aims: Floats, held: Floats, way: Floats, cap: float) -> None:
    r"""Shrink what grows until the exposures' sizes add up to no more than ``cap``.

    What a position keeps or loses is never touched; all that is opened or added is shrunk alike.

    Parameters
    ----------
    aims
        ``float64[k]``: exposures asked for; changed.
    held
        ``float64[k]``: exposures held.
    way
        ``float64[k]``: exposures once what is under way is filled.
    cap
        Largest sum of \|exposure\|.

    Examples
    --------
    >>> aims = np.array([1.0, -1.0, 0.5])
    >>> limited(aims, np.array([0.0, -0.5, 0.5]), np.array([0.0, -0.5, 0.5]), 1.75)
    >>> aims.tolist()
    [0.5, -0.75, 0.5]
    """
    kept = grown = 0.0
    for j in range(len(aims)):
        stays = min(abs(aims[j]), abs(held[j])) if aims[j] * held[j] > 0.0 else 0.0
        kept += max(stays, abs(way[j])) if aims[j] == held[j] else stays
        grown += abs(aims[j]) - stays
    if kept + grown <= cap or grown == 0.0:
        return
    share = max(0.0, cap - kept) / grown
    for j in range(len(aims)):
        if aims[j] == held[j]:
            continue
        stays = min(abs(aims[j]), abs(held[j])) if aims[j] * held[j] > 0.0 else 0.0
        size = stays + (abs(aims[j]) - stays) * share
        # Nothing left to grow by: the very units held, not nearly so.
        if share == 0.0 and stays == abs(held[j]):
            aims[j] = held[j]
        else:
            aims[j] = size if aims[j] > 0.0 else -size


@nb.njit(cache=True, error_model="numpy")
def view(
    i: int,
    k: int,
    rules: Floats,
    cap: float,
    book: Floats,
    money: Floats,
    lane: Floats,
    place: Ints,
    terms: Floats,
    marks: Floats,
    ticks: Ints,
    seen: Seen,
    out: Seen,
) -> None:
    """Write what portfolio ``i`` of ``k`` symbols sees, one symbol behind the other.

    A symbol's lease is the exposure it may grow to with what the others leave.
    """
    gross = 0.0
    for j in range(k):
        s = i * k + j
        price = marks[place[s, ROW], 0]
        gross += abs(exposure_of(money[s, UNITS], book[i, WORTH], terms[j, LEVERAGE], price))
    for j in range(k):
        s = i * k + j
        row = place[s, ROW]
        price = marks[row, 0]
        own = abs(exposure_of(money[s, UNITS], book[i, WORTH], terms[j, LEVERAGE], price))
        lane[s, WORTH] = book[i, WORTH]
        lane[s, LEASE] = min(1.0, max(0.0, cap - (gross - own)))
        look(
            seen[row], seen.shape[1], money[s], lane[s], place[s], terms[j], int(rules[2]), False,
            price, marks[row, 1], ticks[row, TIME], out[s],
        )  # fmt: skip


@nb.njit(cache=True, error_model="numpy")
def step(
    actions: Ints,
    table: Floats,
    rules: Floats,
    weights: Floats,
    floor: float,
    cap: float,
    unit: float,
    book: Floats,
    money: Floats,
    clock: Ints,
    lane: Floats,
    place: Ints,
    done: Bools,
    terms: Floats,
    delays: Floats,
    marks: Floats,
    ticks: Ints,
    seen: Seen,
    times: Ints,
    events: Floats,
    fills: Floats,
    out: Seen,
    rewards: Floats,
    terminated: Bools,
    truncated: Bools,
) -> int:
    """Advance every portfolio that isn't ``done`` by one decision.

    Parameters
    ----------
    actions
        ``int64[n, k]``.
    cap, unit
        Largest sum of exposures' sizes; growth that counts as one.
    book
        ``float64[n, 7]``: of each portfolio, as :data:`envs.lane.LANE`.
    money, clock, lane, place
        As for :func:`envs.kernel.step`, a row for each sleeve: portfolio ``i``'s symbol ``j`` is
        row ``i k + j``. A sleeve's cash is the portfolio's equity less its own position, as its
        margin is counted.
    out
        ``float32[n k, size]``: written.
    table, rules, weights, floor, done, terms, delays, fills
        As for :func:`envs.kernel.step`.
    marks, ticks, seen, times, events
        See :class:`envs.reel.Reel`.
    rewards, terminated, truncated
        ``float64[n]``, ``bool[n]``, ``bool[n]``: written.

    Returns
    -------
    int
        How many ended; -1 if an action is none, and then nothing has changed.
    """
    n, k = actions.shape
    for i in range(n):
        for j in range(k):
            if not 0 <= actions[i, j] < len(table):
                return -1
    ended = 0
    money, lane, lags = bare(money, money.shape), bare(lane, lane.shape), bare(delays, delays.shape)
    table, room = bare(table, table.shape), bare(fills, (FILLS, 4))
    when, happening = pointer(times), pointer(events)
    aims, held, way = np.empty(k), np.empty(k), np.empty(k)
    losses, profits = np.empty(k), np.empty(k)
    for i in range(n):
        rewards[i], terminated[i], truncated[i] = 0.0, False, False
        if done[i]:
            continue
        worth, row = book[i, WORTH], 0
        for j in range(k):
            s = i * k + j
            row = place[s, ROW]
            price, leverage = marks[row, 0], terms[j, LEVERAGE]
            held[j] = exposure_of(money[s, UNITS], worth, leverage, price)
            way[j] = exposure_of(money[s, UNITS] + money[s, WAITING], worth, leverage, price)
            aims[j], losses[j], profits[j] = aimed(
                actions[i, j], table, rules[0], int(rules[1]), int(rules[2]), money[s], place[s],
                1.0, held[j], marks[row, 1], ticks[row, TIME],
            )  # fmt: skip
        limited(aims, held, way, cap)
        after, traded = worth, 0.0
        for j in range(k):
            s = i * k + j
            row = place[s, ROW]
            price = marks[row, 0]
            decide(
                aims[j], held[j], losses[j], profits[j], money[s], clock[s], place[s], terms[j],
                lags, j, worth, price, ticks[row, TIME],
            )  # fmt: skip
            turnover = money[s, TURNOVER]
            money[s, CASH] = after - money[s, UNITS] * price
            happen(
                money[s], clock[s], lane[s], place[s], terms[j], when, happening,
                ticks[row, EVENT] + 1, ticks[row + 1, EVENT] + 1, room,
            )  # fmt: skip
            place[s, ROW] = row + 1
            after = equity(money[s, CASH], money[s, UNITS], marks[row + 1, 0])
            traded += (money[s, TURNOVER] - turnover) / (worth * terms[j, LEVERAGE])
        ruined = after <= floor
        if ruined:
            after = floor
            for s in range(i * k, (i + 1) * k):
                money[s, UNITS] = money[s, ENTRY] = money[s, WAITING] = 0.0
                money[s, STOP] = money[s, TARGET] = 0.0
        rewards[i] = reward(book[i], after, traded, unit, weights)
        terminated[i] = ruined
        truncated[i] = not ruined and place[i * k, ROW] >= place[i * k, END]
        done[i] = terminated[i] or truncated[i]
        ended += done[i]
        view(i, k, rules, cap, book, money, lane, place, terms, marks, ticks, seen, out)
    return ended
