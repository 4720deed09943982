"""The paper broker: a venue in this process, filling through the one execution model."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan, nan

import msgspec
import numpy as np

from market.errors import StateError
from market.events import Bar, Event, Tick
from market.execution.sleeve import (
    CLOCK,
    FILLS,
    MONEY,
    REASONS,
    advance,
    levels,
    open_sleeve,
    place,
)
from market.instruments import Instrument
from market.orders import Fill, Order

__all__ = ["PaperBroker"]

_UNITS, _WAITING, _STOP, _TARGET = map(MONEY.index, ("units", "waiting", "stop", "target"))
_KEPT = 64
"""Executions that are remembered, to be told again."""


class _Memory(msgspec.Struct):
    """What a restart must bring back.

    ``order`` is under way, in ``parts`` so far; ``latest`` the decision time of the last order
    taken, ``seen`` the last event.
    """

    order: Order | None = None
    parts: int = 0
    latest: int = -1
    seen: int = -1
    money: tuple[float, ...] = ()
    clock: tuple[int, ...] = ()


class PaperBroker:
    """One symbol's venue: orders, brackets, funding and margin, event by event.

    What it does with an order is :mod:`market.execution.sleeve`'s, the same compiled step that
    trains policies; here is only what makes fills of it.

    Parameters
    ----------
    instrument
        What is traded, with its costs.
    capital
        Cash it begins with: a venue that liquidates has to know it.
    seed
        Of the latencies drawn.

    Attributes
    ----------
    money, clock, delays, tick_terms, bar_terms, fills_out
        The vectors of :mod:`market.execution.sleeve`: the same ones for the broker's life, for
        whoever scans a stretch of events at once (:meth:`skip`); terms of ticks, and of bars.
    widen
        What spread and slippage are multiplied by from the next event on: 1 in an ordinary market,
        ``inf`` where trading is halted and nothing fills.

    Raises
    ------
    StateError
        Positions are liquidated at a maintenance margin, and there is no capital.

    Notes
    -----
    It takes one order at a time. Fills of a part, and those that it makes by itself, have an id;
    that of an order filled in one is the order's.

    Examples
    --------
    >>> broker = PaperBroker(Instrument(symbol="R_75", interval=2.0))
    >>> order = Order("R_75-1", "R_75", 1, 2.0, 100.0, profit=0.02)
    >>> broker.submit(order)
    >>> broker.submit(order)
    >>> broker.fills(Tick("R_75", 1, 100.0))
    []
    >>> broker.fills(Tick("R_75", 2, 101.0))[0].price
    101.0
    >>> [(fill.units, fill.reason, fill.id) for fill in broker.fills(Tick("R_75", 3, 104.0))]
    [(-2.0, 'target', 'R_75-3-target')]
    """

    def __init__(self, instrument: Instrument, capital: float = 0.0, seed: int = 0) -> None:
        costs, leverage = instrument.costs, instrument.leverage
        if costs.margin.maintenance > 0.0 and capital <= 0.0:
            raise StateError(
                f"{instrument.symbol}: liquidates at a margin of {costs.margin.maintenance}; give "
                "the paper broker the capital that the position is margined with"
            )
        self._symbol = instrument.symbol
        self.widen = 1.0
        self.tick_terms = costs.terms(leverage, 0.0, seed)
        self.bar_terms = costs.terms(leverage, instrument.interval, seed)
        self.delays = costs.delays()
        # Costs nothing to hold: while no level is met, an event changes nothing.
        self._restful = costs.funding is None
        self.money, self.clock = open_sleeve(capital)
        self._order: Order | None = None
        self._parts, self._latest, self._seen = 0, -1, -1
        self.fills_out = np.empty((FILLS, 4))
        self._recent: list[Fill] = []
        self._untold: list[Fill] = []
        self._rest()

    def submit(self, order: Order) -> None:
        """Take an order; one it has taken before changes nothing.

        Whoever sends an order again that was filled hasn't heard of the fill (it crashed between
        hearing and writing), so the fill is told again.

        Raises
        ------
        StateError
            It is another symbol's, no market order, or another one is still under way.
        """
        if order.symbol != self._symbol:
            raise StateError(f"{order.id}: sent to the paper broker of {self._symbol}")
        if not all(map(isnan, (order.limit, order.stop, order.stop_loss, order.take_profit))):
            raise StateError(
                f"{order.id}: the paper broker takes market orders; give a bracket as loss and "
                "profit, and follow a limit order with market.execution.resting"
            )
        # A symbol's orders come in decision order, so one time remembers every id ever taken.
        if order.time <= self._latest:
            self._untold = [
                fill for fill in self._recent if fill in self._untold or fill.order_id == order.id
            ]
        elif self._order is not None:
            raise StateError(
                f"{order.id}: {self._order.id} is still under way; the paper broker takes one "
                "order at a time"
            )
        else:
            self._latest, self._order, self._parts = order.time, order, 0
            place(
                self.money, self.clock, self.tick_terms, self.delays,
                order.units, order.loss, order.profit, order.time,
            )  # fmt: skip
        self._rest()

    def fills(self, event: Event) -> Sequence[Fill]:
        """Return what ``event`` brought; a gap brings nothing, and so does an event told again."""
        if isinstance(event, Tick):
            first = high = low = last = event.price
            volume, terms = nan, self.tick_terms
        elif isinstance(event, Bar):
            high, low = event.high, event.low
            first, last, volume, terms = event.open, event.close, event.volume, self.bar_terms
        else:
            return []
        time = event.time
        if time > self._seen:
            self._seen = time
            if self._low < low and high < self._high:
                return []
            told = self._again(time)
            count = advance(
                self.money, self.clock, terms,
                first, high, low, last, volume, time, self.widen, self.fills_out,
            )  # fmt: skip
            fresh = [self._fill(time, *row) for row in self.fills_out[:count].tolist()]
            self._recent = [*self._recent, *fresh][-_KEPT:]
            self._rest()
            return [*told, *fresh]
        return self._again(time)

    @property
    def resting(self) -> tuple[float, float]:
        """Prices between which an event brings nothing, both exclusive."""
        return self._low, self._high

    def skip(self, time: int) -> None:
        """Take note that no event up to ``time`` brings anything (:mod:`market.execution.quiet`).

        Leaves out calling :meth:`fills` for each of them; not while something is untold.
        """
        self._seen = time

    def pending(self) -> Sequence[Order]:
        """Return the order that is under way."""
        return () if self._order is None else (self._order,)

    @property
    def levels(self) -> tuple[float, float]:
        """Prices of the stop and the target that rest here; 0 where there is none."""
        return float(self.money[_STOP]), float(self.money[_TARGET])

    def snapshot(self) -> bytes:
        """Return the memory, for :meth:`restore`."""
        return msgspec.msgpack.encode(
            _Memory(
                self._order, self._parts, self._latest, self._seen,
                tuple(self.money.tolist()), tuple(self.clock.tolist()),
            )
        )  # fmt: skip

    def restore(self, snapshot: bytes) -> None:
        """Take up a memory; raises :class:`StateError` where it can't be read."""
        try:
            memory = msgspec.msgpack.decode(snapshot, type=_Memory)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StateError(f"paper broker's snapshot can't be read ({error})") from error
        if len(memory.money) != len(MONEY) or len(memory.clock) != len(CLOCK):
            raise StateError("paper broker's snapshot can't be read (of another version)")
        self._order, self._parts = memory.order, memory.parts
        self._latest, self._seen = memory.latest, memory.seen
        self.money[:], self.clock[:] = memory.money, memory.clock
        self._recent, self._untold = [], []
        self._rest()

    def resume(self, snapshot: bytes) -> None:
        """Go on with a trader that has restarted from what it wrote down.

        A broker that lived on keeps its own memory and tells again all that it may not have been
        heard of; a new one takes up ``snapshot``, which was written with the trader's own state.
        """
        if self._seen >= 0 or self._latest >= 0:
            self._untold = list(self._recent)
            self._rest()
        elif snapshot:
            self.restore(snapshot)

    def _rest(self) -> None:
        """Know between which prices an event changes nothing."""
        units = self.money.item(_UNITS)
        self._low, self._high = -inf, inf
        if self._order is not None or self._untold or (units != 0.0 and not self._restful):
            self._low, self._high = inf, -inf
        elif units != 0.0:
            level, target = levels(self.money, self.tick_terms)[0], self.money.item(_TARGET)
            if units > 0.0:
                self._low, self._high = level, target or inf
            else:
                self._low, self._high = target or -inf, -level

    def _again(self, time: int) -> list[Fill]:
        """Tell again what was untold by ``time``, once."""
        if not self._untold:
            return []
        told = [fill for fill in self._untold if fill.time <= time]
        self._untold = [fill for fill in self._untold if fill.time > time]
        self._rest()
        return told

    def _fill(self, time: int, units: float, price: float, charge: float, why: float) -> Fill:
        """Make a fill of a row."""
        reason = REASONS[int(why)]
        if reason != "order":
            if reason != "funding":  # what the venue closes ends the order under way
                self._order = None
            name = f"{self._symbol}-{time}-{reason}"
            return Fill("", self._symbol, time, units, price, charge, name, reason)
        assert self._order is not None
        order, name = self._order, ""
        if units == order.units:
            self._order = None
        else:
            self._parts += 1
            name = f"{order.id}.{self._parts}"
            if self.money[_WAITING] == 0.0:
                self._order = None
        return Fill(order.id, self._symbol, time, units, price, charge, name)
