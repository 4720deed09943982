"""What is recorded beside a tape: its order, and the whole book from the middle of a recording."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.beside import Beside
from market.book import Book
from market.events import BookUpdate, FeedGap, MarketEvent, Tick, Trade
from market.series import Series
from market.tape import Tape


def book(times: list[int], wholes: set[int], gaps: set[int], seed: int) -> Series:
    """Return changes of a book at these times, those of ``wholes`` snapshots."""
    rng = np.random.default_rng(seed)
    events: list[MarketEvent] = []
    for i, time in enumerate(times):
        if i in gaps:
            events.append(FeedGap("X", time, times[i - 1], "book"))
        levels = rng.integers(1, 9, 4 if i in wholes else 2)
        bids = tuple((round(10.0 - 0.1 * int(k), 1), float(rng.integers(0, 4))) for k in levels)
        asks = tuple((round(10.0 + 0.1 * int(k), 1), float(rng.integers(0, 4))) for k in levels)
        events.append(BookUpdate("X", time, i, i, bids, asks, -1, i in wholes))
    return Series.from_events("X", events)


def ticks(symbol: str, *times: int) -> Tape:
    return Tape.of_ticks(symbol, np.array(times, np.int64), np.ones(len(times)))


def levels(series: Series | None, until: int) -> Any:
    """Return both sides after the events up to a time; None while there is no book."""
    made = None
    assert series is not None
    for event in series.events():
        if event.time > until:
            break
        if isinstance(event, FeedGap):
            made = None
        elif isinstance(event, BookUpdate) and (made is not None or event.snapshot):
            made = made or Book("X", "0.1")
            made.update(event)
    return None if made is None else (made.bids(99).tolist(), made.asks(99).tolist())


@settings(deadline=None)  # the first example compiles
@given(
    steps=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    wholes=st.sets(st.integers(0, 11), max_size=3),
    gaps=st.sets(st.integers(1, 11), max_size=2),
    cut=st.integers(0, 40),
    seed=st.integers(0, 9),
)
def test_from_any_time_on_the_book_is_what_it_was(
    steps: list[int], wholes: set[int], gaps: set[int], cut: int, seed: int
) -> None:
    times = np.cumsum([1, *steps]).tolist()
    whole = book(times, wholes, gaps, seed)
    part = Beside(book=whole, tick="0.1").after(cut).book
    for now in range(cut, times[-1] + 1):
        assert levels(part, now) == levels(whole, now), f"at {now}"
    assert part is not None
    old = [event for event in part.events() if event.time <= cut]
    assert len(old) == (levels(whole, cut) is not None)
    for event in old:
        assert isinstance(event, BookUpdate)
        assert event.snapshot
        last = int(np.searchsorted(whole.times, cut, side="right")) - 1
        assert (event.time, event.last) == (whole.times[last], whole.columns["last"][last])


def test_of_events_of_one_time_the_own_is_told_last() -> None:
    own = ticks("X", 5, 7)
    own.fresh[1] = True
    beside = Beside(
        trades=Series.trades("X", [5, 5, 7], [1, 2, 3], [1.0] * 3, [1.0] * 3, [1] * 3),
        book=book([5, 6], {0}, set(), 0),
        tick="0.1",
        peer=ticks("P", 5, 7),
    )
    told = [(event.time, type(event), event.symbol) for event in beside.events(own)]
    assert told == [
        (5, BookUpdate, "X"), (5, Trade, "X"), (5, Trade, "X"), (5, Tick, "P"), (5, Tick, "X"),
        (6, BookUpdate, "X"),
        (7, Trade, "X"), (7, Tick, "P"), (7, FeedGap, "X"), (7, Tick, "X"),
    ]  # fmt: skip
    assert list(Beside().events(own)) == list(own.events())


@pytest.mark.parametrize("cut", [0, 4, 5, 6, 7, 9])
def test_until_and_after_share_everything_out(cut: int) -> None:
    times = [5, 5, 6, 7]
    beside = Beside(
        trades=Series.trades("X", times, range(4), [1.0] * 4, [1.0] * 4, [1] * 4),
        peer=ticks("P", 5, 7),
    )
    nothing = ticks("X")
    early, late = beside.until(cut), beside.after(cut)
    events = [*early.events(nothing), *late.events(nothing)]
    assert events == list(beside.events(nothing))
    assert all(one.time <= cut for one in early.events(nothing))
    assert all(one.time > cut for one in late.events(nothing))
    assert all(a.time <= b.time for a, b in pairwise(events))
