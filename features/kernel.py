"""The one compiled step of each stream of events, live and in batch.

A stream's step calls the step of each instance by its address: families are compiled apart, each
once and only when a column of it is asked for.
"""

from __future__ import annotations

import math
from functools import cache

import numba as nb
import numpy as np
import numpy.typing as npt

from features import book_view, history, peer, trade_view
from features.catalogue import FAMILIES
from features.column import Stream
from features.compiled import address_of, ahead, call, compiled, pointer
from market.events import SECOND

__all__ = [
    "HEAD",
    "address",
    "forget",
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

STREAMS: tuple[Stream, ...] = ("prices", "trades", "book")

PRICES, TRADES, BOOKS, BEYOND = range(4)
PRICE_MASK, TRADE_MASK, BOOK_MASK, TRADE, BOOK, OTHER, PEERED, VALUES, COLUMNS = range(4, 13)
STALE, WARM, HEAD = 13, 14, 20
"""Places in the head of :attr:`features.layout.Layout.plan`, and where it ends."""

INSTANCE, PICK = 4, 3
"""Numbers of an instance in the plan, and of a column asked for."""

STATE, OUT = 1, 3
"""Which of an instance's numbers say where state and columns begin."""


@cache
def address(family: int) -> int:
    """Return where the compiled step of a family is, for as long as we run.

    The first call of all compiles it, some tenths of a second; any later process loads it. So a
    process holds the families it has columns of, and no others.
    """
    return address_of(FAMILIES[family].step)


@compiled
def _step(h: Floats, m: Floats, params: Floats, plan: Ints, stream: int) -> None:
    """Call the step of every instance of a stream."""
    at = ahead(plan, HEAD + INSTANCE * plan[stream])
    for _ in range(plan[stream], plan[stream + 1]):
        call(at[0], h, ahead(m, at[1]), ahead(params, at[2]), ahead(m, at[3]))
        at = ahead(at, INSTANCE)


@compiled
def _told(m: Floats, plan: Ints, view: int, day: float, clock: float) -> bool:
    """Whether a stream has told something lately; ``view`` is where its memory begins.

    However long a bar is, it is enough to have told something since the one before it.
    """
    passed = (day - m[view + book_view.DAY]) * DAY + (clock - m[view + book_view.CLOCK])
    span = m[history.TIME] - history.back(m, history.TIME, 1)
    told: bool = m[view] > 0.0 and (passed <= plan[STALE] or passed <= span)
    return told


@compiled
def _pick(m: Floats, plan: Ints) -> None:
    """Copy the columns asked for to the end of the memory, nan where not warm, or out of date."""
    columns, out = plan[COLUMNS], ahead(m, plan[VALUES])
    picks = ahead(plan, HEAD + INSTANCE * plan[BEYOND])
    day, clock = m[history.DAY], m[history.CLOCK]
    warm = True
    for i in range(WARM, HEAD, 2):
        warm = warm and m[plan[i]] >= plan[i + 1] and _told(m, plan, plan[i], day, clock)
    known = True
    for j in range(columns):
        pick = PICK * j
        view, value = picks[pick + 1], math.nan
        if warm or (m[view] >= picks[pick + 2] and _told(m, plan, view, day, clock)):
            value = m[picks[pick]]
        value += 0.0 * value  # what is infinite is unknown too
        known &= value == value
        out[j] = value
    out[columns] = 1.0 if known else 0.0


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
    day, clock = m[history.DAY], m[history.CLOCK]
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
    _step(m, m, p, at, PRICES)
    _pick(m, at)


@nb.njit(cache=True)
def step_trade(
    memory: Floats, params: Floats, plan: Ints, time: int, price: float, size: float, side: int
) -> None:
    """Take a trade; ``side`` as in :class:`~market.events.Trade`."""
    m, p, at = pointer(memory), pointer(params), pointer(plan)
    h = ahead(m, at[TRADE])
    day, clock = time // DAY, time % DAY
    mid = m[at[BOOK] + book_view.MID] if _told(m, at, at[BOOK], day, clock) else math.nan
    trade_view.advance(h, at[TRADE_MASK], day, clock, price, size, side, mid)
    _step(h, m, p, at, TRADES)


@nb.njit(cache=True)
def step_book(
    memory: Floats, params: Floats, plan: Ints, time: int, n: int, d: int, tree: Ints, sizes: Floats
) -> None:
    """Look at the book after an update of it; ``n / d`` is its price step."""
    m, p, at = pointer(memory), pointer(params), pointer(plan)
    h = ahead(m, at[BOOK])
    book_view.advance(h, at[BOOK_MASK], time // DAY, time % DAY, n, d, tree, sizes)
    _step(h, m, p, at, BOOKS)


@nb.njit(cache=True)
def step_peer(memory: Floats, plan: Ints, time: int, price: float) -> None:
    """Take a price of the other symbol; it is seen from the next event but one."""
    peer.push(ahead(pointer(memory), plan[OTHER]), time // DAY, time % DAY, price)


@nb.njit(cache=True)
def forget(memory: Floats, plan: Ints, stream: int) -> None:
    """Forget what is known of trades (:data:`TRADES`) or of the book (:data:`BOOKS`)."""
    view = (plan[TRADE], plan[BOOK]) if stream == TRADES else (plan[BOOK], plan[OTHER])
    memory[view[0] : view[1]] = 0.0
    begin, end = plan[stream], plan[stream + 1]
    if begin < end:
        # States lie in the order of the instances, and behind the last one the first's columns.
        last = STATE if end < plan[BEYOND] else OUT
        until = plan[HEAD + INSTANCE * (end % plan[BEYOND]) + last]
        memory[plan[HEAD + INSTANCE * begin + STATE] : until] = 0.0


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
