"""The simulator's step, compiled, over any number of episodes at once.

Timing is the trader's: the action on row *i* is sized at ``price[i]``, filled around ``fill[i]``
(the next event's open), and marked at ``price[i + 1]``. Costs are :mod:`market.execution`'s.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from envs.action import ENDLESS, wanted
from envs.observation import exposure_of, observe, unrealised_of
from envs.reward import reward
from market.execution import equity, fee, fill_price, side_cost, target_units

__all__ = ["MONEY", "PLACE", "start", "step"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MONEY = ("cash", "units", "entry", "worth", "peak", "lease", "fees")
"""Columns of the money state, a row an episode."""

PLACE = ("tape", "row", "end", "held", "trades")
"""Columns of the place state; ``end`` is the last row, where the episode is cut off."""


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def _see(
    i: int,
    money: Floats,
    place: Ints,
    rows: Floats,
    features: Floats,
    scales: Floats,
    terms: Floats,
    out: npt.NDArray[np.float32],
) -> None:
    """Observe episode ``i``."""
    tape, row = place[i, 0], place[i, 1]
    price, volatility = rows[row, 0], rows[row, 6]
    worth = equity(money[i, 0], money[i, 1], price)
    observe(
        out[i],
        rows[row, 2],
        rows[row, 3],
        rows[row, 4],
        rows[row, 5],
        rows[row, 7],
        exposure_of(money[i, 1], worth, terms[tape, 0], price),
        unrealised_of(money[i, 1], money[i, 2], price, volatility),
        place[i, 3],
        money[i, 5],
        rows[row, 8],
        rows[row, 9],
        side_cost(price, terms[tape, 1], terms[tape, 2], terms[tape, 3], terms[tape, 5])
        / volatility,
        rows[row, 10],
        0.0,
        0.0,
        1.0,
        False,
        features[row],
        scales[0],
        scales[1],
    )


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def _trade(
    i: int,
    action: int,
    table: Floats,
    rules: Floats,
    money: Floats,
    place: Ints,
    rows: Floats,
    terms: Floats,
) -> float:
    """Carry out ``action`` in episode ``i``; return the exposure traded.

    The order of operations is the account's, so that equal decisions give bit-equal money.
    """
    tape, row = place[i, 0], place[i, 1]
    price, leverage = rows[row, 0], terms[tape, 0]
    cash, units, lease = money[i, 0], money[i, 1], money[i, 5]
    worth = equity(cash, units, price)
    exposure = exposure_of(units, worth, leverage, price)
    aim, _, _ = wanted(
        table, action, exposure, rows[row, 6], rules[0], place[i, 3], int(rules[1]), ENDLESS
    )
    if units != 0.0:
        place[i, 3] += 1
    if aim == exposure:
        return 0.0
    if lease < 1.0:
        aim = min(max(aim, min(-lease, exposure)), max(lease, exposure))
    order = target_units(aim, worth, leverage, price) - units
    if order == 0.0:
        return 0.0
    paid = fill_price(rows[row, 1], order, terms[tape, 2], terms[tape, 3])
    commission = fee(order, paid, terms[tape, 1], terms[tape, 5])
    after = units + order
    if abs(after) < 1e-12 * max(1.0, abs(units)):
        after = 0.0
    if units == 0.0 or units * after < 0.0:
        money[i, 2] = paid
        place[i, 3] = 0
    elif abs(after) > abs(units):
        money[i, 2] = (units * money[i, 2] + order * paid) / after
    if units != 0.0 and units * after <= 0.0:
        place[i, 4] += 1
    if after == 0.0:
        money[i, 2] = 0.0
        place[i, 3] = 0
    money[i, 0] = cash - order * paid - commission
    money[i, 1] = after
    money[i, 6] += commission
    return abs(aim - exposure)


@nb.njit(cache=True, error_model="numpy")
def start(
    which: Ints,
    begins: Ints,
    leases: Floats,
    capital: float,
    money: Floats,
    place: Ints,
    rows: Floats,
    features: Floats,
    scales: Floats,
    terms: Floats,
    out: npt.NDArray[np.float32],
) -> None:
    """Begin the episodes ``which``, flat.

    Parameters
    ----------
    which
        ``int64[k]``: the episodes.
    begins
        ``int64[k, 3]``: tape, first row and last row of each.
    leases
        ``float64[k]``: lease of each, largest positions.
    capital
        Equity to start with.
    money, place, rows, features, scales, terms, out
        See :func:`step`.
    """
    for k in range(len(which)):
        i = which[k]
        money[i, :] = 0.0
        money[i, 0] = money[i, 3] = money[i, 4] = capital
        money[i, 5] = leases[k]
        place[i, 0], place[i, 1], place[i, 2] = begins[k, 0], begins[k, 1], begins[k, 2]
        place[i, 3] = place[i, 4] = 0
        _see(i, money, place, rows, features, scales, terms, out)


@nb.njit(cache=True, error_model="numpy")
def step(
    actions: Ints,
    table: Floats,
    rules: Floats,
    money: Floats,
    place: Ints,
    done: Bools,
    rows: Floats,
    features: Floats,
    scales: Floats,
    terms: Floats,
    weights: Floats,
    floor: float,
    out: npt.NDArray[np.float32],
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
        See :attr:`envs.spec.PolicySpec.table`; dead zone and longest hold.
    money, place
        ``float64[n, 7]``, ``int64[n, 5]``: changed; see :data:`MONEY`, :data:`PLACE`.
    done
        ``bool[n]``: over already; nothing of it is touched. Set where an episode ends.
    rows, features, terms
        See :class:`envs.tape.Reel`.
    scales
        ``float64[2, k]``: centres and scales of the features.
    weights
        ``float64[3]``: drawdown, turnover, risk.
    floor
        Equity at which a sleeve is ruined: the episode ends and counts as this much.
    out, rewards, terminated, truncated
        ``float32[n, SIZE]``, ``float64[n]``, ``bool[n]``, ``bool[n]``: written.

    Returns
    -------
    int
        How many episodes ended; -1 if an action is none, and then nothing has changed.
    """
    for i in range(len(actions)):
        if not 0 <= actions[i] < len(table):
            return -1
    ended = 0
    for i in range(len(actions)):
        rewards[i], terminated[i], truncated[i] = 0.0, False, False
        if done[i]:
            continue
        traded = _trade(i, actions[i], table, rules, money, place, rows, terms)
        place[i, 1] += 1
        row = place[i, 1]
        worth = equity(money[i, 0], money[i, 1], rows[row, 0])
        ruined = worth <= floor
        if ruined:
            worth = floor
            money[i, 0], money[i, 1], money[i, 2] = floor, 0.0, 0.0
        growth = 0.0 if worth == money[i, 3] else math.log(worth / money[i, 3])
        deepened = 0.0
        if worth > money[i, 4]:
            money[i, 4] = worth
        elif growth < 0.0:
            deepened = -growth
        money[i, 3] = worth
        unit = terms[place[i, 0], 4]
        rewards[i] = reward(growth, deepened, traded, unit, weights[0], weights[1], weights[2])
        terminated[i] = ruined
        truncated[i] = not ruined and row >= place[i, 2]
        done[i] = terminated[i] or truncated[i]
        ended += done[i]
        _see(i, money, place, rows, features, scales, terms, out)
    return ended
