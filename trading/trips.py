"""Trips: round trips of a position, from the log of its fills, and what they made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from market.execution import Costs

__all__ = ["END", "FILL_REASONS", "REASONS", "Fills", "Trips", "mids"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]

FILL_REASONS = ("", "stop", "target", "liquidation", "funding")
"""What made a fill: the order itself, or the venue; :attr:`Fills.reason` counts them."""

TARGET, LIQUIDATION, FUNDING = 2, 3, 4

REASONS = ("signal", "stop", "target", "hold", "liquidation", "end")
"""What ended a trip; :attr:`Trips.reason` counts them.

``signal``: an order the policy asked for. ``hold``: one that the longest hold made due. ``end``:
nothing did, the position is open and marked at the last price.
"""

HELD, END = 3, 5

_ENDED_BY = np.array([0, 1, 2, 4, 0, END], np.int8)
"""Reason of a trip by that of its last fill; the sixth is the mark at the end."""


@dataclass(frozen=True)
class Fills:
    """One symbol's fills in order; ``m`` of them.

    Parameters
    ----------
    times
        ``int64[m]``: venue time, nanoseconds.
    units, price, fee
        ``float64[m]``: signed units, price paid, commission; funding is a fill of no units whose
        fee is what was paid (negative: received).
    held
        ``float64[m]``: signed units held afterwards.
    mid
        ``float64[m]``: the price without spread, slippage and impact.
    reason
        ``int8[m]``: index into :data:`FILL_REASONS`.
    """

    times: Ints
    units: Floats
    price: Floats
    fee: Floats
    held: Floats
    mid: Floats
    reason: Bytes

    @classmethod
    def none(cls) -> Fills:
        """Return a log without a fill."""
        empty = np.empty(0)
        return cls(empty.astype(np.int64), empty, empty, empty, empty, empty, empty.astype(np.int8))

    def __len__(self) -> int:
        return len(self.times)


def mids(
    costs: Costs, units: Floats, price: Floats, reason: Bytes, widen: Floats | None = None
) -> Floats:
    """Take spread, slippage and impact out of prices paid.

    Parameters
    ----------
    costs
        They were paid under.
    units, price, reason
        Of the fills, see :class:`Fills`. A target rests at its price and pays no spread; a
        guaranteed stop-out is filled at its level.
    widen
        What spread and slippage were multiplied with; ``None``: 1.

    Examples
    --------
    >>> told = Costs(half_spread=0.01), np.array([2.0, -2.0]), np.array([101.0, 101.0])
    >>> mids(*told, np.array([0, 2], np.int8)).tolist()
    [100.0, 101.0]
    """
    edge = (costs.half_spread + costs.slippage) * (1.0 if widen is None else widen)
    if costs.impact is not None:
        edge = edge + costs.impact.scale * np.sqrt(np.abs(units))
    free = reason == TARGET
    if costs.margin.guaranteed and costs.margin.stop_out:
        free |= reason == LIQUIDATION
    return price / (1.0 + np.where(free, 0.0, np.sign(units) * edge))


@dataclass(frozen=True)
class Trips:
    """One symbol's round trips in order of opening; ``k`` of them.

    A trip lasts from flat to flat; a reversal ends one and begins the next. The last may still be
    open: it is marked at the last price, without the cost of closing it. So trips add up to the
    change of equity, to rounding.

    Parameters
    ----------
    symbol
        The instrument.
    side
        ``int8[k]``: 1 long, -1 short.
    opened, closed
        ``int64[k]``: venue time of the first and the last fill, nanoseconds.
    entry, exit
        ``float64[k]``: average price paid and received, spread and slippage included.
    units
        ``float64[k]``: largest position.
    gross
        ``float64[k]``: made by the prices paid and received, account currency.
    fees, slippage, funding
        ``float64[k]``: commission; what spread, slippage and impact took, which is already inside
        ``gross``; funding paid.
    pnl
        ``float64[k]``: ``gross - fees - funding``.
    reason
        ``int8[k]``: index into :data:`REASONS`.
    held
        ``int64[k]``: decisions from opening to closing.
    best, worst
        ``float64[k]``: largest favourable and adverse excursion as fractions of ``entry``, at
        least and at most 0 respectively; of the ranges of all events from the one
        it opened on to the one before it closed, and the closing price.
    regime
        ``int64[k]``: at the decision that opened it; -1 where none is known.

    Examples
    --------
    >>> one, two = np.array([1, 2]), np.array([2.0, -2.0])
    >>> price, free = np.array([100.0, 101.0]), np.zeros(2)
    >>> log = Fills(one, two, price, free, np.array([2.0, 0.0]), price, np.array([0, 2], np.int8))
    >>> trips = Trips.of("R_75", log, one, price, price, one, np.full(2, -1))
    >>> trips.pnl.tolist(), [REASONS[i] for i in trips.reason], trips.best.round(4).tolist()
    ([2.0], ['target'], [0.01])
    """

    symbol: str
    side: Bytes
    opened: Ints
    closed: Ints
    entry: Floats
    exit: Floats
    units: Floats
    gross: Floats
    fees: Floats
    slippage: Floats
    funding: Floats
    pnl: Floats
    reason: Bytes
    held: Ints
    best: Floats
    worst: Floats
    regime: Ints

    def __len__(self) -> int:
        return len(self.opened)

    def table(self) -> dict[str, npt.NDArray[Any]]:
        """Return every column by name, the symbol and the reason in words."""
        found: dict[str, npt.NDArray[Any]] = {"symbol": np.full(len(self), self.symbol)}
        found |= {one.name: getattr(self, one.name) for one in fields(self)[1:]}
        found["reason"] = np.array(REASONS, np.str_)[self.reason]
        return found

    @classmethod
    def joined(cls, parts: Sequence[Trips]) -> Trips:
        """Return the trips of several symbols in one, in order of closing."""
        order = np.argsort(np.concatenate([one.closed for one in parts]), kind="stable")
        names = [one.name for one in fields(cls)[1:]]
        columns = {n: np.concatenate([getattr(one, n) for one in parts])[order] for n in names}
        return cls(", ".join(one.symbol for one in parts), **columns)

    @classmethod
    def of(
        cls,
        symbol: str,
        fills: Fills,
        times: Ints,
        high: Floats,
        low: Floats,
        decided: Ints,
        regime: Ints,
        last: float | None = None,
        max_hold: int = 0,
    ) -> Trips:
        """Cut a log of fills into trips.

        Parameters
        ----------
        symbol
            The instrument.
        fills
            The log.
        times, high, low
            Of every event of the tape; the range the excursions are taken from.
        decided, regime
            Venue time of every decision, and the regime it saw.
        last
            Price an open position is marked at; ``None``: the middle of the last event's range.
        max_hold
            Decisions after which the policy closes a position; 0: it doesn't.
        """
        after, mark = fills.held, last
        if mark is None:
            mark = 0.5 * float(high[-1] + low[-1]) if len(high) else 0.0
        before = np.concatenate(([0.0], after[:-1])) if len(fills) else after
        # A reversal is two fills: one that closes, one that opens.
        turns = before * after < 0.0
        place = np.repeat(np.arange(len(fills)), 1 + turns)
        second = np.concatenate(([False], place[1:] == place[:-1])) if len(place) else place > 0
        first = turns[place] & ~second
        b = np.where(second, 0.0, before[place])
        h = np.where(first, 0.0, after[place])
        units = np.where(turns[place], h - b, fills.units[place])
        whole = np.where(turns[place], np.abs(fills.units[place]), 1.0)
        share = np.where(turns[place], np.abs(units) / whole, 1.0)
        price, mid, when = fills.price[place], fills.mid[place], fills.times[place]
        fee, why = fills.fee[place] * share, fills.reason[place].astype(np.int64)
        if len(h) and h[-1] != 0.0:
            b, units, h = np.append(b, h[-1]), np.append(units, -h[-1]), np.append(h, 0.0)
            price, mid = np.append(price, mark), np.append(mid, mark)
            fee, why = np.append(fee, 0.0), np.append(why, END)
            when = np.append(when, times[-1])
        kept = (b != 0.0) | (h != 0.0)
        b, h, units, price, mid = b[kept], h[kept], units[kept], price[kept], mid[kept]
        fee, why, when = fee[kept], why[kept], when[kept]
        start = np.flatnonzero((b == 0.0) & (h != 0.0))
        stop = np.flatnonzero((b != 0.0) & (h == 0.0))
        size = np.abs(units)
        adds, cuts = np.abs(h) > np.abs(b), np.abs(h) < np.abs(b)
        side = np.sign(h[start])
        opened, closed = when[start], when[stop]
        entry = _average(price, price[start], adds * size, start)
        out = _average(price, price[stop], cuts * size, start)
        gross, paid = _sum(-units * price, start), why == FUNDING
        fees, funding = _sum(fee * ~paid, start), _sum(fee * paid, start)
        held = np.searchsorted(decided, closed) - np.searchsorted(decided, opened)
        reason = _ENDED_BY[why[stop]]
        if max_hold:
            # The decision it is due at is one of those counted: it is made while it is held.
            reason = np.where((reason == 0) & (held > max_hold), np.int8(HELD), reason)
        seen = np.searchsorted(decided, opened) - 1
        found = np.append(regime, -1)[np.where(seen < 0, len(regime), seen)]
        top, bottom = _range(times, high, low, opened, closed, entry, out)
        up, down = top / entry - 1.0, bottom / entry - 1.0
        return cls(
            symbol=symbol,
            side=side.astype(np.int8),
            opened=opened,
            closed=closed,
            entry=entry,
            exit=out,
            units=np.maximum.reduceat(np.abs(h), start) if len(start) else _sum(h, start),
            gross=gross,
            fees=fees,
            slippage=_sum(units * (price - mid), start),
            funding=funding,
            pnl=gross - fees - funding,
            reason=reason.astype(np.int8),
            held=held.astype(np.int64),
            best=np.where(side > 0.0, up, -down),
            worst=np.where(side > 0.0, down, -up),
            regime=found.astype(np.int64),
        )


def _sum(values: Floats, start: Ints) -> Floats:
    """Sum from each start to the next."""
    return np.add.reduceat(values, start) if len(start) else np.empty(0)


def _average(price: Floats, about: Floats, weight: Floats, start: Ints) -> Floats:
    """Average from each start to the next; ``about`` itself where that is all there is."""
    if not len(start):
        return about
    near = np.repeat(about, np.diff(np.append(start, len(price))))
    return about + _sum(weight * (price - near), start) / _sum(weight, start)


def _range(
    times: Ints, high: Floats, low: Floats, opened: Ints, closed: Ints, entry: Floats, out: Floats
) -> tuple[Floats, Floats]:
    """Return the highest and the lowest price of each trip."""
    top, bottom = np.maximum(entry, out), np.minimum(entry, out)
    if not len(opened) or not len(times):
        return top, bottom
    first, last = np.searchsorted(times, opened), np.searchsorted(times, closed)
    last = np.minimum(last, len(times) - 1)
    lasted = last > first
    ends = np.column_stack((np.minimum(first, last), last)).ravel()
    highest, lowest = np.maximum.reduceat(high, ends)[::2], np.minimum.reduceat(low, ends)[::2]
    return (
        np.where(lasted, np.maximum(top, highest), top),
        np.where(lasted, np.minimum(bottom, lowest), bottom),
    )
