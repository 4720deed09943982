"""A series: what goes in as events comes out as events; a wrong row is named."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import DataError
from market.events import Bar, BookUpdate, FeedGap, MarketEvent, Tick, Trade
from market.series import BadRow, Series
from market.tape import Tape

prices = st.floats(0.01, 1e6)
sizes = st.floats(0.0, 1e6)
levels = st.lists(st.tuples(prices, sizes), max_size=3).map(tuple)


def tick(time: int) -> st.SearchStrategy[MarketEvent]:
    return st.builds(Tick, st.just("X"), st.just(time), prices, prices, prices)


def trade(time: int) -> st.SearchStrategy[MarketEvent]:
    side = st.sampled_from([-1, 0, 1])
    return st.builds(Trade, st.just("X"), st.just(time), prices, sizes, side, st.just(time))


def bar(time: int) -> st.SearchStrategy[MarketEvent]:
    at = st.just(time)
    return st.builds(Bar, st.just("X"), at, *[prices] * 4, sizes, sizes, sizes)


def book(time: int) -> st.SearchStrategy[MarketEvent]:
    at = st.just(time)
    return st.builds(BookUpdate, st.just("X"), at, at, at, levels, levels, at, st.booleans())


@given(
    data=st.data(),
    kind=st.sampled_from([(tick, "prices"), (trade, "trades"), (bar, "prices"), (book, "book")]),
)
def test_events_go_in_and_come_out(data: st.DataObject, kind: tuple[Any, Any]) -> None:
    make, stream = kind
    events: list[MarketEvent] = []
    for time in range(1, data.draw(st.integers(2, 8))):
        if len(events) and data.draw(st.booleans()):
            events.append(FeedGap("X", time, events[-1].time, stream))
        events.append(data.draw(make(time)))
    assert list(Series.from_events("X", events).events()) == events


def test_trades_and_updates_may_share_a_time() -> None:
    trades = [Trade("X", 5, 1.0, 2.0, 1, 7), Trade("X", 5, 1.0, 2.0, 1, 8)]
    assert list(Series.from_events("X", trades).events()) == trades
    book = [
        BookUpdate("X", 5, 1, 3, ((1.0, 2.0),), ()),
        BookUpdate("X", 5, 4, 4, ((1.0, 3.0),), ()),
    ]
    assert list(Series.from_events("X", book).events()) == book
    with pytest.raises(DataError, match="X: time must increase, row 1 is at 5 after 5"):
        Series.from_events("X", [Tick("X", 5, 1.0), Tick("X", 5, 1.0)])
    with pytest.raises(DataError, match="X: time must not decrease, row 1 is at 4 after 5"):
        Series.from_events("X", [Trade("X", 5, 1.0, 1.0), Trade("X", 4, 1.0, 1.0)])


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Tick("X", 9, 0.0), "price must be positive and finite, row 1 at 9 has 0.0"),
        (Tick("X", 9, inf), "price must be positive and finite"),
        (Tick("X", 9, 1.0, -1.0), "bid must be positive and finite, or nan"),
        (Trade("X", 9, nan, 1.0), "price must be positive and finite"),
        (Trade("X", 9, 1.0, -1.0), "size must be finite and >= 0, row 1 at 9 has -1.0"),
        (Bar("X", 9, 1.0, 1.0, -1.0, 1.0), "low must be positive and finite"),
        (Bar("X", 9, 1.0, 1.0, 1.0, 1.0, -2.0), "volume must be finite and >= 0"),
        (BookUpdate("X", 9, 1, 1, ((0.0, 1.0),), ()), "price must be positive and finite, on side"),
        (BookUpdate("X", 9, 1, 1, ((1.0, -1.0),), ()), "size must be finite and >= 0"),
    ],
)
def test_a_wrong_row_is_named(event: MarketEvent, told: str) -> None:
    good = {
        Tick: Tick("X", 1, 1.0),
        Trade: Trade("X", 1, 1.0, 1.0),
        Bar: Bar("X", 1, 1.0, 1.0, 1.0, 1.0),
        BookUpdate: BookUpdate("X", 1, 1, 1, ((1.0, 1.0),), ()),
    }
    with pytest.raises(DataError, match=told.replace("(", r"\(")) as raised:
        Series.from_events("X", [good[type(event)], event])
    assert raised.value.reason == ("size" if ">= 0" in told else "price")


def test_a_series_is_of_one_kind_and_complete() -> None:
    with pytest.raises(DataError, match="of one kind, had ticks and trades"):
        Series.from_events("X", [Tick("X", 1, 1.0), Trade("X", 2, 1.0, 1.0)])
    with pytest.raises(DataError, match="at least one event"):
        Series.from_events("X", [FeedGap("X", 2, 1)])
    with pytest.raises(DataError, match="bid must have 2 rows, had 1"):
        Series.ticks("X", [1, 2], [1.0, 1.0], bid=[1.0])
    with pytest.raises(DataError, match="kind must be ticks, trades, bars, book, was 'x'"):
        Series("X", "x", 0, np.array([1]), {}, np.array([False]))


def test_a_tape_and_back() -> None:
    bars = Tape.from_events("X", [Bar("X", 60 * k, 2.0, 3.0, 1.0, 2.5, 4.0) for k in range(1, 5)])
    series = Series.of_tape(bars)
    assert (series.kind, series.step) == ("bars", 60)
    assert np.array_equal(series.tape().values, bars.values, equal_nan=True)
    flow = [Bar("X", 60 * k, 2.0, 3.0, 1.0, 2.5, 4.0, 9.0, 1.5) for k in range(1, 5)]
    assert list(Series.of_tape(Tape.from_events("X", flow)).tape().events()) == flow
    ticks = Tape.of_ticks("X", np.array([1, 5, 6]), np.array([1.0, 2.0, 3.0]))
    assert Series.of_tape(ticks).step == 0
    assert np.array_equal(Series.of_tape(ticks).tape().values, ticks.values, equal_nan=True)
    with pytest.raises(DataError, match="trades make no tape"):
        Series.trades("X", [1], [1], [1.0], [1.0], [1]).tape()


def test_the_text_of_a_bad_row_is_cut() -> None:
    row = BadRow("a.csv:4", "price is missing", "x" * 500).row
    assert (len(row), row[-1]) == (200, "…")
