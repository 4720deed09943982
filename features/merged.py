"""Batch over several streams: the engine's steps, called in the order that the events came."""

from __future__ import annotations

import math
from typing import TypeVar

import numba as nb
import numpy as np
import numpy.typing as npt

from features import history, kernel
from features.book_rows import BookRows, clear, updates
from features.layout import Layout, State
from market import bookkernel
from market.beside import Beside
from market.book import Book
from market.errors import ConfigError
from market.ladder import roomier
from market.series import Series
from market.tape import Tape

__all__ = ["run"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
T = TypeVar("T")

BOOK, TRADE, PEER, PRICE = range(4)
"""Streams, in the order in which events of one time are taken."""


def run(
    layout: Layout,
    state: State,
    tape: Tape,
    beside: Beside,
    rows: Ints,
    columns: Floats,
    volatilities: Floats,
) -> None:
    """Take a tape and what was recorded beside it; as :func:`features.kernel.run`, but merged."""
    none = Series.trades(tape.symbol, [], [], [], [], [])
    trades = _given("trades", layout, beside.trades) or none
    other = _given("peer", layout, beside.peer)
    peer = (
        Tape.of_ticks(tape.symbol, np.empty(0, np.int64), np.empty(0)) if other is None else other
    )
    book = _book(layout, beside, tape.symbol)
    times = (book.times, trades.times, peer.times, tape.times)
    streams = np.repeat(np.arange(4, dtype=np.int8), [len(one) for one in times])
    order = np.argsort(np.concatenate(times), kind="stable")
    n, d = Book(tape.symbol, beside.tick or 1).step
    at = np.zeros(7, np.int64)
    while not _run(
        state.memory, layout.params, layout.plan, streams[order], at,
        book.times, book.ends, book.sides, book.ticks, book.sizes, book.snapshot, book.fresh,
        state.tree, state.sizes, state.booked, n, d,
        trades.times, trades.columns["price"], trades.columns["size"], trades.columns["side"],
        trades.fresh, peer.times, np.ascontiguousarray(peer.close), peer.fresh,
        tape.times, tape.values, tape.fresh, rows, columns, volatilities,
    ):  # fmt: skip
        state.tree, state.sizes = roomier(state.tree, state.sizes)


def _given(name: str, layout: Layout, recorded: T | None) -> T | None:
    """Return a recording if the columns are made of it."""
    if name not in layout.streams:
        return None
    if recorded is None:
        raise ConfigError(f"columns need a recording of {name}, and there is none")
    return recorded


def _book(layout: Layout, beside: Beside, symbol: str) -> BookRows:
    """Return the book's updates."""
    series = _given("book", layout, beside.book)
    if series is not None:
        return updates(series, beside.tick)
    nothing = np.empty(0, np.int64)
    no = np.empty(0, np.bool_)
    return BookRows(nothing, nothing, np.empty(0, np.int8), nothing, np.empty(0), no, no)


@nb.njit(cache=True)
def _run(
    memory: Floats,
    params: Floats,
    plan: Ints,
    streams: npt.NDArray[np.int8],
    at: Ints,
    book_times: Ints,
    ends: Ints,
    sides: npt.NDArray[np.int8],
    ticks: Ints,
    quantities: Floats,
    snapshot: Bools,
    book_fresh: Bools,
    tree: Ints,
    sizes: Floats,
    booked: Bools,
    n: int,
    d: int,
    trade_times: Ints,
    trade_prices: Floats,
    trade_sizes: Floats,
    trade_sides: npt.NDArray[np.int8],
    trade_fresh: Bools,
    peer_times: Ints,
    peer_prices: Floats,
    peer_fresh: Bools,
    times: Ints,
    values: Floats,
    fresh: Bools,
    rows: Ints,
    columns: Floats,
    volatilities: Floats,
) -> bool:
    """Go on from ``at``; return whether all was taken, or the book has no room for an update.

    ``at``: events taken; of each stream, updates or events taken; rows of the book applied; rows of
    columns kept. What a hole forgets is said at :class:`features.engine.FeatureEngine`.
    """
    first, i = plan[kernel.VALUES], at[0]
    while i < len(streams):
        at[0], stream = i, streams[i]
        k = at[1 + stream]
        begun = stream == BOOK and at[5] > (ends[k - 1] if k > 0 else 0)
        if stream == BOOK:
            if book_fresh[k] and not begun:
                kernel.forget(memory, plan, kernel.BOOKS)
                booked[0] = False
            if snapshot[k] and not begun:
                clear(tree, sizes)
                booked[0] = True
            if booked[0]:
                at[5] = bookkernel.apply(tree, sizes, sides, ticks, quantities, at[5], ends[k])
                if at[5] < ends[k]:
                    return False
                kernel.step_book(memory, params, plan, book_times[k], n, d, tree, sizes)
            at[5] = ends[k]
        elif stream == TRADE:
            if trade_fresh[k]:
                kernel.forget(memory, plan, kernel.TRADES)
            kernel.step_trade(
                memory, params, plan,
                trade_times[k], trade_prices[k], trade_sizes[k], trade_sides[k],
            )  # fmt: skip
        elif stream == PEER:
            if peer_fresh[k]:
                kernel.forget_peer(memory, plan)
            kernel.step_peer(memory, plan, peer_times[k], peer_prices[k])
        else:
            if fresh[k]:
                memory[:] = 0.0
            row = values[k]
            kernel.step_price(
                memory, params, plan, times[k],
                row[0], row[1], row[2], row[3], row[4], row[5], row[6],
            )  # fmt: skip
            if at[6] < len(rows) and rows[at[6]] == k:
                for j in range(plan[kernel.COLUMNS]):
                    columns[at[6], j] = memory[first + j]
                known = memory[first + plan[kernel.COLUMNS]]
                volatilities[at[6]] = memory[history.VOLATILITY] if known else math.nan
                at[6] += 1
        at[1 + stream] += 1
        i += 1
    at[0] = i
    return True
