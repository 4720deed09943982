"""The simulator's step, compiled, over any number of episodes at once.

Timing is the trader's: the action on a row is sized at its price, put on its way there and then,
filled at an event behind it, and marked at the next row's price.

Everything is reached by pointers (:mod:`features.compiled`, :mod:`envs.memory`): an array that is
handed on, and a slice of one, count references, which costs more than all the rest of a step.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

from envs.board import (
    BACKDROP,
    CLOCKS,
    COUNT,
    DONE,
    HAPPENING,
    KINDS,
    LAGS,
    LANES,
    MARKED,
    MONEYS,
    OUT,
    PAYS,
    PLACES,
    ROOM,
    RULES,
    SIZE,
    TABLE,
    TAPES,
    USUAL,
    VARIED,
    WEIGHTS,
)
from envs.lane import (
    ANCHOR,
    END,
    EVENT,
    HELD,
    HOUR,
    LANE,
    LEASE,
    MARKS,
    MEAN,
    PEAK,
    PLACE,
    ROW,
    SQUARE,
    STRETCH,
    TAPE,
    TIME,
    USED,
    WIDE,
    WORTH,
    aimed,
    decide,
    happen,
    look,
    stretched,
)
from envs.memory import flags, floats, ints, prefetch, shaped, singles
from envs.observation import exposure_of
from envs.reward import reward
from features.compiled import ahead, pointer
from market.execution.costs import LEVERAGE, TERMS
from market.execution.fills import equity
from market.execution.latency import QUANTILES
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

_MONEY, _CLOCK, _LANE, _PLACE = len(MONEY), len(CLOCK), len(LANE), len(PLACE)
"""Columns of each part of the state."""

_FAR, _NEAR = 16, 8
"""How many episodes before their turn rows, and the events that they name, are asked for."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Seen = npt.NDArray[np.float32]


@nb.njit(cache=True, error_model="numpy")
def start(
    which: Ints, begins: Ints, leases: Floats, stretches: Floats, capital: float, board: Ints
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
    board
        See :func:`step`.
    """
    size, varied, rules = board[SIZE], board[VARIED] != 0, floats(board[RULES])
    marks, ticks = floats(board[MARKED]), ints(board[MARKED])
    for k in range(len(which)):
        i, row = which[k], begins[k, 1]
        cash, its = ahead(floats(board[MONEYS]), i * _MONEY), ahead(ints(board[CLOCKS]), i * _CLOCK)
        mine, spot = ahead(floats(board[LANES]), i * _LANE), ahead(ints(board[PLACES]), i * _PLACE)
        for j in range(_MONEY):
            cash[j] = 0.0
        for j in range(_CLOCK):
            its[j] = 0
        cash[CASH] = mine[WORTH] = mine[PEAK] = capital
        mine[LEASE], mine[STRETCH] = leases[k], stretches[k]
        mine[MEAN], mine[SQUARE] = 0.0, 1.0
        spot[TAPE], spot[ROW], spot[END] = begins[k, 0], row, begins[k, 2]
        spot[HELD] = spot[USED] = 0
        spot[HOUR] = -1
        price, volatility = marks[row * MARKS], marks[row * MARKS + 1]
        mine[ANCHOR] = price
        pays = ahead(floats(board[PAYS]), (i if varied else begins[k, 0]) * TERMS)
        look(
            ahead(singles(board[BACKDROP]), row * size), size, cash, mine, spot, pays,
            int(rules[2]), varied, price, volatility * mine[STRETCH], ticks[row * MARKS + TIME],
            ahead(singles(board[OUT]), i * size),
        )  # fmt: skip


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def _coming(
    i: int, n: int, place: Ints, marks: Floats, ticks: Ints, seen: Seen, size: int, events: Floats
) -> None:
    """Bring near what the next episodes will read: the rows first, then the events they name."""
    if i + _FAR < n:
        row = place[(i + _FAR) * _PLACE + ROW]
        prefetch(ahead(marks, row * MARKS))
        prefetch(ahead(marks, (row + 1) * MARKS))
        prefetch(ahead(seen, (row + 1) * size))
        prefetch(ahead(seen, (row + 2) * size - 1))
    if i + _NEAR < n:
        event = ticks[place[(i + _NEAR) * _PLACE + ROW] * MARKS + EVENT]
        prefetch(ahead(events, (event + 1) * WIDE))


@nb.njit(cache=True, error_model="numpy")
def step(actions: Ints, board: Ints, rewards: Floats, terminated: Bools, truncated: Bools) -> int:
    """Advance every episode that isn't ``done`` by one decision.

    Parameters
    ----------
    actions
        ``int64[n]``.
    board
        ``int64[21]``: see :class:`envs.board.Board`. Of what it leads to,

        * ``money``, ``clock`` (``float64[n, 11]``, ``int64[n, 5]``), changed, are those of
          :mod:`market.execution.sleeve`;
        * ``lane``, ``place`` (``float64[n, 7]``, ``int64[n, 6]``), changed, are
          :data:`envs.lane.LANE` and :data:`envs.lane.PLACE`;
        * ``done`` (``bool[n]``): over already; nothing of it is touched. Set where one ends;
        * ``terms``, ``delays`` (``float64[n, 16]``, ``float64[n, 65]``): of each episode; of each
          tape if not varied;
        * ``table``: see :attr:`envs.spec.PolicySpec.table`; ``rules`` (``float64[4]``): dead zone,
          longest hold, openings an hour, and equity at which a sleeve is ruined: the episode ends
          and counts as this much; ``weights``: see :meth:`envs.reward.RewardConfig.weights`;
        * ``units``, ``marks``, ``seen``, ``events``: see :class:`envs.reel.Reel`;
        * ``fills`` (``float64[4, 4]``): room to write in; ``out`` (``float32[n, size]``): written.
    rewards, terminated, truncated
        ``float64[n]``, ``bool[n]``, ``bool[n]``: written.

    Returns
    -------
    int
        How many episodes ended; -1 if an action is none, and then nothing has changed.
    """
    n, size, varied = board[COUNT], board[SIZE], board[VARIED] != 0
    asked, gains = pointer(actions), pointer(rewards)
    fell, cut = flags(terminated.ctypes.data), flags(truncated.ctypes.data)
    done = flags(board[DONE])
    for i in range(n):
        if not 0 <= asked[i] < board[KINDS]:
            return -1
    money, clock, lane = floats(board[MONEYS]), ints(board[CLOCKS]), floats(board[LANES])
    place, terms, units = ints(board[PLACES]), floats(board[PAYS]), floats(board[USUAL])
    marks, ticks = floats(board[MARKED]), ints(board[MARKED])
    happening, when = floats(board[HAPPENING]), ints(board[HAPPENING])
    seen, out, weights = singles(board[BACKDROP]), singles(board[OUT]), floats(board[WEIGHTS])
    means = shaped(floats(board[TABLE]), (board[KINDS], 4))
    lags = shaped(floats(board[LAGS]), (board[TAPES], QUANTILES))
    room = shaped(floats(board[ROOM]), (FILLS, 4))
    rules = floats(board[RULES])
    dead_zone, longest, most, floor = rules[0], int(rules[1]), int(rules[2]), rules[3]
    ended = 0
    for i in range(n):
        _coming(i, n, place, marks, ticks, seen, size, happening)
        gains[i], fell[i], cut[i] = 0.0, False, False
        if done[i]:
            continue
        cash, its = ahead(money, i * _MONEY), ahead(clock, i * _CLOCK)
        mine, spot = ahead(lane, i * _LANE), ahead(place, i * _PLACE)
        which = i if varied else spot[TAPE]
        pays = ahead(terms, which * TERMS)
        row, worth = spot[ROW], mine[WORTH]
        here, at = ahead(marks, row * MARKS), ahead(ticks, row * MARKS)
        price = stretched(mine, here[0])
        leverage = pays[LEVERAGE]
        exposure = exposure_of(cash[UNITS], worth, leverage, price)
        volatility, time = here[1] * mine[STRETCH], at[TIME]
        aim, loss, profit = aimed(
            asked[i],
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
        happen(
            cash, its, mine, spot, pays, when, happening, at[EVENT] + 1, at[MARKS + EVENT] + 1, room
        )
        spot[ROW] = row = row + 1
        price = stretched(mine, here[MARKS])
        after = equity(cash[CASH], cash[UNITS], price)
        ruined = after <= floor
        if ruined:
            cash[CASH] = after = floor
            cash[UNITS] = cash[ENTRY] = cash[WAITING] = cash[STOP] = cash[TARGET] = 0.0
        traded = 0.0
        if cash[TURNOVER] != turnover:
            traded = (cash[TURNOVER] - turnover) / (worth * leverage)
        gains[i] = reward(mine, after, traded, units[spot[TAPE]] * mine[STRETCH], weights)
        fell[i] = ruined
        over = ruined or row >= spot[END]
        cut[i] = over and not ruined
        done[i] = over
        ended += over
        look(
            ahead(seen, row * size), size, cash, mine, spot, pays, most, varied, price,
            here[MARKS + 1] * mine[STRETCH], at[MARKS + TIME], ahead(out, i * size),
        )  # fmt: skip
    return ended
