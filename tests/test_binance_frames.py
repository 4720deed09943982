import gzip
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.book import Book
from market.errors import DataError
from venues.binance.frames import DepthFrames, rebuild

decimals = st.builds(
    lambda n, places, zeros: f"{n / 10**places:.{places}f}" + ("0" * zeros if places else ""),
    st.integers(0, 10**12),
    st.integers(0, 5),
    st.integers(0, 4),
)
prices = st.integers(1, 2**31 - 1).map(lambda n: f"{n // 100}.{n % 100:02}000000")
levels = st.lists(st.tuples(prices, decimals), max_size=4)


def change(first, last, bids, asks, **more):
    head = {"e": "depthUpdate", "E": 1_700_000_000_000, "s": "X", "U": first, "u": last}
    return {**head, **more, "b": bids, "a": asks}


def text(frame, *, stream=True, stamp=""):
    outside = {"stream": "x@depth@100ms", "data": frame} if stream else frame
    return (stamp + json.dumps(outside, separators=(",", ":"))).encode()


@settings(max_examples=200, deadline=None)
@given(levels, levels, st.booleans(), st.sampled_from(["", "1723161253937085768 "]))
def test_it_reads_what_json_reads(bids, asks, stream, stamp):
    frame = change(5, 9, bids, asks, pu=4, T=1_700_000_000_001)
    told = DepthFrames.read(text(frame, stream=stream, stamp=stamp), "0.01")
    assert told.frames.tolist() == [[1, 1_700_000_000_001, 5, 9, 4, len(bids) + len(asks)]]
    assert told.sides.tolist() == [1] * len(bids) + [-1] * len(asks)
    assert told.ticks.tolist() == [int(p.replace(".", "")) // 10**6 for p, _ in bids + asks]
    assert told.sizes.tolist() == [float(q) for _, q in bids + asks]


def test_a_snapshot_and_what_is_no_depth():
    lines = [
        b'1 {"stream":"x@trade","data":{"e":"trade","E":1,"s":"X","p":"1","q":"2","m":true}}',
        b'{"stream":"x@bookTicker","data":{"u":9,"s":"X","b":"1","B":"2","a":"3","A":"4"}}',
        b'{"e":"kline","k":{"a":[1,2,{"b":[]}],"x":"}"}}',
        b'{"result":null,"id":1}',
        b"",
        b'2 {"lastUpdateId":7,"E":1,"T":2,"bids":[["9.9","1"],["9.8","2"]],"asks":[]}',
    ]
    told = DepthFrames.read(b"\n".join(lines), "0.1")
    assert told.frames[:, 0].tolist() == [0, 0, 0, 0, 2]
    assert told.frames[-1, 1:].tolist() == [2, 7, 7, -1, 2]
    assert told.refused == {}


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        (lambda t: t[:-1], "malformed"),
        (lambda t: t[:-2], "malformed"),
        (lambda t: t[: len(t) // 2], "malformed"),
        (lambda t: t + b"}", "malformed"),
        (lambda t: t.replace(b'"U":5,', b""), "malformed"),
        (lambda t: t.replace(b'"U":5', b'"U":"5"'), "malformed"),
        (lambda t: t.replace(b'"u":9', b'"u":3'), "malformed"),
        (lambda t: t.replace(b'"a":[]', b'"a":[[]]'), "malformed"),
        (lambda t: t.replace(b'["9.9"', b"[9.9"), "malformed"),
        (lambda t: t.replace(b'"9.9"', b'"-9.9"'), "malformed"),
        (lambda t: t.replace(b'"9.9"', b'"NaN"'), "malformed"),
        (lambda t: t.replace(b'"9.9"', b'"9.95"'), "price"),
        (lambda t: t.replace(b'"9.9"', b'"0.0"'), "price"),
        (lambda t: t.replace(b'"9.9"', b'"999999999999"'), "price"),
        (lambda t: t.replace(b'"1.5"', b'"-1.5"'), "size"),
        (lambda t: t.replace(b'"1.5"', b'"inf"'), "size"),
        (lambda t: t.replace(b'"1.5"', b'""'), "size"),
    ],
)
def test_a_spoilt_frame_is_refused_and_the_next_one_read(spoilt, reason):
    good = text(change(5, 9, [("9.9", "1.5")], []))
    told = DepthFrames.read(spoilt(good) + b"\n" + good, "0.1")
    assert told.refused == {reason: 1}
    assert told.frames[1].tolist() == [1, 1_700_000_000_000, 5, 9, -1, 1]
    assert told.ticks.tolist() == [99]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 200), st.integers(0, 200))
def test_nothing_in_it_breaks_the_reader(noise, at, cut):
    good = text(change(5, 9, [("9.9", "1.5"), ("9.8", "0")], [("10.0", "3")]))
    told = DepthFrames.read(good[:at] + noise + good[at + cut :], "0.1")
    assert told.frames[:, 5].tolist() == sorted(told.frames[:, 5])
    assert len(told.ticks) == (told.frames[-1, 5] if len(told.frames) else 0)
    assert (told.ticks > 0).all()
    assert np.isfinite(told.sizes).all()


def test_a_rebuild_starts_again_after_a_loss():
    def lines(*frames):
        return DepthFrames.read(b"\n".join(text(one, stream=False) for one in frames), "0.1")

    first = {"lastUpdateId": 7, "bids": [["9.9", "1"]], "asks": [["10.1", "1"]]}
    early, one, two = (
        change(5, 8, [("9.8", "2")], []),
        change(9, 10, [("9.9", "0")], []),
        change(14, 15, [], [("10.0", "4")]),
    )
    book = Book("X", "0.1")
    numbers, tops = rebuild(lines(early, first, one), book, "spot")
    assert numbers.tolist() == [7, 8, 10]
    assert tops.tolist() == [[9.9, 1, 10.1, 1], [9.9, 1, 10.1, 1], [9.8, 2, 10.1, 1]]
    with pytest.raises(DataError, match="no snapshot follows"):
        rebuild(lines(early, first, one, two), book, "spot")
    assert book.best_bid == 9.8
    second = {**first, "lastUpdateId": 13}
    numbers, tops = rebuild(lines(early, first, one, two, second), book, "spot")
    assert (numbers.tolist(), book.best_ask, book.last) == ([13, 15], 10.0, 15)
    with pytest.raises(DataError, match="no snapshot follows"):
        rebuild(DepthFrames.read(b"", "0.1"), book, "spot")


def test_recorded_frames_give_the_venues_own_quotes(data_folder):
    for path in sorted((data_folder / "binance_l2_raw").glob("*.gz")):
        with gzip.open(path) as lines:
            data = lines.read()
        market = path.name.split("_")[0]
        book = Book("X", "0.1" if market == "usdm" else "0.01")
        told = DepthFrames.read(data, book.price(1))
        assert told.refused == {}
        numbers, tops = rebuild(told, book, market)
        quotes = dict(zip(numbers.tolist(), tops.tolist(), strict=True))
        compared = 0
        for line in data.splitlines():
            if b"@bookTicker" in line:
                ticker = json.loads(line.partition(b" ")[2])["data"]
                if ticker["u"] in quotes:
                    assert quotes[ticker["u"]] == [float(ticker[key]) for key in "bBaA"]
                    compared += 1
        assert compared > 300
        assert (tops[:, 0] < tops[:, 2]).all()
