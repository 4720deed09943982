"""The event path, fast: traders over stretches of their tapes, window by window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from market.beside import Beside
from market.events import SECOND
from market.tape import Tape
from risk.lease import LeaseBook
from trading.backtest.events import BacktestResult, opened, run
from trading.record import Record, SleeveRecord
from trading.stretch import Stretch, unfit
from trading.trader import Trader

__all__ = ["replay"]


def replay(
    tapes: Sequence[Tape],
    trader_for: Callable[[str], Trader],
    book: LeaseBook,
    name: str,
    beside: Mapping[str, Beside] = MappingProxyType({}),
    told: Callable[[int], None] = lambda events: None,
) -> tuple[Record, BacktestResult]:
    """Run traders over tapes as :func:`trading.backtest.events.run` does, and put it on record.

    Traders that can be are taken over whole stretches (:mod:`trading.stretch`), which comes to the
    same; where one can't, all are taken event by event.

    Parameters
    ----------
    tapes, trader_for, book, beside
        As :func:`~trading.backtest.events.run` takes them.
    name
        Of the record.
    told
        Called with the number of events behind, now and then.

    Returns
    -------
    Record
        Of the run.
    BacktestResult
        Traders and book as they were at the end; of stretches, without single decisions.

    Raises
    ------
    DataError
        No tape, an empty one, or two of one symbol.
    """
    sleeves = opened(tapes, trader_for)
    traders = {symbol: one.trader for symbol, one in sleeves.items()}
    if any(unfit(one) for one in traders.values()):
        for one in sleeves.values():
            one.unwatch()
        result = run(tapes, traders.__getitem__, book, beside, told)
        return Record.of(result, name), result
    length = round(book.config.lease_seconds * SECOND)
    stretches: dict[str, Stretch] = {}
    windows: list[tuple[int, str, int, int, int]] = []
    for tape in tapes:
        stretches[tape.symbol] = Stretch(traders[tape.symbol], tape)
        numbers = tape.times // length
        begins = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
        ends = np.append(begins[1:], len(tape))
        windows += zip(
            numbers[begins].tolist(), [tape.symbol] * len(begins), begins.tolist(),
            ends.tolist(), tape.times[begins].tolist(), strict=True,
        )  # fmt: skip
    behind = 0
    for _, symbol, first, stop, now in sorted(windows):
        trader = traders[symbol]
        trader.take(book.renew(trader.report(now), now))
        stretches[symbol].take(stop)
        if behind // 65_536 != (behind + stop - first) // 65_536:
            told(behind + stop - first)
        behind += stop - first
    told(behind)
    for one in sleeves.values():
        one.unwatch()
        one.trader.save()
    records = {
        symbol: SleeveRecord.of_made(sleeves[symbol], one.made())
        for symbol, one in stretches.items()
    }
    return Record(name, records), BacktestResult(sleeves, book)
