"""Deriv's frames: what is well formed is read exactly, what is not is refused."""

from __future__ import annotations

import json
import os
from math import inf, isnan, nan
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import DataError
from market.events import SECOND, Tick
from venues.deriv.codec import decode_history, decode_tick, history_request
from venues.deriv.dialect import normalised
from venues.deriv.listings import Listing, decode_listings, listings_request
from venues.deriv.wire import _whole

SCHEMAS = Path(os.environ.get("PREGAO_DATA", "../shared/data")) / "deriv_schemas"
REAL = (
    '{"echo_req":{"req_id":3,"subscribe":1,"ticks":"BOOM600"},"msg_type":"tick","req_id":3,'
    '"subscription":{"id":"f6963a3b-d52c-f7ef-f203-7881e4ec022e"},"tick":{"ask":5116.02,'
    '"bid":5115.951,"epoch":1791372970,"id":"f6963a3b-d52c-f7ef-f203-7881e4ec022e",'
    '"pip_size":3,"quote":5115.985,"symbol":"BOOM600"}}'
)

prices = st.floats(min_value=1e-9, max_value=1e12)
epochs = st.integers(1, 2**33 - 1)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def tick_frame(**changed: Any) -> dict[str, Any]:
    return {"tick": {"epoch": 7, "quote": 10.5, "symbol": "R_75"} | changed}


def history_frame(times: Any, quotes: Any) -> dict[str, Any]:
    return {"history": {"times": times, "prices": quotes}}


def test_a_frame_captured_from_the_venue() -> None:
    tick = decode_tick(json.loads(REAL), "BOOM600")
    assert tick == Tick("BOOM600", 1791372970 * SECOND, 5115.985, 5115.951, 5116.02)


@given(epoch=epochs, quote=prices)
def test_a_tick_survives_the_wire_exactly(epoch: int, quote: float) -> None:
    frame = json.loads(json.dumps(tick_frame(epoch=epoch, quote=quote)))
    tick = decode_tick(frame, "R_75")
    assert (tick.time, tick.price) == (epoch * SECOND, quote)
    assert isnan(tick.bid)
    assert isnan(tick.ask)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"quote": nan}, "quote must be positive and finite, was nan"),
        ({"quote": inf}, "quote must be positive and finite, was inf"),
        ({"quote": 10**400}, "quote must be positive and finite, was inf"),
        ({"quote": -1.0}, "quote must be positive and finite, was -1.0"),
        ({"quote": 0}, "quote must be positive and finite, was 0"),
        ({"quote": None}, "quote must be a number, was None"),
        ({"quote": "10.5"}, "quote must be a number, was '10.5'"),
        ({"quote": True}, "quote must be a number, was True"),
        ({"bid": -1}, "bid must be positive"),
        ({"epoch": 1.5}, "time must be epoch seconds, was 1.5"),
        ({"epoch": -5}, "time must be epoch seconds, was -5"),
        ({"epoch": 1_700_000_000_000}, "time must be epoch seconds"),
        ({"symbol": "R_100"}, "got a tick of 'R_100'"),
    ],
)
def test_a_tick_that_is_none_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        decode_tick(tick_frame(**changed), "R_75")


@given(frame=st.fixed_dictionaries({}, optional={"tick": junk, "history": junk}))
def test_junk_raises_our_own_error_and_no_other(frame: dict[str, Any]) -> None:
    for decode in (decode_tick, decode_history):
        try:
            decode(frame, "R_75")
        except DataError:
            continue


@given(body=st.fixed_dictionaries({"times": junk, "prices": junk}))
def test_junk_in_a_history_raises_our_own_error(body: dict[str, Any]) -> None:
    try:
        times, prices = decode_history({"history": body}, "R_75")
    except DataError:
        return
    # What was taken was no junk: numbers that happen to make a history.
    assert [time // SECOND for time in times.tolist()] == sorted(set(body["times"]))
    assert np.isfinite(prices).all()
    assert (prices > 0.0).all()


@given(st.lists(st.tuples(epochs, prices), max_size=30))
def test_a_history_is_read_exactly_with_the_first_tick_of_each_second(
    ticks: list[tuple[int, float]],
) -> None:
    ticks.sort(key=lambda tick: tick[0])
    times, quotes = decode_history(
        history_frame([epoch for epoch, _ in ticks], [quote for _, quote in ticks]), "R_75"
    )
    first: dict[int, float] = {}
    for epoch, quote in ticks:
        first.setdefault(epoch, quote)
    assert (times // SECOND).tolist() == list(first)
    assert quotes.tolist() == list(first.values())
    assert (np.diff(times) > 0).all()


def test_a_history_that_runs_backwards_is_refused() -> None:
    with pytest.raises(DataError, match="entry 2 is at 4 after 6"):
        decode_history(history_frame([2, 6, 4], [1.0, 1.0, 1.0]), "R_75")
    with pytest.raises(DataError, match="as many"):
        decode_history(history_frame([2, 6], [1.0]), "R_75")


def test_listings_of_both_dialects() -> None:
    v3 = {
        "symbol": "R_75", "display_name": "Volatility 75 Index", "market": "synthetic_index",
        "submarket": "random_index", "pip": 0.0001, "exchange_is_open": 1,
        "is_trading_suspended": 0,
    }  # fmt: skip
    options = {
        "underlying_symbol": "R_75", "underlying_symbol_name": "Volatility 75 Index",
        "market": "synthetic_index", "submarket": "random_index", "pip_size": 0.0001,
        "exchange_is_open": 1, "is_trading_suspended": 0,
    }  # fmt: skip
    wanted = (
        Listing("R_75", "Volatility 75 Index", "synthetic_index", "random_index", 0.0001, True),
    )
    assert decode_listings({"active_symbols": [v3]}) == wanted
    newer = normalised({"msg_type": "active_symbols", "active_symbols": [options]})
    assert decode_listings(newer) == wanted
    assert not decode_listings({"active_symbols": [v3 | {"is_trading_suspended": 1}]})[0].open
    for entries in (None, [3], [{}], [v3 | {"pip": 0}]):
        with pytest.raises(DataError):
            decode_listings({"active_symbols": entries})


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"no schemas at {SCHEMAS} (PREGAO_DATA)")
@given(
    count=st.integers(1, 5000),
    start=st.none() | st.integers(0, 10**18),
    end=st.none() | st.integers(0, 10**18),
    subscribe=st.booleans(),
)
def test_requests_are_what_the_venue_accepts(
    count: int, start: int | None, end: int | None, subscribe: bool
) -> None:
    request = history_request("R_75", count=count, start=start, end=end, subscribe=subscribe)
    _accepts("ticks_history", request | {"req_id": 1})
    _accepts("active_symbols", listings_request() | {"req_id": 2})


def _accepts(call: str, request: dict[str, Any]) -> None:
    schema = json.loads((SCHEMAS / "v3" / call / "send.json").read_text())
    jsonschema.Draft4Validator(schema).validate(request)
    newer = json.loads((SCHEMAS / "options_v1" / f"{call}_request.schema.json").read_text())
    jsonschema.validate(request, newer)


@pytest.mark.parametrize(
    "frame",
    ['{"tick": ', "[]", "null", '{"req_id": 1}', '{"msg_type": 5}', "[" * 5000,
     '{"msg_type": "tick", "error": "no"}'],
)  # fmt: skip
def test_frames_the_library_dies_of_don_t_reach_it(frame: str) -> None:
    assert _whole(frame) is None
    assert _whole(frame.encode()) is None


def test_frames_it_survives_are_not_touched() -> None:
    assert _whole(REAL) is not None
    assert json.loads(_whole(REAL) or "") == json.loads(REAL)
    assert _whole(b"\xff\xfe") is None
