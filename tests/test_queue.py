"""A resting order is filled by what trades, in its turn, and never by more."""

import gzip
from heapq import merge
from itertools import islice
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import DataError
from market.events import BookUpdate, FeedGap, Trade
from market.execution.queue import behind_of
from market.execution.resting import QueueTape, RestingOrder
from venues.library.frames import read_frames

POWERS = (inf, 3.0, 1.0)
OURS = 10
rows = st.tuples(
    st.sampled_from([0, 1]), st.sampled_from([1, -1]), st.integers(8, 12), st.integers(0, 9)
)
tapes = st.lists(rows, max_size=60)


def laid(told):
    columns = zip(*told, strict=True) if told else ((),) * 4
    kinds, sides, ticks, sizes = (np.array(one) for one in columns)
    return QueueTape(
        np.arange(len(told)),
        kinds.astype(np.int8),
        sides.astype(np.int8),
        ticks.astype(np.int64),
        sizes.astype(np.float64),
    )


@settings(max_examples=150, deadline=None)
@given(tapes, st.sampled_from([1, -1]), st.sampled_from(POWERS), st.integers(0, 8))
def test_one_at_a_time_and_all_at_once_are_the_same(told, side, power, level):
    one = RestingOrder(side, OURS, 5.0, level, power)
    steps = [
        one.trade(s, t, z) if kind else one.level(s, t, z)
        for kind, s, t, z in ((k, s, t, float(z)) for k, s, t, z in told)
    ]
    whole = RestingOrder(side, OURS, 5.0, level, power)
    fills = whole.run(laid(told))
    assert [steps[row] for row in fills.rows] == fills.units.tolist()
    assert sum(steps) == fills.units.sum() == one.filled
    assert (one.left, one.filled) == (whole.left, whole.filled)
    assert one.left + one.filled == 5.0


@settings(max_examples=150, deadline=None)
@given(tapes, st.sampled_from([1, -1]), st.integers(0, 8))
def test_the_risk_averse_model_never_fills_earlier(told, side, level):
    """After every row, it has filled no more than the other models, and stands no further ahead."""
    orders = [RestingOrder(side, OURS, 5.0, level, power) for power in POWERS]
    for kind, s, t, size in told:
        for order in orders:
            (order.trade if kind else order.level)(s, t, float(size))
        averse = orders[0]
        assert all(averse.filled <= other.filled + 1e-12 for other in orders[1:])
        assert all(averse.ahead >= other.ahead - 1e-12 for other in orders[1:])


@settings(max_examples=150, deadline=None)
@given(tapes, st.sampled_from([1, -1]), st.sampled_from(POWERS), st.integers(0, 8))
def test_no_more_is_filled_than_came_to_us(told, side, power, level):
    order = RestingOrder(side, OURS, 5.0, level, power)
    fills = order.run(laid(told))
    reaching = [(kind, size) for kind, s, t, size in told if s == -side and (t - OURS) * side <= 0]
    traded = sum(size for kind, size in reaching if kind == 1)
    offered = max([size for kind, size in reaching if kind == 0], default=0)
    assert fills.units.sum() <= traded + offered
    assert order.ahead >= 0.0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 4), max_size=20), st.integers(1, 20), st.sampled_from(POWERS))
def test_with_trades_alone_all_ahead_trade_first(sizes, level, power):
    order, done = RestingOrder(1, OURS, 3.0, level, power), 0
    for size in sizes:
        got = order.trade(-1, OURS, size)
        assert got == max(0.0, min(done + size, level + 3) - max(done, level))
        done += size


def test_what_is_cancelled_is_shared_by_the_power_law():
    for power, ahead in ((inf, 4.0), (1.0, 4.0 - 2.0 * 4.0 / 10.0), (2.0, 4.0 - 2.0 * 16.0 / 52.0)):
        order = RestingOrder(1, OURS, 1.0, 4.0, power)
        order.level(1, OURS, 10.0)  # six more, all behind us
        order.level(1, OURS, 8.0)  # two are gone
        assert order.ahead == pytest.approx(ahead)
        order.trade(-1, OURS, 1.0)
        order.level(1, OURS, 7.0)  # the trade's own doing, no cancellation
        assert order.ahead == pytest.approx(ahead - 1.0)
    assert behind_of(5.0, 0.0, 1.0) == 0.0


def test_a_level_smaller_than_our_place_moves_the_careful_too():
    order = RestingOrder(-1, OURS, 1.0, 9.0)
    order.level(-1, OURS, 4.0)
    assert order.ahead == 4.0
    order.level(-1, OURS, 0.0)
    assert (order.ahead, order.trade(1, OURS, 0.25), order.left) == (0.0, 0.25, 0.75)


def test_what_goes_through_the_price_is_ours():
    order = RestingOrder(1, OURS, 4.0, 100.0)
    assert order.trade(-1, OURS - 1, 1.5) == 1.5
    assert order.trade(1, OURS - 1, 9.0) == 0.0  # somebody bought: not from us
    assert order.trade(0, OURS, 9.0) == 0.0  # an auction
    assert order.level(-1, OURS, 0.5) == 0.5  # asked at our price
    assert order.level(-1, OURS, 0.5) == 0.0  # the same half, told again
    assert order.level(-1, OURS + 1, 9.0) == 0.0
    assert order.left == 2.0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"side": 0}, "side must be 1 or -1, was 0"),
        ({"size": 0.0}, "size must be positive"),
        ({"level": -1.0}, "level >= 0"),
        ({"power": 0.0}, "power must be positive, was 0.0"),
    ],
)
def test_impossible_orders_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        RestingOrder(**{"side": 1, "tick": 5, "size": 1.0, "level": 0.0} | wrong)


def test_events_become_rows():
    told = [
        BookUpdate("X", 1, 1, 1, ((9.9, 2.0), (9.8, 1.0)), ((10.0, 3.0),), snapshot=True),
        Trade("X", 2, 9.9, 1.5, -1),
        BookUpdate("X", 2, 2, 2, ((9.9, 0.5),), ()),
        BookUpdate("X", 3, 3, 3, ((9.7, 4.0),), (), snapshot=True),
    ]
    tape = QueueTape.of(told, "0.1")
    assert tape.size_at(1, 99, 3) == 2.0
    assert tape.size_at(1, 99, len(tape)) == 0.0  # the last snapshot doesn't name it
    order = RestingOrder(1, 99, 1.0, tape.size_at(1, 99, 3), 1.0)
    fills = order.run(tape, 3)
    assert (fills.units.tolist(), order.ahead) == ([], 0.0)
    with pytest.raises(DataError, match="are missing before 9"):
        QueueTape.of([FeedGap("X", 9, 1, "book")], "0.1")
    with pytest.raises(DataError, match=r"multiple of 0.1, was 9.95"):
        QueueTape.of([Trade("X", 1, 9.95, 1.0)], "0.1")


def test_over_a_recorded_book_the_careful_wait_longest(data_folder, tmp_path):
    """Bids joined at the best price, once in a while: nobody careful comes before the others."""
    few = tmp_path / "few.gz"
    path = data_folder / "binance_l2_raw" / "usdm_btcusdt_20240808.gz"
    with gzip.open(path, "rb") as frames, gzip.open(few, "wb", 1) as kept:
        kept.writelines(islice(frames, 6000))
    series = {one.kind: one.events() for one in read_frames(few).series if one.kind != "ticks"}
    tape = QueueTape.of(merge(series["trades"], series["book"], key=lambda one: one.time), "0.1")
    trades = np.flatnonzero((tape.kinds == 1) & (tape.sides == -1))
    first = {power: [] for power in POWERS}
    for start in trades[len(trades) // 10 :: len(trades) // 12].tolist():
        tick = int(tape.ticks[start])
        for power in POWERS:
            order = RestingOrder(1, tick, 0.5, tape.size_at(1, tick, start), power)
            fills = order.run(tape, start)
            assert order.filled == pytest.approx(fills.units.sum())
            first[power].append(fills.rows[0] if len(fills.rows) else len(tape))
    averse, cubic, even = (np.array(first[power]) for power in POWERS)
    assert (averse < len(tape)).sum() > 5
    assert (averse >= cubic).all()
    assert (averse >= even).all()
    assert (averse > even).any()
