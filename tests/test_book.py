import gzip
import json
import pickle
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.book import Book, grid
from market.errors import DataError
from market.events import BookUpdate
from market.ladder import LIMIT
from venues.binance.depth import DepthSync

# Ticks near each other, in other leaves, in other nodes, and the first and last there are.
ticks = st.one_of(
    st.integers(1, 130), st.integers(65_400, 65_700), st.sampled_from([1, 2**26, LIMIT - 1])
)
changes = st.lists(st.tuples(st.sampled_from([1, -1]), ticks, st.integers(0, 3)), max_size=120)


def columns(rows):
    sides, steps, sizes = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(sides, np.int8), np.array(steps, np.int64), np.array(sizes, np.float64)


def sides_of(model):
    """Return a dict's levels as the book must give them, best first."""
    bids = sorted(((t, z) for (s, t), z in model.items() if s == 1), reverse=True)
    asks = sorted((t, z) for (s, t), z in model.items() if s == -1)
    return bids, asks


def check(book, model):
    bids, asks = sides_of(model)
    assert [tuple(row) for row in book.bids(200)] == bids
    assert [tuple(row) for row in book.asks(200)] == asks
    assert len(book) == len(model)
    top_bid, top_ask = (bids or [(nan, 0.0)])[0], (asks or [(nan, 0.0)])[0]
    for got, wanted in ((book.best_bid, top_bid[0]), (book.best_ask, top_ask[0])):
        assert got == wanted or (isnan(got) and isnan(wanted))
    assert (book.bid_size, book.ask_size) == (top_bid[1], top_ask[1])
    assert book.crossed == (top_bid[0] >= top_ask[0])
    for levels in (1, 3, 200):
        sums = sum(z for _, z in bids[:levels]), sum(z for _, z in asks[:levels])
        assert book.depth(levels) == sums
        if sum(sums):
            assert book.imbalance(levels) == (sums[0] - sums[1]) / sum(sums)
        else:
            assert isnan(book.imbalance(levels))
    near = sum(z for t, z in bids if t >= top_bid[0] - 70)
    assert book.depth(200, within=70)[0] == near


@settings(max_examples=100, deadline=None)
@given(st.lists(changes, max_size=4))
def test_it_is_the_dictionary_of_its_levels(batches):
    book, model = Book("X", 1), {}
    for rows in batches:
        book.apply(*columns(rows))
        for side, tick, size in rows:
            if size:
                model[side, tick] = size
            else:
                model.pop((side, tick), None)
        check(book, model)
    again = pickle.loads(pickle.dumps(book))
    check(again, model)


@settings(max_examples=40, deadline=None)
@given(st.lists(changes, max_size=5))
def test_a_replay_gives_the_quotes_after_each_update(batches):
    book, slow = Book("X", 0.5), Book("X", 0.5)
    rows = [row for batch in batches for row in batch]
    tops = book.replay(np.cumsum([len(batch) for batch in batches]), *columns(rows))
    for batch, top in zip(batches, tops, strict=True):
        slow.apply(*columns(batch))
        wanted = (slow.best_bid, slow.bid_size, slow.best_ask, slow.ask_size)
        assert np.array_equal(top, wanted, equal_nan=True)


def test_it_grows_and_gives_back():
    book, n = Book("X", 1), 6_000
    steps = np.random.default_rng(0).permutation(np.arange(1, LIMIT - 1, LIMIT // n))[:n]
    sides = np.where(steps < LIMIT // 2, 1, -1)
    ends = np.arange(0, n + 1, 1000)
    tops = book.replay(ends, sides, steps, np.ones(n))
    assert len(book) == n
    assert tops[-1, 0] == steps[sides == 1].max()
    held = len(book._tree), len(book._sizes)
    for _ in range(3):
        book.apply(sides, steps, np.zeros(n))
        assert len(book) == 0
        assert isnan(book.best_bid)
        book.apply(sides, steps, np.ones(n))
    assert (len(book._tree), len(book._sizes)) == held
    assert book.depth(n) == ((sides == 1).sum(), (sides == -1).sum())


def test_a_real_book_is_small():
    rng = np.random.default_rng(1)
    book = Book("BTCUSDT", "0.01")
    steps = np.unique(np.round(np.exp(rng.normal(np.log(6_180_000), 0.3, 10_000))).astype(int))
    book.apply(np.where(steps < 6_180_000, 1, -1), steps, np.ones(len(steps)))
    assert book._tree.nbytes + book._sizes.nbytes < 20e6


def test_prices_are_the_venues_own_decimals():
    rng = np.random.default_rng(2)
    for step, digits in (("0.01000000", 2), ("0.5", 1), ("0.00000001", 8), (25, 0), ("2.5e-3", 4)):
        n, d = grid(step)
        for k in rng.integers(1, 2_000_000, 300):
            decimals = f"{int(k) * n / d:.{digits}f}"
            book = Book("X", step)
            assert book.price(int(k)) == float(decimals)
            assert book.ticks([float(decimals)]).tolist() == [k]


def test_a_snapshot_takes_the_place_of_everything():
    book = Book("X", "0.1")
    book.update(BookUpdate("X", 1, 1, 1, ((9.9, 1.0), (9.8, 1.0)), ((10.0, 1.0),)))
    book.update(BookUpdate("X", 2, 5, 5, ((8.0, 3.0),), (), snapshot=True))
    assert (len(book), book.best_bid, book.time, book.last) == (1, 8.0, 2, 5)
    book.update(BookUpdate("X", 3, 6, 6, (), ()))
    assert (len(book), book.last) == (1, 6)


def test_a_crossed_book_says_so():
    book = Book("X", "0.1")
    book.update(BookUpdate("X", 1, 1, 1, ((10.0, 1.0),), ((10.1, 1.0),)))
    assert not book.crossed
    book.update(BookUpdate("X", 2, 2, 2, ((10.1, 1.0),), ()))
    assert book.crossed


@pytest.mark.parametrize(
    ("update", "reason", "words"),
    [
        (BookUpdate("Y", 2, 2, 2, (), ()), "symbol", "a book of X was given an update of Y"),
        (BookUpdate("X", 2, 2, 2, ((9.95, 1.0),), ()), "price", "multiples of 0.1, was 9.95"),
        (BookUpdate("X", 2, 2, 2, ((nan, 1.0),), ()), "price", "was nan"),
        (BookUpdate("X", 2, 2, 2, ((1e300, 1.0),), ()), "price", "was 1e"),
        (BookUpdate("X", 2, 2, 2, (), ((0.0, 1.0),)), "price", "was 0.0"),
        (BookUpdate("X", 2, 2, 2, (), ((10.0, -1.0),)), "size", "and -1.0"),
        (BookUpdate("X", 2, 2, 2, (), ((10.0, nan),), snapshot=True), "size", "and nan"),
    ],
)
def test_an_impossible_update_is_refused_whole(update, reason, words):
    book = Book("X", "0.1")
    book.update(BookUpdate("X", 1, 1, 1, ((9.9, 1.0),), ((10.0, 2.0),)))
    with pytest.raises(DataError, match=words) as caught:
        book.update(update)
    assert caught.value.reason == reason
    assert (book.best_bid, book.ask_size, book.time) == (9.9, 2.0, 1)


def test_impossible_rows_and_steps_are_refused():
    book = Book("X", 1)
    for rows in (([0], [1], [1.0]), ([1], [0], [1.0]), ([1], [LIMIT], [1.0]), ([1], [1, 2], [1.0])):
        with pytest.raises(DataError):
            book.apply(*rows)
    with pytest.raises(DataError, match="ends must not decrease"):
        book.replay([2, 1], [1, 1], [1, 2], [1.0, 1.0])
    for step in (0, -1, nan, float("inf"), "x", "1e-30"):
        with pytest.raises(DataError, match="a price step must"):
            grid(step)


def test_a_recorded_book_has_the_venues_own_quotes(data_folder):
    """At every ticker whose number is an update's, and no quote between is crossed."""
    for path in sorted((data_folder / "binance_l2_raw").glob("*.gz")):
        market = path.name.split("_")[0]
        book = Book(
            "BTCUSDT" if "btc" in path.name else "ETHUSDT", 0.1 if market == "usdm" else 0.01
        )
        sync, tickers, quotes = DepthSync(market), {}, {}
        with gzip.open(path) as lines:
            for line in lines:
                told = json.loads(line.partition(b" ")[2])
                data = told.get("data", told)
                if "lastUpdateId" not in data and data.get("e") != "depthUpdate":
                    if "A" in data:
                        tickers[data["u"]] = tuple(float(data[key]) for key in "bBaA")
                    continue
                snapshot = "lastUpdateId" in data
                last = data["lastUpdateId" if snapshot else "u"]
                bids, asks = data["bids" if snapshot else "b"], data["asks" if snapshot else "a"]
                update = BookUpdate(
                    book.symbol,
                    data.get("E", 0),
                    data.get("U", last),
                    last,
                    tuple((float(p), float(q)) for p, q in bids),
                    tuple((float(p), float(q)) for p, q in asks),
                    data.get("pu", -1),
                    snapshot,
                )
                for valid in sync.update(update):
                    book.update(valid)
                    assert not book.crossed
                    quotes[book.last] = (
                        book.best_bid,
                        book.bid_size,
                        book.best_ask,
                        book.ask_size,
                    )
        comparable = tickers.keys() & quotes.keys()
        assert len(comparable) > 300
        assert all(tickers[u] == quotes[u] for u in comparable)
