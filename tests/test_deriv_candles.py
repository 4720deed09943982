"""Candles as a feed: every bar once, whole, equal to the exchange's own, whatever breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import DataError, VenueRejected
from market.events import SECOND, Bar, Event, FeedGap
from market.tape import Tape
from tests.deriv_feeds import SYMBOL, exchange
from tests.test_deriv_codec import junk
from venues.base import Feed
from venues.deriv import DerivCandles, DerivConfig
from venues.deriv.candles import CandleKind, decode_candles, decode_ohlc
from venues.simulated.deriv.exchange import DerivExchange
from venues.simulated.deriv.fault import Fault

MINUTE = 60 * SECOND
GOOD = {
    "open_time": 120, "epoch": 130, "granularity": 60, "symbol": "R_75", "pip_size": 4,
    "open": "2.5", "high": "3.0", "low": "2.0", "close": 2.25,
}  # fmt: skip


@asynccontextmanager
async def candles(venue: DerivExchange, **changed: Any) -> AsyncIterator[DerivCandles]:
    config = DerivConfig(endpoint=venue.url, **({"backoff_first": 0.02} | changed))
    made = DerivCandles(config, SYMBOL, 60, np.random.default_rng(1))
    try:
        yield made
    finally:
        await made.close()


async def take(
    source: DerivCandles, after: int, n: int, each: Callable[[int], Any] | None = None
) -> list[Event]:
    taken: list[Event] = []
    async with asyncio.timeout(30):
        async for event in source.events(after):
            taken.append(event)
            if len(taken) >= n:
                break
            if each is not None:
                await each(len(taken))
    return taken


def bars(tape: Tape, after: int, n: int) -> list[Bar]:
    """What the ledger's ticks make of whole minutes."""
    closes = tape.times // MINUTE * MINUTE + MINUTE
    made = []
    for close in np.unique(closes)[:-1].tolist():
        prices = tape.close[closes == close]
        if close > after:
            made.append(
                Bar(SYMBOL, close, prices[0], prices.max(), prices.min(), prices[-1])
            )  # fmt: skip
    return made[:n]


def values(events: list[Any]) -> list[tuple[float, ...]]:
    return [(e.time, e.open, e.high, e.low, e.close) for e in events if isinstance(e, Bar)]


async def test_history_first_then_live_without_a_seam() -> None:
    async with exchange(speed=150.0) as venue, candles(venue) as source:
        assert isinstance(source, Feed)
        after = (venue.config.start_epoch - 300) * SECOND // MINUTE * MINUTE
        live: list[bool] = []

        async def note(_: int) -> None:
            live.append(source.live)

        events = await take(source, after, 9, note)
        assert values(events) == values(bars(venue.tape(SYMBOL), after, 9))
        assert not live[0]
        assert any(live)
        assert source.stats.filled == source.stats.gaps == source.stats.reconnects == 0


async def test_from_now_on_the_first_bar_is_whole() -> None:
    async with exchange(speed=150.0) as venue, candles(venue) as source:
        live: list[bool] = []

        async def note(_: int) -> None:
            live.append(source.live)

        events = await take(source, 0, 3, note)
        assert events[0].time > venue.config.start_epoch * SECOND
        assert values(events) == values(bars(venue.tape(SYMBOL), events[0].time - 1, 3))
        assert any(live)


async def test_history_of_any_length_holds_whole_candles_only() -> None:
    past = {"history_seconds": 700 * 60 + 30, "speed": 0.0}
    async with exchange(**past) as venue, candles(venue, page=100) as source:
        await venue.advance(5.0)
        whole = await source.history(SYMBOL, 0)
        told = bars(venue.tape(SYMBOL), 0, 10_000)
        assert whole.bars
        assert whole.times.tolist() == [bar.time for bar in told]
        assert whole.values[:, :4].tolist() == [list(row[1:]) for row in values(told)]
        few = await source.history(SYMBOL, 0, int(whole.times[-5]), 250)
        assert few.times.tolist() == whole.times[-254:-4].tolist()


async def test_a_candle_that_grows_is_no_history() -> None:
    async with exchange(speed=0.0, history_seconds=600) as venue, candles(venue) as source:
        await venue.advance(90.0)
        far = (venue.config.start_epoch + 600) * SECOND
        tape = await source.history(SYMBOL, 0, far)
        assert tape.times[-1] <= venue.now * SECOND


@pytest.mark.parametrize("skew", [-300.0, 300.0])
async def test_a_venue_s_wrong_clock_makes_no_candle_whole_and_hides_none(skew: float) -> None:
    wrong = (Fault(kind="skew", tick=1, seconds=skew),)
    past = {"speed": 0.0, "history_seconds": 600, "faults": wrong}
    async with exchange(**past) as venue, candles(venue) as source:
        await venue.advance(90.0)
        tape = await source.history(SYMBOL, 0)
        told = bars(venue.tape(SYMBOL), 0, 100)
        assert tape.times.tolist() == [bar.time for bar in told]
        assert tape.values[:, :4].tolist() == [list(row[1:]) for row in values(told)]


# Ticks 58 to 62 lie around a close: the exchange starts on a full minute.
FAULTS = {
    "last tick not streamed": (Fault(kind="gap", tick=59, count=1),),
    "ticks around a close": (Fault(kind="gap", tick=58, count=5),),
    "whole minutes": (Fault(kind="gap", tick=50, count=150),),
    "late last tick": (Fault(kind="late", tick=59),),
    "duplicates": (Fault(kind="duplicate", tick=57, count=6),),
    "drop": (Fault(kind="drop_all", tick=59),),
    "drops": tuple(Fault(kind="drop_all", tick=30 + 31 * k) for k in range(5)),
    "garbage for the last tick": (Fault(kind="garbage", tick=59), Fault(kind="gap", tick=59)),
    "corrupt": tuple(
        Fault(kind="corrupt", tick=55 + k, variant=variant)
        for k, variant in enumerate(("no_price", "nan", "negative", "symbol", "text_epoch", "past"))
    ),
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
async def test_no_bar_is_lost_doubled_or_wrong(faults: tuple[Fault, ...]) -> None:
    async with exchange(speed=800.0, faults=faults) as venue, candles(venue) as source:
        after = (venue.config.start_epoch - 180) * SECOND
        events = await take(source, after, 8)
        assert values(events) == values(bars(venue.tape(SYMBOL), after, 8))
        assert source.stats.gaps == 0


async def test_a_minute_nobody_has_is_told_once() -> None:
    lost = (Fault(kind="lost", tick=55, count=70),)
    async with exchange(speed=800.0, faults=lost) as venue, candles(venue) as source:
        after = venue.config.start_epoch * SECOND
        events = await take(source, after, 4)
        gaps = [event for event in events if isinstance(event, FeedGap)]
        assert gaps == [FeedGap(SYMBOL, after + 3 * MINUTE, after + MINUTE)]
        assert values(events) == values(bars(venue.tape(SYMBOL), after, 3))


async def test_a_quiet_market_is_no_lost_connection() -> None:
    quick = {"stale_least": 0.05, "stale_after": 0.1}
    async with exchange(speed=0.0) as venue, candles(venue, **quick) as source:
        first = asyncio.ensure_future(anext(source.events(0)))
        await asyncio.sleep(0.5)
        assert venue.connections == 1
        await venue.advance(61.0)
        bar = await asyncio.wait_for(first, 5)
        assert bar.time == venue.config.start_epoch * SECOND + MINUTE


def test_a_granularity_the_venue_has_not() -> None:
    with pytest.raises(ValueError, match=r"granularity must be one of \(60, .* was 61"):
        CandleKind("R_75", 61)


def test_a_candle_of_the_stream() -> None:
    candle = decode_ohlc({"ohlc": GOOD}, "R_75", 60)
    assert (candle.start, candle.time) == (120 * SECOND, 130 * SECOND)
    assert candle.prices == (2.5, 3.0, 2.0, 2.25)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"symbol": "R_100"}, "symbol"),
        ({"granularity": 120}, "malformed"),
        ({"open_time": 121}, "time"),
        ({"epoch": 180}, "time"),
        ({"epoch": "130"}, "time"),
        ({"open": "nan"}, "price"),
        ({"open": "1e999"}, "price"),
        ({"low": "-2"}, "price"),
        ({"low": None}, "price"),
        ({"high": "2.4"}, "price"),
        ({"close": "x" * 100}, "price"),
        ({"close": True}, "price"),
    ],
)
def test_a_candle_that_is_none_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(DataError) as caught:
        decode_ohlc({"ohlc": GOOD | changed}, "R_75", 60)
    assert caught.value.reason == reason


@given(
    changed=st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, junk)),
    row=st.fixed_dictionaries({}, optional=dict.fromkeys(["epoch", *GOOD], junk)),
    frame=junk,
)
def test_junk_raises_our_own_error_and_no_other(
    changed: dict[str, Any], row: dict[str, Any], frame: Any
) -> None:
    for told in ({"ohlc": GOOD | changed}, {"ohlc": frame}, frame):
        try:
            decode_ohlc(told, "R_75", 60)
        except DataError:
            continue
    for rows in ([row], frame, [frame]):
        try:
            decode_candles({"candles": rows}, "R_75", 60)
        except DataError:
            continue


async def test_what_the_venue_refuses_is_named() -> None:
    async with exchange() as venue, candles(venue) as source:
        with pytest.raises((VenueRejected, DataError), match="R_7500"):
            await source.history("R_7500", 0)
