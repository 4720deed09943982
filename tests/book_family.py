"""Families of book and trade columns alone, over real books: for tests beside the reference.

Each update goes through :class:`market.book.Book`; what the view then holds is kept for every
update, so a family's loop is only its own step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import nan

import numba as nb
import numpy as np

from features import book_view, trade_view
from features.column import Args, Family
from features.compiled import pointer
from features.ring import capacity
from market.book import Book, grid
from market.events import SECOND, BookUpdate, FeedGap, Trade

DAY = 86_400 * SECOND
LOOKBACK = 64
"""How far the views made here can look back."""

Gaps = FeedGap | BookUpdate | Trade


@dataclass
class Seen:
    """Views after each event, and for the references what they were made of."""

    events: list
    fresh: np.ndarray
    views: np.ndarray
    bids: list
    asks: list


@nb.njit
def _book(h, mask, day, clock, n, d, tree, sizes):
    book_view.advance(pointer(h), mask, day, clock, n, d, tree, sizes)


@nb.njit
def _trade(h, mask, day, clock, price, size, side, mid):
    trade_view.advance(pointer(h), mask, day, clock, price, size, side, mid)


def book_views(symbol: str, tick: float | str, events: list[Gaps]) -> Seen:
    """The view after each update; a gap empties the book and the view."""
    book, (n, d) = Book(symbol, tick), grid(tick)
    h = np.zeros(book_view.size(LOOKBACK))
    seen = Seen([], [], [], [], [])
    fresh = False
    for event in events:
        if isinstance(event, FeedGap):
            book.clear()
            h[:], fresh = 0.0, True
            continue
        book.update(event)
        mask = capacity(LOOKBACK) - 1
        when = float(event.time // DAY), float(event.time % DAY)
        _book(h, float(mask), *when, float(n), float(d), book._tree, book._sizes)
        seen.events.append(event)
        seen.fresh.append(fresh)
        seen.views.append(h.copy())
        seen.bids.append(book.bids(book_view.DEPTH))
        seen.asks.append(book.asks(book_view.DEPTH))
        fresh = False
    seen.fresh, seen.views = np.array(seen.fresh), np.array(seen.views)
    return seen


def trade_views(events: list[Gaps], mids: np.ndarray | None = None) -> Seen:
    """The view after each trade; ``mids`` are the book's, one for each."""
    h = np.zeros(trade_view.size(LOOKBACK))
    seen = Seen([], [], [], [], [])
    fresh = False
    for event in events:
        if isinstance(event, FeedGap):
            h[:], fresh = 0.0, True
            continue
        mid = nan if mids is None else float(mids[len(seen.events)])
        when = float(event.time // DAY), float(event.time % DAY)
        mask = float(capacity(LOOKBACK) - 1)
        _trade(h, mask, *when, event.price, event.size, float(event.side), mid)
        seen.events.append(event)
        seen.fresh.append(fresh)
        seen.views.append(h.copy())
        fresh = False
    seen.fresh, seen.views = np.array(seen.fresh), np.array(seen.views)
    return seen


@cache
def _loop(step):
    @nb.njit
    def loop(views, fresh, state, param, out, rows):
        for i in range(len(views)):
            if fresh[i]:
                state[:] = 0.0
            step(pointer(views[i]), pointer(state), pointer(param), pointer(out))
            rows[i] = out

    return loop


def columns(family: Family, args: Args, seen: Seen) -> dict[str, np.ndarray]:
    """Every column of an instance after every event, nan until warm."""
    assert family.lookback(args) <= LOOKBACK
    rows = np.empty((len(seen.views), len(family.columns)))
    # What lies behind the state and the columns must stay as it is: a step is not checked.
    guard = 1234.5
    state = np.append(np.zeros(family.size(args)), guard)
    params = np.append(np.array(family.params(args)), guard)
    out = np.full(len(family.columns), np.nan)
    _loop(family.step)(seen.views, seen.fresh, state[:-1], params, out, rows)
    assert state[-1] == guard
    rows[counts(seen.fresh) < family.warmup(args)] = np.nan
    return {name: rows[:, i] for i, name in enumerate(family.names(args))}


def counts(fresh: np.ndarray) -> np.ndarray:
    """Events since the start or the last gap, at each."""
    found, n = np.empty(len(fresh), int), 0
    for i, new in enumerate(fresh):
        n = 1 if new else n + 1
        found[i] = n
    return found


def everything(seen: Seen, families: tuple[Family, ...]) -> dict[str, np.ndarray]:
    """All columns of all default instances."""
    found: dict[str, np.ndarray] = {}
    for family in families:
        for args in family.defaults:
            found |= columns(family, args, seen)
    return found
