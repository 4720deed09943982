import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import DataError
from market.events import BookUpdate
from venues.binance.depth import DepthSync

PRICES = 4


class Exchange:
    """A book whose every state is known: the truth that a client's is held against."""

    def __init__(self, market, sizes):
        """Take the events as lists of ``(price, size, ids skipped before it)``."""
        self.market, self.events, self.truth = market, [], [{}]
        previous = 0
        for changes in sizes:
            first, book, told = -1, dict(self.truth[-1]), {}
            for price, size, skipped in changes:
                if market == "usdm":  # these numbers were of other symbols
                    self.truth += [self.truth[-1]] * skipped
                if size:
                    book[price] = size
                else:
                    book.pop(price, None)
                told[price] = size
                self.truth.append(dict(book))
                first = len(self.truth) - 1 if first < 0 else first
            last = len(self.truth) - 1
            pu = previous if market == "usdm" else -1
            self.events.append(
                BookUpdate("X", 1000 + last, first, last, tuple(told.items()), (), pu)
            )
            previous = last

    def snapshot(self, number):
        number = min(max(number, 0), len(self.truth) - 1)
        levels = tuple(self.truth[number].items())
        return BookUpdate("X", 0, number, number, levels, (), snapshot=True)


class Client:
    def __init__(self, market):
        self.sync, self.book = DepthSync(market), {}

    def apply(self, updates):
        for update in updates:
            if update.snapshot:
                self.book = {}
            for price, size in update.bids:
                if size:
                    self.book[price] = size
                else:
                    self.book.pop(price, None)

    def agrees(self, exchange):
        return self.sync.needs_snapshot or self.book == exchange.truth[self.sync.last]


changes = st.lists(
    st.tuples(st.integers(1, PRICES), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=3
)
faults = st.lists(st.sampled_from("....dxsb"), max_size=40)


def delivered(events, what):
    """Yield events as a bad network would: dropped (x), doubled (d), swapped (s), late (b)."""
    queue, late = list(events), []
    for i in range(len(queue)):
        fault = what[i] if i < len(what) else "."
        if fault == "x":
            continue
        if fault == "s" and i + 1 < len(queue):
            queue[i], queue[i + 1] = queue[i + 1], queue[i]
        if fault == "b":
            late.append(queue[i])
            continue
        yield queue[i]
        if fault == "d":
            yield queue[i]
        if late and fault != ".":
            yield late.pop(0)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["spot", "usdm"]),
    st.lists(changes, min_size=1, max_size=30),
    faults,
    st.lists(st.integers(-6, 6), min_size=1, max_size=10),
)
def test_whatever_the_network_does_the_book_is_right_or_asked_for(market, sizes, what, offsets):
    exchange, client, asked = Exchange(market, sizes), Client(market), 0
    for event in delivered(exchange.events, what):
        client.apply(client.sync.update(event))
        assert client.agrees(exchange)
        if client.sync.needs_snapshot:
            client.apply(client.sync.snapshot(exchange.snapshot(event.last + offsets[asked])))
            asked = (asked + 1) % len(offsets)
            assert client.agrees(exchange)
    # Once the network behaves, the book is whole again.
    for event in exchange.events:
        client.apply(client.sync.update(event))
    if client.sync.needs_snapshot:
        client.apply(client.sync.snapshot(exchange.snapshot(exchange.events[-1].last)))
    assert not client.sync.needs_snapshot
    assert client.book == exchange.truth[-1]


@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_a_lost_change_is_counted_and_asks_for_a_snapshot(market):
    exchange = Exchange(market, [[(1, i, 1)] for i in range(1, 6)])
    client = Client(market)
    assert client.sync.snapshot(exchange.snapshot(0))[0].snapshot
    for i in (0, 1, 3):
        client.apply(client.sync.update(exchange.events[i]))
    assert client.sync.needs_snapshot
    assert client.sync.gaps == 1
    # A snapshot from before the hole is no help, one from after it is, with what was kept.
    assert client.sync.snapshot(exchange.snapshot(exchange.events[1].last)) == []
    assert client.sync.stale == 1
    assert client.sync.update(exchange.events[4]) == []
    got = client.sync.snapshot(exchange.snapshot(exchange.events[2].last))
    assert [one.last for one in got[1:]] == [one.last for one in exchange.events[3:]]


def test_a_futures_snapshot_between_two_changes_is_joined():
    sync = DepthSync("usdm")
    sync.snapshot(BookUpdate("X", 0, 15, 15, (), (), snapshot=True))
    assert sync.update(BookUpdate("X", 1, 20, 25, (), (), previous=10))
    assert not sync.update(BookUpdate("X", 2, 30, 35, (), (), previous=24))
    assert sync.gaps == 1


def test_numbers_that_began_again_are_a_gap_and_a_late_copy_is_not():
    sync = DepthSync("spot")
    sync.snapshot(BookUpdate("X", 0, 100, 100, (), (), snapshot=True))
    late = BookUpdate("X", 10, 101, 101, (), ())
    assert sync.update(late)
    assert sync.update(BookUpdate("X", 11, 102, 102, (), ()))
    assert sync.update(late) == []
    assert not sync.needs_snapshot
    assert sync.update(BookUpdate("X", 12, 1, 1, (), ())) == []
    assert sync.needs_snapshot
    assert sync.gaps == 1
    assert len(sync.snapshot(BookUpdate("X", 0, 0, 0, (), (), snapshot=True))) == 2


def test_what_is_kept_is_bounded_and_stays_right():
    exchange = Exchange("spot", [[(1, i, 0)] for i in range(1, 10)])
    sync = DepthSync("spot", keep=3)
    for event in exchange.events:
        sync.update(event)
    assert sync.snapshot(exchange.snapshot(2)) == []
    assert len(sync.snapshot(exchange.snapshot(7))) == 3


def test_impossible_numbers_are_refused_by_name():
    sync = DepthSync("spot")
    with pytest.raises(DataError, match=r"first <= last, were 3 and 2"):
        sync.update(BookUpdate("X", 0, 3, 2, (), ()))
    with pytest.raises(DataError, match="must be >= 0, was -1"):
        sync.update(BookUpdate("X", 0, -1, -1, (), (), snapshot=True))
    with pytest.raises(DataError, match="'spot' or 'usdm', was 'coin'"):
        DepthSync("coin")
    with pytest.raises(DataError, match="keep must be positive"):
        DepthSync("spot", keep=0)


def test_recorded_frames_have_no_gap(data_folder):
    for path in sorted((data_folder / "binance_l2_raw").glob("*.gz")):
        sync, applied, seen = DepthSync(path.name.split("_")[0]), 0, 0
        with gzip.open(path) as lines:
            for line in lines:
                time, _, text = line.partition(b" ")
                if b'"lastUpdateId"' in text:
                    number = json.loads(text)["lastUpdateId"]
                    told = BookUpdate("X", int(time), number, number, (), (), snapshot=True)
                elif b"depthUpdate" in text:
                    data = json.loads(text)["data"]
                    told = BookUpdate(
                        "X", data["E"], data["U"], data["u"], (), (), data.get("pu", -1)
                    )
                else:
                    continue
                seen += 1
                applied += len(sync.update(told))
        assert sync.gaps == 0
        assert sync.stale == 0
        assert applied > seen - 20
