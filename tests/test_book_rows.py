"""A recorded book as the rows that a compiled loop replays."""

from __future__ import annotations

import numba as nb
import numpy as np
import pytest

from features.book_rows import clear, updates
from market.book import Book
from market.bookkernel import apply
from market.errors import DataError
from market.events import BookUpdate, FeedGap, Tick
from market.ladder import roomier
from market.series import Series
from tests.test_book_columns import updates as made


@nb.njit
def _play(tree, sizes, sides, ticks, quantities, ends, whole, at):
    """Apply updates until there is no room; ``at`` is the update and the row it stopped at."""
    for i in range(at[0], len(ends)):
        begin = ends[i - 1] if i > 0 else 0
        if whole[i] and at[1] == begin:
            clear(tree, sizes)
        at[0] = i
        at[1] = apply(tree, sizes, sides, ticks, quantities, at[1], ends[i])
        if at[1] < ends[i]:
            return False
    return True


def test_they_are_the_series_own_events():
    events = made()
    series = Series.from_events("X", events)
    told = updates(series, "0.1")
    wanted, fresh = [], []
    for event in series.events():
        if isinstance(event, FeedGap):
            fresh.append(len(wanted))
        else:
            wanted.append(event)
    assert np.flatnonzero(told.fresh).tolist() == fresh == [1000]
    assert told.times.tolist() == [event.time for event in wanted]
    assert told.snapshot.tolist() == [event.snapshot for event in wanted]
    assert told.ends[-1] == len(told.sides) == len(told.ticks) == len(told.sizes)
    for i, event in enumerate(wanted):
        rows = slice(told.ends[i - 1] if i else 0, told.ends[i])
        levels = zip(
            told.sides[rows].tolist(),
            (told.ticks[rows] / 10).tolist(),
            told.sizes[rows].tolist(),
            strict=True,
        )
        assert list(levels) == [(1, p, q) for p, q in event.bids] + [
            (-1, p, q) for p, q in event.asks
        ]


def test_replaying_them_makes_the_same_book():
    series = Series.from_events("X", made())
    slow = Book("X", "0.1")
    for event in series.events():
        if not isinstance(event, FeedGap):
            slow.update(event)
    rows, fast = updates(series, "0.1"), Book("X", "0.1")
    at = np.zeros(2, np.int64)
    tree, sizes = fast._tree, fast._sizes
    while not _play(tree, sizes, rows.sides, rows.ticks, rows.sizes, rows.ends, rows.snapshot, at):
        tree, sizes = roomier(tree, sizes)
    fast._tree, fast._sizes = tree, sizes
    assert len(fast) == len(slow) > 40
    assert fast.bids(100).tolist() == slow.bids(100).tolist()
    assert fast.asks(100).tolist() == slow.asks(100).tolist()


def test_a_cleared_book_is_an_empty_one():
    used, new = Book("X", 1), Book("X", 1)
    steps = np.random.default_rng(0).permutation(np.arange(1, 2**31 - 1, 2**31 // 6000))[:6000]
    sides = np.where(steps < 2**30, 1, -1)
    used.apply(sides, steps, np.ones(6000))
    held = len(used._tree), len(used._sizes)
    clear.py_func(used._tree, used._sizes)
    assert len(used) == 0
    assert np.array_equal(used._tree[: len(new._tree)], new._tree)
    assert not used._tree[len(new._tree) :].any()
    assert not used._sizes.any()
    used.apply(sides, steps, np.ones(6000))
    assert len(used) == 6000
    assert (len(used._tree), len(used._sizes)) == held


def test_an_empty_update_is_one_too():
    events = [
        BookUpdate("X", 1, 1, 1, (), (), snapshot=True),
        BookUpdate("X", 1, 2, 2, ((9.0, 1.0),), ()),
        BookUpdate("X", 1, 3, 3, (), ()),
    ]
    told = updates(Series.from_events("X", events), 1)
    assert told.ends.tolist() == [0, 1, 1]
    nothing = updates(Series.from_events("X", events).slice(0, 0), 1)
    assert [len(each) for each in nothing] == [0] * 7


def test_a_gap_parts_updates_of_one_number():
    one = BookUpdate("X", 1, 1, 1, ((9.0, 1.0),), ())
    series = Series.from_events("X", [one, FeedGap("X", 1, 1), one])
    assert [type(event) for event in series.events()] == [BookUpdate, FeedGap, BookUpdate]
    told = updates(series, 1)
    assert (told.ends.tolist(), told.fresh.tolist()) == ([1, 2], [False, True])


def test_what_is_no_book_is_refused():
    with pytest.raises(DataError, match="ticks are no book"):
        updates(Series.from_events("X", [Tick("X", 1, 2.0), Tick("X", 2, 2.0)], 0), 1)
    off = Series.from_events("X", [BookUpdate("X", 1, 1, 1, ((9.95, 1.0),), ())])
    with pytest.raises(DataError, match=r"multiples of 0.1, was 9.95"):
        updates(off, "0.1")
    unknown = Series.from_events("X", [BookUpdate("X", 1, 1, 1, ((9.9, float("nan")),), ())])
    with pytest.raises(DataError, match="row 0 at 1 has nan"):
        updates(unknown, "0.1")
