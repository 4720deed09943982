"""Backtest: the traders themselves over recorded tapes, without Ray, in lock-step lease windows.

Every symbol renews its lease at its first event of a window; windows are opened one after the
other, symbols within one in name order. A replay by actors keeps to the same order, and so gets
the same leases and makes the same decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType

import msgspec
import numpy as np
import numpy.typing as npt

from market.beside import Beside
from market.errors import DataError
from market.events import MarketEvent
from market.orders import Fill
from market.tape import Tape
from risk.lease import LeaseBook
from trading.decision import Decision
from trading.journal import Journal, MemoryJournal
from trading.trader import Trader

__all__ = ["BacktestResult", "Sleeve", "opened", "run"]

Floats = npt.NDArray[np.float64]


@dataclass
class Sleeve:
    """What one symbol did.

    Parameters
    ----------
    trader
        As it was at the end.
    decisions
        All of them, in time order.
    tape
        What it was run over.
    fills, held, widened
        All fills in order, the units held after each, and what the spread was multiplied with.
    """

    trader: Trader
    decisions: list[Decision] = field(default_factory=list)
    tape: Tape | None = None
    fills: list[Fill] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    widened: list[float] = field(default_factory=list)

    def watch(self) -> None:
        """Take note of every fill from now on."""
        self.trader.journal = _Watched(self.trader.journal, self)

    def unwatch(self) -> None:
        """Give the trader its own journal back."""
        watched = self.trader.journal
        if isinstance(watched, _Watched):
            self.trader.journal = watched.journal

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """``int64[n + 1]``: venue time of every decision, then of the last event."""
        return np.array([*(one.time for one in self.decisions), self.trader.time], np.int64)

    @property
    def prices(self) -> Floats:
        """``float64[n + 1]``: price at :attr:`times`."""
        return np.array([*(one.price for one in self.decisions), self.trader.status().price])

    @property
    def equity(self) -> Floats:
        """``float64[n + 1]``: worth of the sleeve at :attr:`times`, all costs paid."""
        return np.array([*(one.equity for one in self.decisions), self.trader.status().equity])

    @property
    def returns(self) -> Floats:
        """``float64[n]``: net return from each decision to the next, the last to the end."""
        equity = self.equity
        return np.diff(equity) / equity[:-1]

    @property
    def exposures(self) -> Floats:
        """``float64[n]``: what each decision was allowed, as a multiple of equity."""
        worth = np.array([one.allowed * one.price for one in self.decisions])
        return worth / self.equity[:-1]

    @property
    def market(self) -> Floats:
        """``float64[n]``: log return of the price over the span of :attr:`returns`."""
        return np.diff(np.log(self.prices))


@dataclass(frozen=True)
class BacktestResult:
    """What all symbols did.

    Parameters
    ----------
    sleeves
        By symbol.
    book
        The lease book as it was at the end.
    """

    sleeves: dict[str, Sleeve]
    book: LeaseBook

    def curve(self) -> tuple[npt.NDArray[np.int64], Floats]:
        """Return times and the sum of the sleeves' equities, each at its latest."""
        times = np.unique(np.concatenate([one.times for one in self.sleeves.values()]))
        total = np.zeros(len(times))
        for one in self.sleeves.values():
            at = np.searchsorted(one.times, times, side="right") - 1
            total += np.where(at < 0, one.equity[0], one.equity[np.maximum(at, 0)])
        return times, total

    def summary(self) -> dict[str, dict[str, float]]:
        """Return per symbol: events, decisions, orders, trades, P&L, fees, drawdown, return."""
        found = {}
        for symbol, one in self.sleeves.items():
            status, equity = one.trader.status(), one.equity
            found[symbol] = {
                "events": float(status.counters.events),
                "decisions": float(status.counters.decisions),
                "orders": float(status.counters.orders),
                "trades": float(status.trades),
                "pnl": status.pnl,
                "fees": status.fees,
                "return": float(equity[-1] / equity[0] - 1.0),
                "drawdown": float(np.max(1.0 - equity / np.maximum.accumulate(equity))),
            }
        return found


def run(
    tapes: Sequence[Tape],
    trader_for: Callable[[str], Trader],
    book: LeaseBook,
    beside: Mapping[str, Beside] = MappingProxyType({}),
    told: Callable[[int], None] = lambda events: None,
) -> BacktestResult:
    """Run traders over tapes.

    Parameters
    ----------
    tapes
        One a symbol.
    trader_for
        Makes a symbol's trader, started or not.
    book
        Grants the leases; its ``lease_seconds`` are the windows.
    beside
        What was recorded beside a symbol's tape, where its columns are made of it.
    told
        Called with the number of events behind since the last call, now and then.

    Raises
    ------
    DataError
        No tape, an empty one, or two of one symbol.
    """
    sleeves = opened(tapes, trader_for)
    queues = {
        tape.symbol: _windows(beside.get(tape.symbol, Beside()).events(tape), book)
        for tape in tapes
    }
    ahead = {name: next(queue) for name, queue in queues.items()}
    while ahead:
        window = min(number for number, _ in ahead.values())
        for name in sorted(name for name, (number, _) in ahead.items() if number == window):
            _advance(sleeves[name], ahead[name][1], book)
            told(len(ahead[name][1]))
            following = next(queues[name], None)
            if following is None:
                del ahead[name]
            else:
                ahead[name] = following
    for one in sleeves.values():
        one.unwatch()
        one.trader.save()
    return BacktestResult(sleeves, book)


def opened(tapes: Sequence[Tape], trader_for: Callable[[str], Trader]) -> dict[str, Sleeve]:
    """Make the sleeves of a run, whose fills are watched.

    Raises
    ------
    DataError
        No tape, an empty one, or two of one symbol.
    """
    names = [tape.symbol for tape in tapes]
    if not names or len(set(names)) < len(names):
        raise DataError(f"a backtest needs one tape a symbol, got {names}")
    empty = [tape.symbol for tape in tapes if len(tape) == 0]
    if empty:
        raise DataError(f"{', '.join(empty)}: the tape is empty")
    sleeves = {tape.symbol: Sleeve(trader_for(tape.symbol), tape=tape) for tape in tapes}
    for one in sleeves.values():
        one.watch()
    return sleeves


class _Watched(MemoryJournal):
    """A trader's journal that lets the sleeve have the fills too."""

    def __init__(self, journal: Journal, sleeve: Sleeve) -> None:
        super().__init__(keep=not isinstance(journal, MemoryJournal) or journal.keeps)
        self.journal, self._sleeve = journal, sleeve

    def append(self, symbol: str, time: int, kind: str, message: msgspec.Struct) -> None:
        """Pass an entry on."""
        if isinstance(message, Fill):
            self._sleeve.fills.append(message)
            self._sleeve.held.append(self._sleeve.trader.account.units)
            self._sleeve.widened.append(getattr(self._sleeve.trader.broker, "widen", 1.0))
        self.journal.append(symbol, time, kind, message)

    def commit(
        self, symbol: str, state: Callable[[], bytes], force: bool = False, durable: bool = True
    ) -> None:
        """Pass a commit on."""
        self.journal.commit(symbol, state, force, durable)


def _windows(
    told: Iterator[MarketEvent], book: LeaseBook
) -> Iterator[tuple[int, list[MarketEvent]]]:
    """Yield the lease windows that have events, with their events."""
    for number, events in groupby(told, lambda event: book.config.window(event.time)):
        yield number, list(events)


def _advance(sleeve: Sleeve, events: list[MarketEvent], book: LeaseBook) -> None:
    """Renew the lease, then take a window's events."""
    trader = sleeve.trader
    now = events[0].time
    trader.take(book.renew(trader.report(now), now))
    for event in events:
        decision = trader.on_event(event, event.time)
        if decision is not None:
            sleeve.decisions.append(decision)
