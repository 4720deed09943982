"""The one compiled step of each stream of events, live and in batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt
from numba import types

from features import book_view, history, peer, trade_view
from features.catalogue import FAMILIES
from features.column import Stream
from features.compiled import ahead, call, compiled, pointer
from market.events import SECOND

__all__ = [
    "HEAD",
    "address",
    "forget_peer",
    "run",
    "step_book",
    "step_peer",
    "step_price",
    "step_trade",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY = 86_400 * SECOND

PRICE_STEP, TRADE_STEP, BOOK_STEP, PRICE_MASK, TRADE_MASK, BOOK_MASK = range(6)
TRADE, BOOK, OTHER, PEERED, VALUES, COLUMNS, FAMILY, INSTANCES, HEAD = range(6, 15)
"""Places in the head of :attr:`features.layout.Layout.plan`, and where it ends."""


STREAMS: tuple[Stream, ...] = ("prices", "trades", "book")


def _steps(stream: Stream) -> list[tuple[int, Any]]:
    return [(i, one.step) for i, one in enumerate(FAMILIES) if one.stream == stream]


def _chained(steps: list[tuple[int, Any]]) -> Callable[..., None]:
    """Compile the steps of many families into one function that calls each for every instance.

    Halved again and again, because the compiler's own depth of recursion is limited.
    """
    if not steps:

        @compiled
        def none(h: Floats, memory: Floats, params: Floats, first: Ints, at: Ints) -> None:
            """Do nothing: no family has this stream."""

        return none
    if len(steps) == 1:
        family, step = steps[0]

        @compiled
        def each(h: Floats, memory: Floats, params: Floats, first: Ints, at: Ints) -> None:
            for k in range(first[family], first[family + 1]):
                state, param = ahead(memory, at[3 * k]), ahead(params, at[3 * k + 1])
                step(h, state, param, ahead(memory, at[3 * k + 2]))

        return each
    half = len(steps) // 2
    one, other = _chained(steps[:half]), _chained(steps[half:])

    @compiled
    def both(h: Floats, memory: Floats, params: Floats, first: Ints, at: Ints) -> None:
        one(h, memory, params, first, at)
        other(h, memory, params, first, at)

    return both


_prices, _trades, _book = (_chained(_steps(stream)) for stream in STREAMS)


def _step_prices(h: Floats, memory: Floats, params: Floats, first: Ints, at: Ints) -> None:
    _prices(h, memory, params, first, at)


def _step_trades(h: Floats, memory: Floats, params: Floats, first: Ints, at: Ints) -> None:
    _trades(h, memory, params, first, at)


def _step_book(h: Floats, memory: Floats, params: Floats, first: Ints, at: Ints) -> None:
    _book(h, memory, params, first, at)


@cache
def _compiled(stream: Stream) -> Any:
    step = {"prices": _step_prices, "trades": _step_trades, "book": _step_book}[stream]
    pointer_to: Any = types.CPointer
    floats, ints = pointer_to(types.float64), pointer_to(types.int64)
    return nb.cfunc(types.void(floats, floats, floats, ints, ints), cache=True)(step)


def address(stream: Stream) -> int:
    """Return where the compiled step of all families of a stream is, for as long as we run.

    The first call of all compiles it, which takes about a minute; any later process loads it.
    """
    return int(_compiled(stream).address)


@compiled
def _pick(m: Floats, plan: Ints) -> None:
    """Copy the columns asked for to the end of the memory, nan where they aren't warm."""
    columns, values = plan[COLUMNS], plan[VALUES]
    picks = ahead(plan, HEAD + plan[FAMILY] + 1 + 3 * plan[INSTANCES])
    known = 1.0
    for j in range(columns):
        value = m[picks[3 * j]] if m[picks[3 * j + 1]] >= picks[3 * j + 2] else math.nan
        if not math.isfinite(value):
            known, value = 0.0, math.nan
        m[values + j] = value
    m[values + columns] = known


@nb.njit(cache=True)
def step_price(
    memory: Floats,
    params: Floats,
    plan: Ints,
    time: int,
    open_: float,
    high: float,
    low: float,
    close: float,
    volume: float,
    trades: float,
    buy: float,
) -> None:
    """Take a tick (a bar of one price) or a bar, and rewrite the columns asked for."""
    m, p, at = pointer(memory), pointer(params), pointer(plan)
    day, clock, first = m[history.DAY], m[history.CLOCK], ahead(at, HEAD)
    history.advance(
        m, at[PRICE_MASK], p[0], time // DAY, time % DAY,
        open_, high, low, close, volume, trades, buy,
    )  # fmt: skip
    m[history.PEER] = math.nan
    if at[PEERED]:
        other = ahead(m, at[OTHER])
        if m[history.COUNT] > 1.0:
            m[history.PEER] = peer.as_of(other, day, clock)
        # Not used: so the peer's ring knows which price will be asked for next, and keeps it.
        peer.as_of(other, time // DAY, time % DAY)
    call(at[PRICE_STEP], m, m, p, first, ahead(first, at[FAMILY] + 1))
    _pick(m, at)


@nb.njit(cache=True)
def step_trade(
    memory: Floats, params: Floats, plan: Ints, time: int, price: float, size: float, side: int
) -> None:
    """Take a trade; ``side`` as in :class:`~market.events.Trade`."""
    m, p, at = pointer(memory), pointer(params), pointer(plan)
    h, first = ahead(m, at[TRADE]), ahead(at, HEAD)
    mid = m[at[BOOK] + book_view.MID] if m[at[BOOK] + book_view.COUNT] > 0.0 else math.nan
    trade_view.advance(h, at[TRADE_MASK], time // DAY, time % DAY, price, size, side, mid)
    call(at[TRADE_STEP], h, m, p, first, ahead(first, at[FAMILY] + 1))


@nb.njit(cache=True)
def step_book(
    memory: Floats, params: Floats, plan: Ints, time: int, n: int, d: int, tree: Ints, sizes: Floats
) -> None:
    """Look at the book after an update of it; ``n / d`` is its price step."""
    m, p, at = pointer(memory), pointer(params), pointer(plan)
    h, first = ahead(m, at[BOOK]), ahead(at, HEAD)
    book_view.advance(h, at[BOOK_MASK], time // DAY, time % DAY, n, d, tree, sizes)
    call(at[BOOK_STEP], h, m, p, first, ahead(first, at[FAMILY] + 1))


@nb.njit(cache=True)
def step_peer(memory: Floats, plan: Ints, time: int, price: float) -> None:
    """Take a price of the other symbol; it is seen from the next event but one."""
    peer.push(ahead(pointer(memory), plan[OTHER]), time // DAY, time % DAY, price)


@nb.njit(cache=True)
def forget_peer(memory: Floats, plan: Ints) -> None:
    """Forget the other symbol, whose feed has a hole."""
    peer.forget(ahead(pointer(memory), plan[OTHER]))


@nb.njit(cache=True)
def run(
    memory: Floats,
    params: Floats,
    plan: Ints,
    times: Ints,
    values: Floats,
    fresh: npt.NDArray[np.bool_],
    rows: Ints,
    columns: Floats,
    volatilities: Floats,
) -> None:
    """Take every event of a tape; keep what is known after those of ``rows``.

    ``memory`` goes on from what it is, so that a tape may come in parts. Where a column asked for
    is unknown, the volatility is nan.
    """
    first, kept = plan[VALUES], 0
    for i in range(len(times)):
        if fresh[i]:
            memory[:] = 0.0
        step_price(
            memory, params, plan, times[i], values[i, 0], values[i, 1], values[i, 2],
            values[i, 3], values[i, 4], values[i, 5], values[i, 6],
        )  # fmt: skip
        if kept < len(rows) and rows[kept] == i:
            for j in range(plan[COLUMNS]):
                columns[kept, j] = memory[first + j]
            known = memory[first + plan[COLUMNS]]
            volatilities[kept] = memory[history.VOLATILITY] if known else math.nan
            kept += 1
