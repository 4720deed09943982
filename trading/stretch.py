"""The trader over recorded stretches: what ``on_event`` does of each event, many at a time.

Features and forecasts of a stretch don't depend on what is traded, so they are made ahead, in
compiled calls. Between orders and fills account and orders stay as they are: decisions there are
seen and settled in one compiled call each. Only events that fill something, and decisions that send
something, are taken one by one. The trader is left in the very state that event by event leaves it
in; no decision is written to its journal.

This is the trader's own in all but the file: it writes to what it keeps to itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from envs.observation import context_columns
from market.clock import decision_rows
from market.errors import DataError, StateError
from market.events import Bar, FeedGap, Tick
from market.orders import Order
from market.tape import CLOSE, HIGH, LOW, Tape
from risk.lease import Condition
from trading import glance
from trading.journal import MemoryJournal
from trading.paper import PaperBroker
from trading.trader import Trader

__all__ = ["Made", "Stretch", "unfit"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

AHEAD = 8192
"""Events whose features are made at once."""

FEWEST, MOST = 32, 2048
"""Decisions looked at in one call: twice as many after each that made no order."""


@dataclass(frozen=True)
class Made:
    """Decisions of stretches, as columns; ``n`` of them, see :class:`~trading.decision.Decision`.

    Parameters
    ----------
    times, price, told, regime, volatility, action, units, allowed, equity
        ``[n]``; ``told`` is ``float64[n, 4]``: down, flat, up, disagreement, nan where nothing was
        said.
    """

    times: Ints
    price: Floats
    told: Floats
    regime: Ints
    volatility: Floats
    action: Ints
    units: Floats
    allowed: Floats
    equity: Floats


class Stretch:
    """Takes a trader over a tape.

    Parameters
    ----------
    trader
        On a :class:`~trading.paper.PaperBroker`; started or not, before the tape's first event.
    tape
        Of its symbol.

    Raises
    ------
    DataError
        The tape begins before the trader's last event.
    StateError
        The trader learns as it goes, has columns of other streams than prices, or another broker:
        those take one event at a time.
    """

    def __init__(self, trader: Trader, tape: Tape) -> None:
        reason = unfit(trader)
        if reason:
            raise StateError(f"{trader.symbol}: {reason}; take it event by event")
        if len(tape) and tape.times[0] <= trader.time:
            raise DataError(
                f"{trader.symbol}: time must increase, event at {tape.times[0]} after {trader.time}"
            )
        self._trader, self._tape = trader, tape
        self._row, self._until = 0, 0
        values = tape.values
        self._close = np.ascontiguousarray(values[:, CLOSE])
        self._high = np.ascontiguousarray(values[:, HIGH]) if tape.bars else self._close
        self._low = np.ascontiguousarray(values[:, LOW]) if tape.bars else self._close
        self._holes = np.append(np.flatnonzero(tape.fresh), len(tape))
        spec = trader._policy.spec
        names = trader._features.names
        self._context = np.array(context_columns(names), np.int64)
        self._picks = np.array(spec.columns(names), np.int64)
        self._table, self._scales = spec.table, spec.scales
        self._seen = np.zeros((MOST, spec.size), np.float32)
        self._state, self._counts = np.zeros(glance.PLACES), np.zeros(6, np.int64)
        self._fixed()
        self._parts: list[Made] = []

    def take(self, stop: int) -> None:
        """Take the events up to row ``stop``, exclusive, under the lease held."""
        trader, tape = self._trader, self._tape
        while self._row < stop:
            row = self._row
            if row == self._until:
                if tape.fresh[row]:
                    before = int(tape.times[row - 1]) if row else int(tape.times[0])
                    gap = FeedGap(tape.symbol, int(tape.times[row]), before)
                    trader.on_event(gap, gap.time)
                self._look_ahead(row)
            end = min(stop, self._until)
            self._trade(row, end)
            trader._time, trader._price = int(tape.times[end - 1]), float(self._close[end - 1])
            trader._count += end - row
            trader._counters.events += end - row
            self._row = end

    def made(self) -> Made:
        """Return the decisions made so far."""
        self._keep()
        names = Made.__dataclass_fields__
        columns = {n: np.concatenate([getattr(one, n) for one in self._parts]) for n in names}
        self._parts = [Made(**columns)]
        return self._parts[0]

    def _fixed(self) -> None:
        """Write what doesn't change into the state."""
        state, counts, trader = self._state, self._counts, self._trader
        costs, spec = trader.instrument.costs, trader._policy.spec
        state[glance.LEVERAGE], state[glance.DEAD_ZONE] = trader.instrument.leverage, spec.dead_zone
        state[glance.COMMISSION], state[glance.PER_UNIT] = costs.commission, costs.per_unit
        state[glance.HALF_SPREAD], state[glance.SLIPPAGE] = costs.half_spread, costs.slippage
        counts[glance.MAX_HOLD], counts[glance.OPENINGS] = spec.max_hold, spec.openings
        counts[glance.LIMITED] = spec.trades_per_hour > 0

    def _look_ahead(self, row: int) -> None:
        """Make features and forecasts of the events from ``row`` on, to the next hole at most."""
        self._keep()
        trader, tape = self._trader, self._tape
        hole = int(self._holes[np.searchsorted(self._holes, row, side="right")])
        self._until = until = min(row + AHEAD, hole)
        times = tape.times[row:until]
        due = decision_rows(np.zeros(until - row, np.bool_), trader.every, trader._count)
        columns, volatility = trader._features.update_many(times, tape.values[row:until], due)
        ok, told, regime = trader._forecast.many(times[due], columns)
        m = len(due)
        self._due, self._times, self._price = due + row, times[due], self._close[due + row]
        self._columns, self._volatility = columns, volatility
        self._ok, self._told, self._regime = ok, told, regime
        self._actions, self._worth = np.full(m, -2), np.zeros(m)
        self._allowed, self._units = np.zeros(m), np.zeros(m)

    def _trade(self, row: int, stop: int) -> None:
        """Trade the events from ``row`` to ``stop``, whose features are made."""
        trader, broker = self._trader, self._trader.broker
        assert isinstance(broker, PaperBroker)
        self._lent()
        at = int(np.searchsorted(self._due, row))
        while row < stop:
            below, above = broker.resting
            event = glance.outside(self._high, self._low, below, above, row, stop)
            last = int(np.searchsorted(self._due, event))
            sent = self._decide(at, last)
            if sent < last:
                row, at = int(self._due[sent]) + 1, sent + 1
                continue
            row, at = event, last
            if event == stop:
                break
            told = broker.fills(self._event(event))
            if told:
                trader._take(told)
            if last < len(self._due) and self._due[last] == event:
                self._decide(last, last + 1)
                at = last + 1
            row = event + 1
        broker.skip(int(self._tape.times[stop - 1]))

    def _event(self, row: int) -> Tick | Bar:
        tape = self._tape
        time = int(tape.times[row])
        if tape.bars:
            return Bar(tape.symbol, time, *tape.values[row].tolist())
        return Tick(tape.symbol, time, float(self._close[row]))

    def _decide(self, first: int, stop: int) -> int:
        """Decide from ``first`` on; return the decision that made an order, ``stop`` if none."""
        if first >= stop:
            return stop
        trader, size = self._trader, FEWEST
        holdings, recall = trader._holdings, trader._deciding.recall
        self._held()
        made = first
        while made < stop:
            end = min(made + size, stop)
            size = min(2 * size, MOST)
            seen = self._seen[: end - made]
            centres, scales = self._scales
            glance.see(
                seen, made, end, self._times, self._price, self._columns, self._volatility,
                self._ok, self._told, self._regime, self._context, self._picks, centres, scales,
                self._state, self._counts,
            )  # fmt: skip
            answers = recall.answers(seen, self._ok[made:end])
            self._units[made:end] = self._state[glance.UNITS]
            sent, loss, profit = glance.settle(
                made, end, self._times, self._price, self._volatility, self._ok, answers,
                self._table, self._state, self._counts, self._actions, self._worth, self._allowed,
            )  # fmt: skip
            recall.counted(min(sent + 1, end) - made)
            holdings.held = int(self._state[glance.HELD])
            done = self._actions[made : min(sent + 1, end)] > -2
            trader._counters.decisions += int(np.count_nonzero(done))
            if sent < end:
                self._send(sent, loss, profit)
                return sent
            made = end
        return stop

    def _send(self, at: int, loss: float, profit: float) -> None:
        """Send the order of a decision."""
        time, units = int(self._times[at]), float(self._allowed[at] - self._units[at])
        price, symbol = float(self._price[at]), self._trader.symbol
        order = Order(f"{symbol}-{time}", symbol, time, units, price, loss=loss, profit=profit)
        trader = self._trader
        trader.journal.append(symbol, time, "order", order)
        trader._holdings.send(order)
        trader._counters.orders += 1
        trader.broker.submit(order)

    def _held(self) -> None:
        """Write money and orders into the state."""
        state, holdings = self._state, self._trader._holdings
        account = holdings.account
        state[glance.CASH], state[glance.UNITS] = account.cash, account.units
        state[glance.ENTRY] = account.entry_price
        state[glance.STOP], state[glance.TARGET] = holdings.stop, holdings.target
        state[glance.HELD], state[glance.WORKING] = holdings.held, bool(holdings.working)
        self._counts[glance.HOUR_NOW], self._counts[glance.OPENED] = holdings.opened

    def _lent(self) -> None:
        """Write the lease into the state."""
        state, lease = self._state, self._trader.lease
        state[glance.LEASED] = lease is not None
        if lease is not None:
            running = lease.state is Condition.RUNNING
            state[glance.ROOM] = lease.notional if running else 0.0
            state[glance.HALTED] = lease.state is Condition.HALTED
            self._counts[glance.EXPIRES] = lease.expires

    def _keep(self) -> None:
        """Put the decisions of the events behind aside."""
        if not self._until:
            return
        done = self._actions > -2
        self._parts.append(
            Made(
                self._times[done], self._price[done], self._told[done], self._regime[done],
                self._volatility[done], self._actions[done], self._units[done],
                self._allowed[done], self._worth[done],
            )
        )  # fmt: skip
        self._actions[:] = -2


def unfit(trader: Trader) -> str:
    """Return why a trader has to be taken event by event; empty if it hasn't."""
    if trader._forecast.learns:
        return "it learns as it goes"
    if trader._features.streams != {"prices"}:
        return "its columns are made of more than prices"
    if not isinstance(trader.broker, PaperBroker):
        return "its broker is not the paper broker"
    if not isinstance(trader.journal, MemoryJournal) or trader.journal.keeps:
        return "its journal keeps every decision"
    return ""
