import pickle
from itertools import pairwise
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.bars import BarBuilder, BarRule, bars
from market.errors import ConfigError, DataError
from market.events import Bar, FeedGap, Tick, Trade
from market.series import Series

SECOND = 10**9
rules = st.sampled_from(["1s", "3s", "1t", "4t", "volume:2.5", "volume:10", "dollar:150"])


def trade(time, price, size, side=1):
    return Trade("X", time, price, size, side)


@st.composite
def streams(draw, ticks):
    """Events with holes; trades may share a time."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(1 if ticks else 0, 25),
                st.floats(0.5, 200.0),
                st.floats(0.0, 5.0),
                st.sampled_from([1, -1, -1, 1, 0] if draw(st.booleans()) else [1, -1]),
                st.sampled_from([False] * 9 + [True]),
            ),
            max_size=60,
        )
    )
    events, time = [], 1_700_000_000 * SECOND
    for step, price, size, side, gap in rows:
        before = time
        time += step * SECOND // 5
        if gap and time > before:
            events.append(FeedGap("X", time, before))
        events.append(Tick("X", time, price) if ticks else trade(time, price, size, side))
    return events


def streamed(events, rule, fold=lambda builder: builder):
    builder, made = BarBuilder("X", rule), []
    for event in events:
        builder = fold(builder)
        if (bar := builder.update(event)) is not None:
            made.append((bar, builder.fresh))
    return made


def same(one, other):
    rows = [
        [np.array([tuple(v for v in bar_row(bar))]) for bar, _ in each] for each in (one, other)
    ]
    return [r.tobytes() for r in rows[0]] == [r.tobytes() for r in rows[1]] and [
        fresh for _, fresh in one
    ] == [fresh for _, fresh in other]


def bar_row(bar):
    prices = (bar.open, bar.high, bar.low, bar.close)
    return (float(bar.time), *prices, bar.volume, bar.trades, bar.buy_volume)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.booleans(), rules)
def test_streaming_is_batch_to_the_last_bit_and_survives_a_pickle(data, ticks, text):
    rule = BarRule.parse(text)
    if ticks and rule.kind in ("volume", "dollar"):
        rule = BarRule.parse("2t")
    events = data.draw(streams(ticks))
    made = streamed(events, rule)
    assert same(streamed(events, rule, lambda one: pickle.loads(pickle.dumps(one))), made)
    if any(not isinstance(event, FeedGap) for event in events):
        batch = bars(Series.from_events("X", events, step=0), rule)
        told = [one for one in batch.events() if isinstance(one, Bar)]
        assert same(list(zip(told, batch.fresh.tolist(), strict=True)), made)
    assert all(a.time < b.time for (a, _), (b, _) in pairwise(made))


@settings(max_examples=100, deadline=None)
@given(streams(False), rules)
def test_a_bar_is_the_sum_of_its_trades(events, text):
    """Without holes every trade is in one bar, and no bar but the last could close earlier."""
    rule = BarRule.parse(text)
    trades = [event for event in events if isinstance(event, Trade)]
    builder, inside, last = BarBuilder("X", rule), [], -1
    for one in trades:
        bar = builder.update(one)
        if rule.kind != "time":
            inside.append(one)
        if bar is not None:
            sizes = [each.size for each in inside]
            assert (bar.open, bar.close) == (inside[0].price, inside[-1].price)
            assert bar.high == max(each.price for each in inside)
            assert bar.low == min(each.price for each in inside)
            assert bar.volume == pytest.approx(sum(sizes))
            assert bar.trades == len(inside)
            if all(each.side for each in inside):
                bought = sum(each.size for each in inside if each.side > 0)
                assert bar.buy_volume == pytest.approx(bought)
            else:
                assert bar.buy_volume != bar.buy_volume
            if rule.kind == "time":
                assert bar.time % rule.size == 0
                assert all(bar.time - rule.size <= each.time < bar.time for each in inside)
                assert one.time >= bar.time
            else:
                assert bar.time == one.time
            inside, last = [], bar.time
        elif rule.kind == "volume" and one.time > last:
            assert sum(each.size for each in inside) < rule.size * (1 + 1e-12)
        if rule.kind == "time":
            inside.append(one)


def test_a_time_bar_closes_at_its_boundary_and_by_the_clock():
    builder = BarBuilder("X", BarRule.parse("1m"))
    minute = 60 * SECOND
    assert builder.update(Tick("X", minute + 5, 10.0)) is None
    assert builder.update(Tick("X", 2 * minute - 1, 9.0)) is None
    assert builder.clock(2 * minute - 1) is None
    bar = builder.clock(2 * minute)
    assert (bar.time, bar.open, bar.low, bar.close) == (2 * minute, 10.0, 9.0, 9.0)
    assert bar.volume != bar.volume
    assert builder.clock(3 * minute) is None
    with pytest.raises(DataError, match="time must not decrease") as caught:
        builder.update(Tick("X", 3 * minute - 1, 9.0))
    assert caught.value.reason == "time"
    # Minutes without a tick give no bar, and leave no mark on the next.
    assert builder.update(Tick("X", 9 * minute, 8.0)) is None
    bar = builder.update(Tick("X", 10 * minute, 7.0))
    assert (bar.time, bar.open, builder.fresh) == (10 * minute, 8.0, False)


@pytest.mark.parametrize(
    ("text", "seconds", "volumes"),
    [
        # What came from 1 to 3 s is of intervals that the hole has made incomplete.
        ("1s", [0.1, 1.3, None, 2.6, 3.2, 4.5], [1.0, 16.0]),
        ("2t", [0.1, 1.2, 1.3, None, 2.6, 3.1, 3.2, 4.5], [3.0, 48.0, 192.0]),
    ],
)
def test_a_hole_drops_the_open_bar_and_the_rest_of_its_interval(text, seconds, volumes):
    builder, made, before = BarBuilder("X", BarRule.parse(text)), [], 0
    for i, at in enumerate(seconds):
        if at is None:
            assert builder.update(FeedGap("X", int(seconds[i + 1] * SECOND), before)) is None
            continue
        before = int(at * SECOND)
        if (bar := builder.update(trade(before, 10.0, 2.0**i))) is not None:
            made.append((bar.volume, builder.fresh))
    assert [volume for volume, _ in made] == volumes
    assert [fresh for _, fresh in made] == [False, True, False][: len(made)]


def test_trades_of_one_instant_never_make_two_bars_of_one_time():
    builder, made = BarBuilder("X", BarRule.parse("volume:1")), []
    for time, size in ((1, 1.0), (1, 1.0), (1, 5.0), (2, 0.5), (3, 2.0)):
        if (bar := builder.update(trade(time, 10.0, size))) is not None:
            made.append((bar.time, bar.volume))
    assert made == [(1, 1.0), (2, 6.5), (3, 2.0)]


def test_the_end_of_a_series_closes_the_last_time_bar_if_it_is_known():
    series = Series.trades("X", [1, 2], [1, 2], [10.0, 11.0], [1.0, 1.0], [1, -1])
    assert len(bars(series, BarRule.parse("1s"))) == 0
    told = bars(series, BarRule.parse("1s"), until=SECOND)
    assert (told.times.tolist(), told.step) == ([SECOND], SECOND)
    assert len(bars(series, BarRule.parse("1s"), until=SECOND - 1)) == 0


@pytest.mark.parametrize(
    ("text", "kind", "size"),
    [
        ("1m", "time", 60e9),
        ("250ms", "time", 250e6),
        ("4h", "time", 4 * 3600e9),
        ("1d", "time", 86400e9),
        ("500t", "tick", 500.0),
        ("volume:100", "volume", 100.0),
        ("volume:.5", "volume", 0.5),
        ("dollar:1e6", "dollar", 1e6),
    ],
)
def test_a_rule_is_read(text, kind, size):
    assert BarRule.parse(text) == BarRule(kind=kind, size=size)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m",
        "1",
        "0m",
        "0t",
        "-1m",
        "1.5m",
        "1w",
        "volume:",
        "volume:0",
        "volume:-1",
        "dollar:x",
        "dollar:1.2.3",
        "dollar:nan",
        "volume:inf",
        "tick:5",
        "1 m",
        "999999999999999d",
    ],
)
def test_what_is_no_rule_is_refused_by_name(text):
    with pytest.raises(ConfigError, match=r"must be") as caught:
        BarRule.parse(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Trade("Y", 5, 1.0, 1.0), "symbol"),
        (Trade("X", 3, 1.0, 1.0), "time"),
        (Trade("X", 5, nan, 1.0), "price"),
        (Trade("X", 5, -1.0, 1.0), "price"),
        (Trade("X", 5, inf, 1.0), "price"),
        (Trade("X", 5, 1.0, nan), "size"),
        (Trade("X", 5, 1.0, -1.0), "size"),
        (Tick("X", 5, 1.0), "malformed"),
    ],
)
def test_an_impossible_event_is_as_if_it_had_not_come(event, reason):
    builder = BarBuilder("X", BarRule.parse("2t"))
    builder.update(trade(4, 10.0, 1.0))
    with pytest.raises(DataError) as caught:
        builder.update(event)
    assert caught.value.reason == reason
    assert builder.update(trade(4, 11.0, 1.0)).close == 11.0


def test_ticks_have_no_volume():
    builder = BarBuilder("X", BarRule.parse("volume:1"))
    with pytest.raises(DataError, match="volume bars need trades"):
        builder.update(Tick("X", 1, 1.0))
    series = Series.ticks("X", [1, 2], [1.0, 2.0])
    with pytest.raises(DataError, match="dollar bars need trades"):
        bars(series, BarRule.parse("dollar:1"))
    with pytest.raises(DataError, match="ticks or trades, not bars"):
        bars(bars(series, BarRule.parse("1t")), BarRule.parse("1t"))
