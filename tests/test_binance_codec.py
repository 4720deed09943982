"""Binance's frames and answers: read as they are, and refused for what is wrong with them."""

import gzip
import json
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import DataError
from market.events import Bar, BookUpdate, Tick, Trade
from venues.binance.answers import (
    decode_agg_trades,
    decode_exchange,
    decode_klines,
    decode_snapshot,
    decode_time,
    decode_trades,
    decode_trouble,
)
from venues.binance.codec import (
    decode_agg_trade,
    decode_book,
    decode_frame,
    decode_kline,
    decode_quote,
    decode_trade,
)

S = "BTCUSDT"
MS = 1_700_000_040_000
NS = MS * 10**6
MINUTE = 60 * 10**9
AGG = {"e": "aggTrade", "E": MS, "s": S, "a": 7, "p": "10.5", "q": "2", "f": 1, "l": 2, "T": MS,
       "m": False, "M": True}  # fmt: skip
TRADE = {"e": "trade", "E": MS, "s": S, "t": 7, "p": "10.5", "q": "2", "T": MS, "m": True}
K = {"t": MS, "T": MS + 59_999, "s": S, "i": "1m", "f": 1, "L": 2, "o": "10", "c": "11",
     "h": "12", "l": "9", "v": "5", "n": 2, "x": True, "q": "50", "V": "3", "Q": "30"}  # fmt: skip
KLINE = {"e": "kline", "E": MS, "s": S, "k": K}
QUOTE = {"u": 5, "s": S, "b": "10", "B": "1", "a": "11", "A": "2"}
DEPTH = {"e": "depthUpdate", "E": MS, "s": S, "U": 1, "u": 3, "b": [["10", "1"]],
         "a": [["11", "0"]]}  # fmt: skip

ROW = [MS, "10", "12", "9", "11", "5", MS + 59_999, "50", 2, "3", "30", "0"]

STREAMS = {
    "agg": (lambda data: decode_agg_trade(data, S), AGG),
    "trade": (lambda data: decode_trade(data, S), TRADE),
    "kline": (lambda data: decode_kline(data, S, "1m", MINUTE), KLINE),
    "quote": (lambda data: decode_quote(data, S, 5), QUOTE),
    "book": (lambda data: decode_book(data, S), DEPTH),
    "frame": (decode_frame, {"stream": "a@b", "data": {}}),
}
ANSWERS = {
    "klines": (lambda data: decode_klines(data, S, MINUTE), [ROW]),
    "aggs": (lambda data: decode_agg_trades(data, S), [AGG]),
    "trades": (
        lambda data: decode_trades(data, S),
        [{"id": 1, "price": "1", "qty": "2", "time": MS, "isBuyerMaker": True}],
    ),
    "depth": (
        lambda data: decode_snapshot(data, S, 5),
        {"lastUpdateId": 9, "bids": [["10", "1"]], "asks": []},
    ),
    "exchange": (
        decode_exchange,
        {"symbols": [{"symbol": S, "status": "TRADING"}], "rateLimits": []},
    ),
    "time": (decode_time, {"serverTime": MS}),
    "trouble": (decode_trouble, {"code": -1003, "msg": "x"}),
}
ALL = STREAMS | ANSWERS


def raw(value):
    return json.dumps(value).encode()


def test_events_are_read_as_they_are():
    assert decode_agg_trade(raw(AGG), S) == Trade(S, NS, 10.5, 2.0, 1, 7)
    assert decode_trade(raw(TRADE), S) == Trade(S, NS, 10.5, 2.0, -1, 7)
    bar = Bar(S, NS + MINUTE, 10.0, 12.0, 9.0, 11.0, 5.0, 2.0, 3.0)
    assert decode_kline(raw(KLINE), S, "1m", MINUTE) == (bar, True)
    assert decode_quote(raw(QUOTE), S, 5) == (Tick(S, 5, 10.5, 10.0, 11.0), 5)
    book = BookUpdate(S, NS, 1, 3, ((10.0, 1.0),), ((11.0, 0.0),))
    assert decode_book(raw(DEPTH), S) == book
    assert decode_book(raw(DEPTH | {"pu": 0, "T": MS + 1}), S).previous == 0
    assert decode_klines(raw([ROW]), S, MINUTE) == [bar]
    assert decode_agg_trades(raw([AGG]), S) == [Trade(S, NS, 10.5, 2.0, 1, 7)]
    assert decode_snapshot(raw({"lastUpdateId": 9, "bids": [], "asks": []}), S, 5) == BookUpdate(
        S, 5, 9, 9, (), (), snapshot=True
    )


def test_microseconds_are_told_by_their_length():
    micro = AGG | {"T": MS * 1000 + 5}
    assert decode_agg_trade(raw(micro), S).time == NS + 5000
    k = K | {"t": MS * 1000, "T": (MS + 60_000) * 1000 - 1}
    assert decode_kline(raw(KLINE | {"k": k}), S, "1m", MINUTE)[0].time == NS + MINUTE


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("agg", {"p": "NaN"}, "price"),
        ("agg", {"p": "-1"}, "price"),
        ("agg", {"p": "Infinity"}, "price"),
        ("agg", {"q": "0"}, "size"),
        ("agg", {"q": "nan"}, "size"),
        ("agg", {"q": "-2"}, "size"),
        ("agg", {"T": 5}, "time"),
        ("agg", {"T": -5}, "time"),
        ("agg", {"T": 10**14}, "time"),
        ("agg", {"T": 10**18}, "time"),
        ("agg", {"s": "ETHUSDT"}, "symbol"),
        ("agg", {"a": -1}, "malformed"),
        ("agg", {"a": None}, "malformed"),
        ("agg", {"e": "trade"}, "malformed"),
        ("agg", {"m": "yes"}, "malformed"),
        ("agg", {"p": "1 "}, "malformed"),
        ("agg", {"p": [1]}, "malformed"),
        ("trade", {"p": "0"}, "price"),
        ("trade", {"q": "0"}, "size"),
        ("quote", {"a": "10"}, "price"),
        ("quote", {"B": "-1"}, "size"),
        ("quote", {"u": "x"}, "malformed"),
        ("book", {"b": [["0", "1"]]}, "price"),
        ("book", {"b": [["1", "-1"]]}, "size"),
        ("book", {"b": [["1"]]}, "malformed"),
        ("book", {"u": 0}, "malformed"),
    ],
)
def test_what_is_wrong_is_said(name, change, reason):
    read, good = STREAMS[name]
    read(raw(good))
    with pytest.raises(DataError) as caught:
        read(raw(good | change))
    assert caught.value.reason == reason


def test_answers_must_run_forwards():
    with pytest.raises(DataError, match="forwards"):
        decode_klines(raw([ROW, ROW]), S, MINUTE)
    with pytest.raises(DataError, match="follows"):
        decode_agg_trades(raw([AGG, AGG]), S)


def test_listings_and_limits():
    found = decode_exchange(
        raw(
            {
                "rateLimits": [
                    {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5,
                     "limit": 61000},
                    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
                     "limit": 2400},
                ],
                "symbols": [
                    {"symbol": S, "status": "BREAK", "baseAsset": "BTC", "quoteAsset": "USDT",
                     "filters": [
                        {"filterType": "PRICE_FILTER", "tickSize": "0.01"},
                        {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.002",
                         "maxQty": "9000"},
                        {"filterType": "NOTIONAL", "minNotional": "5"},
                        {"filterType": "NEW_ONE"},
                     ]},
                ],
            }
        )
    )  # fmt: skip
    one = found.listings[S]
    assert found.weight == 2400
    assert (one.base, one.quote, one.open) == ("BTC", "USDT", False)
    assert (one.tick, one.lot, one.least, one.most, one.value) == (0.01, 0.001, 0.002, 9000.0, 5.0)


def test_frames_are_told_apart():
    assert decode_frame('{"result":null,"id":3}').id == 3
    assert decode_frame('{"code":2,"msg":"Invalid request"}').trouble.code == 2
    assert decode_frame('{"error":{"code":3,"msg":"no"},"id":"x"}').trouble.msg == "no"
    for text in (
        '{"e":"serverShutdown","E":1}',
        '{"event":{"e":"serverShutdown","E":1}}',
        '{"stream":"!serverShutdown","data":{"e":"serverShutdown"}}',
    ):
        assert decode_frame(text).shutdown
    assert not decode_frame(raw({"stream": "btcusdt@trade", "data": TRADE})).shutdown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(ALL)), st.binary(max_size=80) | st.text(max_size=80) | JSON)
def test_nothing_breaks_the_decoders(name, value):
    read, _ = ALL[name]
    data = value if isinstance(value, bytes | str) else json.dumps(value).encode()
    with suppress(DataError):
        read(data)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(sorted(ALL)), st.data())
def test_one_thing_changed_is_read_or_refused(name, data):
    read, good = ALL[name]
    changed = json.loads(json.dumps(good))
    places = []

    def walk(inside):
        keys = inside if isinstance(inside, dict) else range(len(inside))
        for key in keys:
            places.append((inside, key))
            if isinstance(inside[key], dict | list):
                walk(inside[key])

    walk(changed)
    inside, key = data.draw(st.sampled_from(range(len(places))).map(lambda i: places[i]))
    value = data.draw(JSON | st.floats().map(str) | st.integers().map(str))
    inside[key] = value
    try:
        found = read(raw(changed))
    except DataError:
        return
    for event in found if isinstance(found, list | tuple) else [found]:
        if isinstance(event, Trade):
            assert 0 < event.price < 1e16
            assert 0 < event.size < 1e19
            assert 0 < event.time < 2**63
        if isinstance(event, Bar):
            assert 0 < event.low <= min(event.open, event.close) <= event.high < 1e16
            assert event.volume >= 0 <= event.buy_volume
        if isinstance(event, Tick):
            assert 0 < event.bid < event.price < event.ask
        if isinstance(event, BookUpdate):
            assert 0 <= event.first <= event.last < 2**63
            assert all(p > 0 <= size for p, size in (*event.bids, *event.asks))


def test_deep_nesting_is_refused():
    for read, _ in ALL.values():
        try:
            read(b'{"data":' * 100_000)
        except DataError:
            continue
        assert read is decode_trouble


@pytest.mark.parametrize("name", ["spot_btcusdt", "spot_ethusdt", "usdm_btcusdt"])
def test_recorded_frames_are_all_read(data_folder, name):
    symbol = name.split("_")[1].upper()
    (path,) = (data_folder / "binance_l2_raw").glob(f"{name}_*.gz")
    seen, numbers = Counter(), {}
    with gzip.open(path) as lines:
        for line in lines:
            receipt, _, data = line.partition(b" ")
            if b'"lastUpdateId"' in data[:20]:
                assert len(decode_snapshot(data, symbol, int(receipt)).bids) == 1000
                continue
            frame = decode_frame(data)
            kind = frame.stream.split("@")[1]
            seen[kind] += 1
            if kind == "trade":
                number = decode_trade(frame.data, symbol).id
                assert number == numbers.get(kind, number - 1) + 1
            elif kind == "bookTicker":
                _, number = decode_quote(frame.data, symbol, int(receipt))
                assert number > numbers.get(kind, 0)
            else:
                number = decode_book(frame.data, symbol).last
            numbers[kind] = number
    assert set(seen) == {"trade", "bookTicker", "depth"}
    assert min(seen.values()) > 3000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"b": "0"}, "b must be above 0"),
        ({"b": [1]}, "b must be a number, was a list"),
        ({"B": "-1"}, "B must be at least 0"),
        ({"b": "1e16"}, "b must be at most 1e+15"),
        ({"E": 1}, f"E must be at least {10**12}"),
        ({"u": None}, "u must be a whole number, was null"),
        ({"s": 3}, "s must be text, was a whole number"),
    ],
)
def test_what_is_wrong_is_said_in_our_words(change, said):
    with pytest.raises(DataError) as caught:
        decode_quote(json.dumps(QUOTE | change).encode(), S, 5)
    assert str(caught.value) == f"{S}: {said}"
    with pytest.raises(DataError, match=rf"^{S}: u is missing$"):
        decode_quote(b"{}", S, 5)
    with pytest.raises(DataError, match=rf"^{S}: b\[1\]\[1\] must be at least 0$"):
        decode_book(json.dumps(DEPTH | {"b": [["1", "2"], ["1", "-2"]]}).encode(), S)
