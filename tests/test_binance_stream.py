"""Trades, quotes and books from Binance: each once, in order, whatever the connection does."""

import asyncio
import json
from collections import defaultdict

import msgspec
import numpy as np
import pytest

from market.errors import ConfigError
from market.events import Bar, BookUpdate, FeedGap, Tick, Trade
from tests.binance_venue import SYMBOL, T0, rng, taking, venue
from venues.base import FeedStats, MarketStream
from venues.binance import BinanceRest, BinanceStream, trades
from venues.binance.limits import Limits
from venues.binance.line import Line, Opened
from venues.binance.socket import Arrival
from venues.binance.trades import TradeTrack

AGG, SINGLE, QUOTE, BOOK = (
    f"btcusdt@{name}" for name in ("aggTrade", "trade", "bookTicker", "depth@100ms")
)
CLOCK = 1_800_000_000_000_000_000


def stream(config, *kinds, clock=lambda: CLOCK):
    return BinanceStream(config, SYMBOL, kinds, rng(), clock=clock)


def ids(events):
    return [event.id for event in events if isinstance(event, Trade)]


def ns(number):
    return (T0 + number) * 1_000_000


def quote(number, bid="10", ask="11", **more):
    return {"u": number, "s": SYMBOL, "b": bid, "B": "1", "a": ask, "A": "2", **more}


def change(first, last, at=None, previous=None):
    made = {"e": "depthUpdate", "E": T0 + (last if at is None else at), "s": SYMBOL, "U": first,
            "u": last, "b": [["10.0", "3"]], "a": [["11.0", "0"]]}  # fmt: skip
    return made if previous is None else made | {"pu": previous, "T": made["E"]}


async def carried(made, n=1):
    await made.until(lambda: len(made.sockets) >= n)


async def test_trades_that_were_missed_are_fetched_by_their_numbers():
    async with venue(page=10) as (made, config), taking(stream(config, "trades")) as got:
        assert isinstance(got.source, MarketStream)
        await carried(made)
        await made.push(AGG, made.trade(7))
        assert await got.have(1) == [Trade(SYMBOL, ns(7), 10.5, 1.0, 1, 7)]
        for number in range(8, 40):
            made.trade(number)
        await made.push(AGG, made.trade(40))
        assert ids(await got.have(34)) == list(range(7, 41))
        made.trade(41)
        await made.drop()
        await carried(made)
        assert ids(await got.have(35)) == list(range(7, 42))
        assert got.live == [True] + [False] * 32 + [True, False]
        assert got.source.stats.filled == 33
        assert got.source.stats.gaps == 0


async def test_trades_begin_after_the_time_that_was_seen():
    async with venue(page=10) as (made, config):
        for number in range(50):
            made.trade(number)
        async with taking(stream(config, "trades"), after=ns(12)) as got:
            assert ids(await got.have(37)) == list(range(13, 50))
            await carried(made)
            await made.push(AGG, made.trade(50))
            assert ids(await got.have(38))[-1] == 50


async def test_nothing_new_since_the_time_that_was_seen_is_no_gap():
    async with venue() as (made, config):
        for number in range(5):
            made.trade(number)
        async with taking(stream(config, "trades"), after=ns(4)) as got:
            await carried(made)
            await made.push(AGG, made.trade(5))
            assert await got.have(1) == [Trade(SYMBOL, ns(5), 10.5, 1.0, 1, 5)]


async def test_history_that_can_not_be_read_is_counted_and_becomes_a_gap(monkeypatch):
    monkeypatch.setattr(trades, "_WAITS", (0.01,))
    async with venue() as (made, config), taking(stream(config, "trades")) as got:
        await carried(made)
        await made.push(AGG, made.trade(1))
        made.trade(2)
        made.answers = [(200, "[{", {})]
        await made.push(AGG, made.trade(3))
        assert ids(await got.have(3)) == [1, 2, 3]
        made.trade(4, price="NaN")
        await made.push(AGG, made.trade(5))
        assert (await got.have(5))[3] == FeedGap(SYMBOL, ns(5), ns(3), "trades")
        assert got.source.stats.reasons == {"malformed": 1, "price": 2}


async def test_trades_that_the_venue_lost_are_one_gap():
    async with venue() as (made, config), taking(stream(config, "trades")) as got:
        await carried(made)
        await made.push(AGG, made.trade(1))
        made.trade(4)
        await made.push(AGG, made.trade(5))
        events = await got.have(4)
        assert events[1] == FeedGap(SYMBOL, ns(4), ns(1), "trades")
        assert ids(events) == [1, 4, 5]


async def test_a_trade_that_comes_twice_or_late_counts_once():
    async with venue() as (made, config), taking(stream(config, "trades")) as got:
        await carried(made)
        for number in (1, 2, 2, 4, 3, 5):
            await made.push(AGG, made.trade(number, told=number not in made_already(made)))
        made.trades.sort(key=lambda row: row["a"])
        await got.until(lambda: ids(got.events)[-1:] == [5])
        assert ids(got.events) in ([1, 2, 3, 4, 5], [1, 2, 4, 5])
        assert got.source.stats.duplicates >= 1


def made_already(made):
    return {row["a"] for row in made.trades}


async def test_whatever_is_lost_doubled_or_late_each_trade_comes_once_or_is_in_a_gap(monkeypatch):
    monkeypatch.setattr(trades, "_WAITS", ())
    chance = np.random.default_rng(3)
    async with venue(page=10) as (made, config), BinanceRest(config, rng()) as rest:
        for _ in range(40):
            made.trades.clear()
            frames = {n: made.trade(n, told=chance.random() < 0.97) for n in range(1, 41)}
            known = {row["a"] for row in made.trades}
            order = [n for n in frames for _ in range(chance.choice([0, 1, 1, 1, 2]))]
            order = sorted(order, key=lambda n: n + chance.integers(0, 3))
            track = TradeTrack(rest, SYMBOL, False, 0, FeedStats())
            events = []
            for n in order:
                data = msgspec.Raw(json.dumps(frames[n]).encode())
                events += [event async for event in track.take(Arrival(AGG, data, 0), False)]
            numbers = ids(events)
            assert numbers == sorted(set(numbers))
            missing = set(range(numbers[0], numbers[-1])) - set(numbers)
            assert not missing & known
            gaps = [event for event in events if isinstance(event, FeedGap)]
            for gap in gaps:
                assert {n for n in missing if gap.start < ns(n) < gap.time}
            assert sum(ns(n) < gap.time for gap in gaps for n in missing) >= len(missing)


async def test_an_exchange_that_was_reset_counts_from_the_beginning_after_a_gap():
    async with venue() as (made, config), taking(stream(config, "trades")) as got:
        await carried(made)
        await made.push(AGG, made.trade(1000))
        late = made.trade(1) | {"T": T0 + 60_000}
        await made.push(AGG, late)
        events = await got.have(3)
        assert events[1] == FeedGap(SYMBOL, ns(60_000), ns(1000), "trades")
        assert ids(events) == [1000, 1]


async def test_single_trades_are_filled_from_the_latest_and_else_are_a_gap():
    async with venue(page=10) as (made, config), taking(stream(config, "single_trades")) as got:
        await carried(made)
        await made.push(SINGLE, made.single(1))
        made.single(2), made.single(4)  # 3 was no trade
        await made.push(SINGLE, made.single(5))
        assert ids(await got.have(4)) == [1, 2, 4, 5]
        assert got.source.stats.gaps == 0
        for number in range(6, 30):
            made.single(number)
        await made.push(SINGLE, made.single(30))
        await got.until(lambda: ids(got.events)[-1] == 30)
        gap = next(event for event in got.events if isinstance(event, FeedGap))
        assert gap == FeedGap(SYMBOL, ns(21), ns(5), "trades")
        assert ids(got.events)[4:] == list(range(21, 31))


async def test_a_transfer_among_futures_trades_is_no_trade_and_no_hole():
    async with venue("usdm") as (made, config), taking(stream(config, "single_trades")) as got:
        await carried(made)
        await made.push(SINGLE, made.single(1) | {"X": "MARKET"})
        await made.push(SINGLE, made.single(2, told=False) | {"X": "NA", "p": "0", "q": "0"})
        await made.push(SINGLE, made.single(3) | {"X": "MARKET"})
        assert ids(await got.have(2)) == [1, 3]
        assert got.source.stats.bad_frames == made.asked["trades"] == 0


async def test_spot_quotes_have_the_time_of_receipt_and_a_gap_after_a_lost_connection():
    async with venue() as (made, config), taking(stream(config, "quotes")) as got:
        await carried(made)
        await made.push(QUOTE, quote(1))
        await made.push(QUOTE, quote(1))
        await made.push(QUOTE, quote(2, "10.5"))
        assert await got.have(2) == [
            Tick(SYMBOL, CLOCK, 10.5, 10.0, 11.0),
            Tick(SYMBOL, CLOCK + 1, 10.75, 10.5, 11.0),
        ]
        assert got.source.stats.duplicates == 1
        await made.drop()
        await carried(made)
        await made.push(QUOTE, quote(9))
        events = await got.have(4)
        assert events[2] == FeedGap(SYMBOL, CLOCK + 2, CLOCK + 1)


async def test_futures_quotes_have_the_venues_time_and_come_over_their_own_door():
    async with venue("usdm") as (made, config):
        async with taking(stream(config, "quotes", "trades", "bars", "book")) as got:
            await carried(made, 2)
            await made.push(QUOTE, quote(1, T=T0, E=T0 + 1, e="bookTicker"))
            await made.push(QUOTE, quote(2, T=T0 - 5000, e="bookTicker"))
            assert await got.have(1) == [Tick(SYMBOL, ns(0), 10.5, 10.0, 11.0)]
            await made.push(QUOTE, quote(3, T=T0 + 7))
            assert (await got.have(2))[1].time == ns(7)
            assert got.source.stats.reasons == {"time": 1}
        doors = defaultdict(set)
        for path, call in made.messages:
            doors[path] |= set(call["params"])
        assert doors == {
            "/public/stream": {QUOTE, BOOK},
            "/market/stream": {AGG, "btcusdt@kline_1m"},
        }


@pytest.mark.parametrize(("bid", "ask"), [("0", "1"), ("NaN", "1"), ("2", "1"), ("-1", "1")])
async def test_quotes_that_are_none_are_refused(bid, ask):
    async with venue() as (made, config), taking(stream(config, "quotes")) as got:
        await carried(made)
        await made.push(QUOTE, quote(1, bid, ask))
        await made.push(QUOTE, quote(2))
        await got.have(1)
        assert got.source.stats.reasons == {"price": 1}


async def test_a_book_comes_whole_and_again_after_a_change_is_missing():
    async with venue() as (made, config), taking(stream(config, "book")) as got:
        await carried(made)
        await made.push(BOOK, change(99, 102))
        book, first = await got.have(2)
        assert book == BookUpdate(
            SYMBOL, ns(102), 100, 100, ((10.0, 1.0),), ((11.0, 2.0),), snapshot=True
        )
        assert (first.first, first.last, first.bids, first.asks) == (
            99, 102, ((10.0, 3.0),), ((11.0, 0.0),)
        )  # fmt: skip
        await made.push(BOOK, change(99, 102))
        await made.push(BOOK, change(103, 104))
        await got.have(3)
        assert got.source.stats.duplicates == 1
        await made.drop()  # which loses nothing if the next one follows
        await carried(made)
        await made.push(BOOK, change(105, 105))
        assert (await got.have(4))[-1].last == 105
        made.book["lastUpdateId"] = 120
        await made.push(BOOK, change(118, 121))
        gap, whole, rest = (await got.have(7))[4:]
        assert gap == FeedGap(SYMBOL, ns(121), ns(105), "book")
        assert (whole.snapshot, whole.last, rest.last) == (True, 120, 121)
        assert made.asked["depth"] == 2


async def test_a_book_older_than_its_changes_is_asked_for_again():
    async with venue() as (made, config), taking(stream(config, "book")) as got:
        await carried(made)
        await made.push(BOOK, change(150, 151))
        await made.until(lambda: made.asked["depth"] >= 2)
        made.book["lastUpdateId"] = 150
        assert [event.last for event in await got.have(2)] == [150, 151]
        assert got.source.stats.gaps == 0


async def test_a_futures_book_follows_the_number_before():
    async with venue("usdm") as (made, config), taking(stream(config, "book")) as got:
        await carried(made)
        await made.push(BOOK, change(90, 105, previous=80))
        await made.push(BOOK, change(110, 115, previous=105))
        assert [event.last for event in await got.have(3)] == [100, 105, 115]
        made.book["lastUpdateId"] = 130
        await made.push(BOOK, change(125, 135, previous=120))
        assert [type(event) for event in (await got.have(6))[3:]] == [
            FeedGap, BookUpdate, BookUpdate
        ]  # fmt: skip


async def test_all_kinds_over_one_socket_are_replaced_together_and_nothing_is_lost():
    kinds = ("trades", "quotes", "book", "bars")
    async with venue(lifetime=0.08) as (made, config), taking(stream(config, *kinds)) as got:
        number = 0
        while made.opened < 4:
            number += 1
            await carried(made)
            await made.push(AGG, made.trade(number))
            await made.push(QUOTE, quote(number))
            await made.push(BOOK, change(99 + number, 99 + number))
            await made.push("btcusdt@kline_1m", made.kline(number))
            await got.until(lambda n=number: ids(got.events)[-1:] == [n])
        bars = [event for event in got.events if isinstance(event, Bar)]
        await got.until(lambda: sum(isinstance(event, Bar) for event in got.events) == number)
        bars = [event for event in got.events if isinstance(event, Bar)]
        books = [event.last for event in got.events if isinstance(event, BookUpdate)]
        assert ids(got.events) == list(range(1, number + 1))
        assert len(bars) == len([e for e in got.events if isinstance(e, Tick)]) == number
        assert books == list(range(100, 100 + number))
        assert got.source.stats.gaps == got.source.stats.reconnects == 0
        assert got.source.renewals >= 2


async def test_a_connection_lost_before_the_new_one_listens_may_have_missed_something():
    async with venue(lifetime=1e-6) as (made, config):
        made.hold, out = asyncio.Event(), asyncio.Queue(1)
        line = Line(config, "market", [QUOTE], Limits(config), rng(), FeedStats(), int, out)
        task = asyncio.create_task(line.run())
        assert (await out.get()).lost
        await made.until(lambda: len(made.messages) == 2)
        (server,) = made.sockets
        for number in (1, 2, 3):
            await made.push(QUOTE, quote(number))
        await server.ping(b"all of it is read")
        await made.until(lambda: made.pongs)
        old, opening = line._socket, line._opening
        await made.drop()
        await old._reading
        # Its last quote is not taken yet: whoever follows is slow.
        assert old.waiting
        made.hold.set()
        await asyncio.wait({opening})
        told = [await out.get() for _ in range(4)]
        assert [type(one) for one in told] == [Arrival] * 3 + [Opened]
        assert told[3].lost
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_garbage_is_counted_and_the_connection_goes_on():
    async with venue() as (made, config), taking(stream(config, "trades")) as got:
        await carried(made)
        for text in ("{", "[1]", '{"stream": 5}', '{"stream":"btcusdt@nothing","data":{}}', "{}"):
            await made.say(text)
        await made.push(AGG, made.trade(1) | {"q": "-1"})
        await made.push(AGG, made.trade(2) | {"s": "ETHUSDT"})
        await made.push(AGG, made.trade(3))
        assert ids(await got.have(1)) == [3]
        assert got.source.stats.reasons == {"malformed": 4, "symbol": 2, "size": 1}
        assert made.opened == 1


async def test_requests_that_fail_are_made_again_and_the_event_waits():
    async with venue(attempts=1) as (made, config), taking(stream(config, "trades")) as got:
        await carried(made)
        await made.push(AGG, made.trade(1))
        await got.have(1)
        made.trade(2)
        made.answers = [(503, "", {}), (429, '{"code":-1003,"msg":"slow"}', {"Retry-After": "0"})]
        await made.push(AGG, made.trade(3))
        assert ids(await got.have(3)) == [1, 2, 3]


async def test_a_ban_is_sat_out_without_a_word_and_nothing_is_lost():
    async with venue() as (made, config), taking(stream(config, "trades")) as got:
        await carried(made)
        await made.push(AGG, made.trade(1))
        await got.have(1)
        made.trade(2)
        asked = made.asked.total()
        made.answers = [(418, '{"code":-1003,"msg":"banned"}', {"Retry-After": "1"})]
        loop = asyncio.get_running_loop()
        began = loop.time()
        await made.push(AGG, made.trade(3))
        await made.drop()
        assert ids(await got.have(3)) == [1, 2, 3]
        assert loop.time() - began >= 1.0
        assert (made.asked.total(), got.source.stats.gaps) == (asked + 2, 0)


def test_a_kind_that_does_not_exist_is_refused():
    from venues.binance import BinanceConfig

    with pytest.raises(ConfigError, match="kinds"):
        BinanceStream(BinanceConfig(), SYMBOL, ("candles",), rng())
