"""The simulator's step, compiled, over any number of episodes at once.

Timing is the trader's: the action on a row is sized at its price, put on its way there and then,
filled at an event behind it, and marked at the next row's price.

An episode's rows are handed on as pointers (:mod:`features.compiled`): a slice of an array counts
references, which costs more than the rest of a step.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

from envs.lane import (
    ANCHOR,
    END,
    HELD,
    HOUR,
    LANE,
    LEASE,
    MEAN,
    PEAK,
    PLACE,
    ROW,
    SQUARE,
    STRETCH,
    TAPE,
    USED,
    WORTH,
    aimed,
    decide,
    happen,
    look,
    stretched,
)
from envs.memory import bare, prefetch
from envs.observation import exposure_of
from envs.reward import reward
from features.compiled import ahead, pointer
from market.execution.costs import LEVERAGE, TERMS
from market.execution.fills import equity
from market.execution.sleeve import (
    CASH,
    CLOCK,
    ENTRY,
    FILLS,
    MONEY,
    STOP,
    TARGET,
    TURNOVER,
    UNITS,
    WAITING,
)

__all__ = ["start", "step"]

MONEYS, CLOCKS, LANES, PLACES = len(MONEY), len(CLOCK), len(LANE), len(PLACE)
"""Columns of each part of the state."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Seen = npt.NDArray[np.float32]


@nb.njit(cache=True, error_model="numpy")
def start(
    which: Ints,
    begins: Ints,
    leases: Floats,
    stretches: Floats,
    capital: float,
    varied: bool,
    rules: Floats,
    money: Floats,
    clock: Ints,
    lane: Floats,
    place: Ints,
    terms: Floats,
    marks: Floats,
    at: Ints,
    seen: Seen,
    times: Ints,
    out: Seen,
) -> None:
    """Begin the episodes ``which``, flat.

    Parameters
    ----------
    which
        ``int64[k]``: the episodes.
    begins
        ``int64[k, 3]``: tape, first row and last row of each.
    leases, stretches
        ``float64[k]``: lease of each, largest positions; what its price's moves are multiplied
        with.
    capital
        Equity to start with.
    varied, rules, money, clock, lane, place, terms, marks, at, seen, times, out
        See :func:`step`.
    """
    size = out.shape[1]
    for k in range(len(which)):
        i = which[k]
        money[i, :] = 0.0
        clock[i, :] = 0
        money[i, CASH] = lane[i, WORTH] = lane[i, PEAK] = capital
        lane[i, LEASE], lane[i, STRETCH] = leases[k], stretches[k]
        lane[i, MEAN], lane[i, SQUARE] = 0.0, 1.0
        place[i, TAPE], place[i, ROW], place[i, END] = begins[k, 0], begins[k, 1], begins[k, 2]
        place[i, HELD] = place[i, USED] = 0
        place[i, HOUR] = -1
        row = begins[k, 1]
        lane[i, ANCHOR] = marks[row, 0]
        look(
            ahead(pointer(seen), row * size), size,
            ahead(pointer(money), i * MONEYS), ahead(pointer(lane), i * LANES),
            ahead(pointer(place), i * PLACES),
            ahead(pointer(terms), (i if varied else begins[k, 0]) * TERMS),
            int(rules[2]), varied, marks[row, 0], marks[row, 1] * lane[i, STRETCH],
            times[at[row]], ahead(pointer(out), i * size),
        )  # fmt: skip


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def _coming(
    i: int, place: Ints, marks: Floats, at: Ints, seen: Seen, times: Ints, events: Floats
) -> None:
    """Bring near what the next episodes will read: the rows first, then the events they name."""
    far, near = i + 16, i + 8
    if far < len(place):
        row = place[far, ROW]
        prefetch(ahead(pointer(at), row))
        prefetch(ahead(pointer(marks), 2 * row))
        prefetch(ahead(pointer(seen), (row + 1) * seen.shape[1]))
        prefetch(ahead(pointer(seen), (row + 2) * seen.shape[1] - 1))
    if near < len(place):
        event = at[place[near, ROW]]
        prefetch(ahead(pointer(times), event))
        prefetch(ahead(pointer(events), 6 * (event + 1)))
        prefetch(ahead(pointer(events), 6 * (event + 2) - 1))


@nb.njit(cache=True, error_model="numpy")
def step(
    actions: Ints,
    table: Floats,
    rules: Floats,
    weights: Floats,
    floor: float,
    varied: bool,
    money: Floats,
    clock: Ints,
    lane: Floats,
    place: Ints,
    done: Bools,
    terms: Floats,
    delays: Floats,
    units: Floats,
    marks: Floats,
    at: Ints,
    seen: Seen,
    times: Ints,
    events: Floats,
    fills: Floats,
    out: Seen,
    rewards: Floats,
    terminated: Bools,
    truncated: Bools,
) -> int:
    """Advance every episode that isn't ``done`` by one decision.

    Parameters
    ----------
    actions
        ``int64[n]``.
    table, rules
        See :attr:`envs.spec.PolicySpec.table`; dead zone, longest hold and openings an hour.
    weights
        ``float64[4]``: see :meth:`envs.reward.RewardConfig.weights`.
    floor
        Equity at which a sleeve is ruined: the episode ends and counts as this much.
    varied
        Whether an episode's terms or its price's moves may differ from its tape's.
    money, clock
        ``float64[n, 11]``, ``int64[n, 5]``: changed; see :mod:`market.execution.sleeve`.
    lane, place
        ``float64[n, 7]``, ``int64[n, 6]``: changed; see :data:`envs.lane.LANE`,
        :data:`envs.lane.PLACE`.
    done
        ``bool[n]``: over already; nothing of it is touched. Set where an episode ends.
    terms, delays
        ``float64[n, 16]``, ``float64[n, 65]``: of each episode; of each tape if not ``varied``.
    units, marks, at, seen, times, events
        See :class:`envs.reel.Reel`.
    fills
        ``float64[4, 4]``: room to write in.
    out, rewards, terminated, truncated
        ``float32[n, size]``, ``float64[n]``, ``bool[n]``, ``bool[n]``: written.

    Returns
    -------
    int
        How many episodes ended; -1 if an action is none, and then nothing has changed.
    """
    for i in range(len(actions)):
        if not 0 <= actions[i] < len(table):
            return -1
    dead_zone, longest, most = rules[0], int(rules[1]), int(rules[2])
    ended, size = 0, out.shape[1]
    when, happening = pointer(times), pointer(events)
    lags, means, room = (
        bare(delays, delays.shape),
        bare(table, table.shape),
        bare(fills, (FILLS, 4)),
    )
    for i in range(len(actions)):
        _coming(i, place, marks, at, seen, times, events)
        rewards[i], terminated[i], truncated[i] = 0.0, False, False
        if done[i]:
            continue
        cash, its = ahead(pointer(money), i * MONEYS), ahead(pointer(clock), i * CLOCKS)
        mine, spot = ahead(pointer(lane), i * LANES), ahead(pointer(place), i * PLACES)
        which = i if varied else spot[TAPE]
        pays = ahead(pointer(terms), which * TERMS)
        row, worth = spot[ROW], mine[WORTH]
        price = stretched(mine, marks[row, 0])
        leverage = pays[LEVERAGE]
        exposure = exposure_of(cash[UNITS], worth, leverage, price)
        volatility, time = marks[row, 1] * mine[STRETCH], times[at[row]]
        aim, loss, profit = aimed(
            actions[i],
            means,
            dead_zone,
            longest,
            most,
            cash,
            spot,
            mine[LEASE],
            exposure,
            volatility,
            time,
        )
        decide(aim, exposure, loss, profit, cash, its, spot, pays, lags, which, worth, price, time)
        turnover = cash[TURNOVER]
        happen(cash, its, mine, spot, pays, when, happening, at[row] + 1, at[row + 1] + 1, room)
        spot[ROW] = row = row + 1
        price = stretched(mine, marks[row, 0])
        after = equity(cash[CASH], cash[UNITS], price)
        ruined = after <= floor
        if ruined:
            cash[CASH] = after = floor
            cash[UNITS] = cash[ENTRY] = cash[WAITING] = cash[STOP] = cash[TARGET] = 0.0
        traded = 0.0
        if cash[TURNOVER] != turnover:
            traded = (cash[TURNOVER] - turnover) / (worth * leverage)
        rewards[i] = reward(mine, after, traded, units[spot[TAPE]] * mine[STRETCH], weights)
        terminated[i] = ruined
        truncated[i] = not ruined and row >= spot[END]
        done[i] = terminated[i] or truncated[i]
        ended += done[i]
        look(
            ahead(pointer(seen), row * size), size, cash, mine, spot, pays, most, varied, price,
            marks[row, 1] * mine[STRETCH], times[at[row]], ahead(pointer(out), i * size),
        )  # fmt: skip
    return ended
