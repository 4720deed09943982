"""One sleeve at one venue, event by event: the life of an order, compiled.

:func:`place` puts a market order on its way and :func:`advance` takes an event. The paper broker
calls them for one sleeve, the simulator and the backtest for any number of them: one code. The
state is two vectors, so that a batch is two matrices.

An order decided on event *t* arrives after its latency and is filled at the first later event
whose time isn't before its arrival. A bar is the span from its opening to its close: an order that
arrived before the opening is filled at the open, one that arrives inside at the price on the
straight line from open to close, the mean of every path that has both ends; a level that the open
has jumped over closes the position before it. A tick has no span.
Nothing is filled at a price that was known when the decision was made.

Brackets rest at the venue. A stop is a market order: filled at its level, or at the open where the
price has jumped over it, with spread and slippage. A target is a resting limit order: filled at
its level or better, without a spread and at the maker's fee. Where a bar has touched both, the stop
came first: the order of prices within a bar is not known, and the worse is assumed. In the bar
that an order is filled *inside* of, the stop counts over the whole range and the target not yet.
What the venue closes ends the order under way.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from market.execution.costs import (
    COMMISSION,
    FUNDING_EVERY,
    FUNDING_RATE,
    GUARANTEED,
    HALF_SPREAD,
    IMPACT,
    LIQUIDATION_FEE,
    MAINTENANCE,
    MAKER,
    PARTICIPATION,
    PER_UNIT,
    SEED,
    SLIPPAGE,
    SPAN,
    STOP_OUT,
)
from market.execution.fills import fee, fill_price, impact
from market.execution.latency import delay

__all__ = ["CLOCK", "FILLS", "MONEY", "REASONS", "advance", "levels", "open_sleeve", "place"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MONEY = (
    "cash", "units", "entry", "fees", "funding", "waiting", "loss", "profit", "stop", "target",
    "turnover",
)  # fmt: skip
"""Columns of the money: cash, signed units, their average price, commission and funding paid so
far, signed units of the order still under way and its bracket's distances (fractions of the price
filled, 0: none), the bracket's prices (0: none), notional traded so far."""

CASH, UNITS, ENTRY, FEES, PAID, WAITING, LOSS, PROFIT, STOP, TARGET, TURNOVER = range(11)

CLOCK = ("decided", "arrives", "opened", "seen", "trades")
"""Columns of the clock: when the order was decided, and arrives; when the position was opened; the
last event that was taken while anything was held or under way; round trips closed."""

DECIDED, ARRIVES, OPENED, SEEN, TRADES = range(5)

REASONS = ("order", "stop", "target", "liquidation", "funding")
"""Why something was filled, by its number in a row of fills."""

ORDERED, STOPPED, TAKEN, LIQUIDATED, FUNDED = range(5)

FILLS = 4
"""Most fills that one event can bring."""


def open_sleeve(capital: float) -> tuple[Floats, Ints]:
    """Return money and clock of a flat sleeve with ``capital``, ``float64[11]``, ``int64[5]``."""
    money = np.zeros(len(MONEY))
    money[CASH] = capital
    return money, np.zeros(len(CLOCK), np.int64)


@nb.njit(cache=True, error_model="numpy")
def place(
    money: Floats,
    clock: Ints,
    terms: Floats,
    delays: Floats,
    units: float,
    loss: float,
    profit: float,
    time: int,
) -> None:
    """Put a market order on its way; one that is under way already is replaced.

    Parameters
    ----------
    money, clock
        The sleeve; changed.
    terms, delays
        See :meth:`~market.execution.costs.Costs.terms` and
        :meth:`~market.execution.costs.Costs.delays`.
    units
        Signed.
    loss, profit
        Distances of stop and target from the average price of the position that the order opens,
        turns or adds to, as fractions of that price; 0: none.
    time
        Venue time of the event it is decided on.
    """
    money[WAITING], money[LOSS], money[PROFIT] = units, loss, profit
    clock[DECIDED] = time
    clock[ARRIVES] = time + delay(delays, int(terms[SEED]), time)


@nb.njit(cache=True, error_model="numpy")
def _settle(
    money: Floats, clock: Ints, units: float, price: float, charge: float, time: int
) -> None:
    """Book a fill; the order of operations is the account's, so that money is bit-equal."""
    before = money[UNITS]
    after = before + units
    if abs(after) < 1e-12 * max(1.0, abs(before)):
        after = 0.0
    if before == 0.0 or before * after < 0.0:
        money[ENTRY] = price
        clock[OPENED] = time
    elif abs(after) > abs(before):
        money[ENTRY] = (before * money[ENTRY] + units * price) / after
    if before != 0.0 and before * after <= 0.0:
        clock[TRADES] += 1
        money[STOP] = money[TARGET] = 0.0
    if after == 0.0:
        money[ENTRY] = 0.0
        clock[OPENED] = 0
    money[CASH] = money[CASH] - units * price - charge
    money[UNITS] = after
    money[FEES] += charge
    money[TURNOVER] += abs(units) * price


@nb.njit(cache=True, error_model="numpy")
def _bracket(money: Floats, units: float) -> None:
    """Set stop and target from the order's distances, where it made the position larger."""
    held = money[UNITS]
    if held * units <= 0.0 or (money[LOSS] == 0.0 and money[PROFIT] == 0.0):
        return
    side = 1.0 if held > 0.0 else -1.0
    money[STOP] = money[ENTRY] * (1.0 - side * money[LOSS]) if money[LOSS] > 0.0 else 0.0
    money[TARGET] = money[ENTRY] * (1.0 + side * money[PROFIT]) if money[PROFIT] > 0.0 else 0.0


@nb.njit(cache=True, error_model="numpy")
def _close(
    money: Floats,
    clock: Ints,
    terms: Floats,
    mid: float,
    edge: float,
    commission: float,
    time: int,
    reason: int,
    fill: Floats,
) -> None:
    """Close the whole position and end the order under way."""
    units = -money[UNITS]
    price = fill_price(mid, units, edge, 0.0)
    charge = fee(units, price, commission, terms[PER_UNIT])
    _settle(money, clock, units, price, charge, time)
    money[WAITING] = 0.0
    fill[0], fill[1], fill[2], fill[3] = units, price, charge, reason


@nb.njit(cache=True, error_model="numpy")
def levels(money: Floats, terms: Floats) -> tuple[float, int, float, bool]:
    """Where the venue would close the open position that goes wrong.

    Returns
    -------
    level
        The price times the side held: of the levels below a long position the highest is met first,
        of those above a short one the lowest. ``-inf``: none.
    reason
        Number of the reason; -1: none.
    extra
        Fee beside the commission, a fraction of the notional.
    guaranteed
        Whether it is filled at the very level.
    """
    units, entry = money[UNITS], money[ENTRY]
    side = 1.0 if units > 0.0 else -1.0
    level, reason, extra, guaranteed = -math.inf, -1, 0.0, False
    if money[STOP] > 0.0:
        level, reason = money[STOP] * side, STOPPED
    if terms[STOP_OUT] > 0.0:
        out = entry * (side - terms[STOP_OUT])
        if out > level:
            level, reason, guaranteed = out, LIQUIDATED, terms[GUARANTEED] > 0.0
    if terms[MAINTENANCE] > 0.0:
        out = -money[CASH] / (units * (1.0 - side * terms[MAINTENANCE])) * side
        if out > level:
            level, reason, guaranteed = out, LIQUIDATED, False
            extra = terms[LIQUIDATION_FEE]
    return level, reason, extra, guaranteed


@nb.njit(cache=True, error_model="numpy")
def _ends(
    money: Floats,
    clock: Ints,
    terms: Floats,
    first: float,
    high: float,
    low: float,
    time: int,
    widen: float,
    inside: bool,
    fill: Floats,
) -> int:
    """Let the venue close the position where a level was touched; return the fills, 0 or 1."""
    units = money[UNITS]
    side = 1.0 if units > 0.0 else -1.0
    worst = low if side > 0.0 else high
    level, reason, extra, guaranteed = levels(money, terms)
    if reason >= 0 and worst * side <= level:
        edge = (terms[HALF_SPREAD] + terms[SLIPPAGE]) * widen + impact(units, terms[IMPACT])
        mid = level * side
        if guaranteed:
            edge = 0.0
        elif first * side < level:
            mid = first
        _close(money, clock, terms, mid, edge, terms[COMMISSION] + extra, time, reason, fill)
        return 1
    target = money[TARGET]
    best = high if side > 0.0 else low
    if target > 0.0 and not inside and best * side >= target * side:
        mid = first if first * side > target * side else target
        _close(money, clock, terms, mid, 0.0, terms[MAKER], time, TAKEN, fill)
        return 1
    return 0


@nb.njit(cache=True, error_model="numpy")
def advance(
    money: Floats,
    clock: Ints,
    terms: Floats,
    first: float,
    high: float,
    low: float,
    last: float,
    volume: float,
    time: int,
    widen: float,
    fills: Floats,
) -> int:
    """Take an event: pay funding, fill the order under way, and close what met its level.

    May be left out while nothing is held and nothing under way.

    Parameters
    ----------
    money, clock
        The sleeve; changed.
    terms
        See :meth:`~market.execution.costs.Costs.terms`.
    first, high, low, last, volume
        The event: open, high, low and close, all one for a tick; units traded, ``nan`` if unknown.
    time
        Its venue time, a bar's close.
    widen
        What spread and slippage are multiplied with, 1 ordinarily; ``inf``: trading is halted and
        nothing is filled.
    fills
        ``float64[4, 4]``: a row for each fill is written: signed units, price, fee, reason (see
        :data:`REASONS`). Funding has no units, its fee is what was paid, and is negative where it
        was received.

    Returns
    -------
    int
        How many.

    Notes
    -----
    A position meets its levels in the event in which it is opened.
    """
    n = 0
    if money[UNITS] != 0.0 and terms[FUNDING_EVERY] > 0.0:
        every = int(terms[FUNDING_EVERY])
        due = time // every - clock[SEEN] // every
        if due > 0:
            paid = money[UNITS] * first * terms[FUNDING_RATE] * due
            money[CASH] -= paid
            money[PAID] += paid
            fills[n, 0], fills[n, 1], fills[n, 2], fills[n, 3] = 0.0, first, paid, FUNDED
            n += 1
    clock[SEEN] = time
    if widen == math.inf:
        return n
    start, inside = first, False
    order = money[WAITING]
    if order != 0.0 and time > clock[DECIDED] and time >= clock[ARRIVES]:
        began = max(time - int(terms[SPAN]), clock[DECIDED])
        if terms[SPAN] > 0.0 and clock[ARRIVES] > began:
            start = first + (clock[ARRIVES] - began) / (time - began) * (last - first)
            inside = True
            # The open came before the order: what it jumped over has closed the position.
            if money[UNITS] != 0.0:
                done = _ends(money, clock, terms, first, first, first, time, widen, False, fills[n])
                if done > 0:
                    return n + done
        if terms[PARTICIPATION] > 0.0 and volume >= 0.0:
            most = terms[PARTICIPATION] * volume
            # What rounding leaves of the last part goes with it: nothing stays under way unseen.
            if abs(order) > most * (1.0 + 1e-9):
                order = most if order > 0.0 else -most
        if order != 0.0:
            edge = (terms[HALF_SPREAD] + terms[SLIPPAGE]) * widen
            if terms[IMPACT] > 0.0:
                edge += impact(order, terms[IMPACT])
            price = fill_price(start, order, edge, 0.0)
            charge = fee(order, price, terms[COMMISSION], terms[PER_UNIT])
            _settle(money, clock, order, price, charge, time)
            _bracket(money, order)
            money[WAITING] -= order
            fills[n, 0], fills[n, 1], fills[n, 2], fills[n, 3] = order, price, charge, ORDERED
            n += 1
        else:
            inside = False
    if money[UNITS] != 0.0:
        n += _ends(money, clock, terms, start, high, low, time, widen, inside, fills[n])
    return n
