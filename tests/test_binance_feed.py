"""Bars from Binance: each once, in order, whatever the connection does."""

import pytest

from market.errors import ConfigError, VenueRejected
from market.events import Bar, FeedGap
from tests.binance_venue import MINUTE, SYMBOL, T0, rng, taking, venue
from venues.base import Feed
from venues.binance import BinanceFeed

STREAM = "btcusdt@kline_1m"


def close(number):
    return (T0 + (number + 1) * MINUTE) * 1_000_000


def numbers(events):
    """Return the minutes of bars, negative where a gap precedes."""
    assert all(isinstance(event, Bar | FeedGap) for event in events)
    return [
        (event.time - T0 * 1_000_000) // (MINUTE * 1_000_000) - 1
        for event in events
        if isinstance(event, Bar)
    ]


def feed(config, **changed):
    return BinanceFeed(config, SYMBOL, "1m", rng(), **changed)


async def carried(made, n=1):
    await made.until(lambda: len(made.sockets) >= n)


async def test_only_closed_bars_come_and_at_their_close():
    async with venue() as (made, config), taking(feed(config)) as got:
        assert isinstance(got.source, Feed)
        await carried(made)
        await made.push(STREAM, made.kline(0, closed=False, told=False))
        await made.push(STREAM, made.kline(0))
        assert await got.have(1) == [
            Bar(SYMBOL, close(0), 100.0, 200.0, 50.0, 100.0, 7.0, 3.0, 4.0)
        ]
        assert got.live == [True]


async def test_history_comes_first_then_the_stream_and_the_growing_bar_never():
    async with venue() as (made, config):
        for number in range(25):
            made.kline(number)
        made.kline(25, closed=False)  # grows
        small = config.model_copy(update={"page": 10})
        async with taking(feed(small), after=close(2)) as got:
            await got.have(22)
            await carried(made)
            made.klines.pop()
            await made.push(STREAM, made.kline(25))
            assert numbers(await got.have(23)) == list(range(3, 26))
            assert got.live == [False] * 22 + [True]


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_what_a_lost_connection_missed_is_fetched(market):
    async with venue(market) as (made, config), taking(feed(config)) as got:
        await carried(made)
        await made.push(STREAM, made.kline(0))
        await got.have(1)
        made.kline(1), made.kline(2), made.kline(3, closed=False)
        await made.drop()
        await carried(made)
        assert numbers(await got.have(3)) == [0, 1, 2]
        made.klines.pop()
        await made.push(STREAM, made.kline(3))
        assert numbers(await got.have(4)) == [0, 1, 2, 3]
        assert got.live == [True, False, False, True]
        assert (got.source.stats.reconnects, got.source.stats.filled) == (1, 2)


async def test_a_closed_bar_that_was_not_told_is_fetched_when_the_next_begins():
    async with venue() as (made, config), taking(feed(config)) as got:
        await carried(made)
        await made.push(STREAM, made.kline(0))
        made.kline(1)
        await made.push(STREAM, made.kline(2, closed=False))
        assert numbers(await got.have(2)) == [0, 1]


async def test_bars_that_the_venue_does_not_have_are_one_gap():
    async with venue() as (made, config), taking(feed(config)) as got:
        await carried(made)
        await made.push(STREAM, made.kline(0))
        for _ in range(5):
            await made.push(STREAM, made.kline(4, closed=False, told=False))
        await made.push(STREAM, made.kline(4))
        events = await got.have(3)
        assert events[1] == FeedGap(SYMBOL, close(4), close(0))
        assert got.source.stats.gaps == 1
        assert made.asked["klines"] == 2


async def test_bars_that_can_not_be_read_are_counted_and_become_a_gap():
    async with venue() as (made, config), taking(feed(config)) as got:
        await carried(made)
        await made.push(STREAM, made.kline(0))
        made.kline(1)
        made.klines[-1][4] = "NaN"
        await made.push(STREAM, made.kline(2))
        assert (await got.have(3))[1] == FeedGap(SYMBOL, close(2), close(0))
        assert got.source.stats.reasons == {"price": 1}


async def test_a_bar_that_comes_twice_counts_once():
    async with venue() as (made, config), taking(feed(config)) as got:
        await carried(made)
        for number in (0, 0, 1):
            await made.push(STREAM, made.kline(number))
        assert numbers(await got.have(2)) == [0, 1]
        assert got.source.stats.duplicates == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"c": "NaN"}, "price"),
        ({"h": "1"}, "price"),
        ({"v": "-1"}, "size"),
        ({"t": 5}, "time"),
        ({"T": T0}, "time"),
        ({"i": "5m"}, "malformed"),
        ({"x": "perhaps"}, "malformed"),
    ],
)
async def test_a_bad_bar_is_refused_and_fetched_as_soon_as_another_begins(change, reason):
    async with venue() as (made, config), taking(feed(config)) as got:
        await carried(made)
        await made.push(STREAM, made.kline(0))
        bad = made.kline(1)
        bad["k"] |= change
        await made.push(STREAM, bad)
        await made.push(STREAM, made.kline(2))
        assert numbers(await got.have(3)) == [0, 1, 2]
        assert got.source.stats.reasons == {reason: 1}


async def test_a_connection_is_replaced_before_its_time_without_a_hole():
    async with venue(lifetime=0.1) as (made, config), taking(feed(config)) as got:
        for number in range(10_000):
            await carried(made)
            await made.push(STREAM, made.kline(number))
            await got.until(lambda n=number: len(got.events) > n)
            if made.opened > 3:
                break
        assert numbers(got.events) == list(range(number + 1))
        assert got.source.renewals >= 2
        assert got.source.stats.reconnects == got.source.stats.gaps == 0


async def test_a_shutdown_that_is_announced_leads_to_a_new_connection_first():
    async with venue() as (made, config), taking(feed(config)) as got:
        await carried(made)
        await made.push(STREAM, made.kline(0))
        await made.say('{"e":"serverShutdown","E":1770123456789}')
        await carried(made, 2)
        await made.until(lambda: len(made.sockets) == 1)
        await made.push(STREAM, made.kline(1))
        assert numbers(await got.have(2)) == [0, 1]
        assert (got.source.renewals, got.source.stats.reconnects) == (1, 0)


async def test_a_connection_that_falls_silent_is_replaced_and_what_it_missed_fetched():
    async with venue(stale_after=0.3) as (made, config), taking(feed(config)) as got:
        await carried(made)
        await made.push(STREAM, made.kline(0))
        await got.have(1)
        old = set(made.sockets)
        for streams in made.sockets.values():
            streams.clear()
        made.kline(1), made.kline(2, closed=False)
        await made.until(lambda: set(made.sockets) - old)
        assert numbers(await got.have(2)) == [0, 1]
        assert got.source.stats.reconnects == 1


async def test_a_symbol_that_is_not_listed_is_an_error():
    async with venue() as (_, config):
        source = BinanceFeed(config, "NOPEUSDT", "1m", rng())
        with pytest.raises(VenueRejected, match="-1121"):
            async for _ in source.events(0):
                pass
        await source.close()


async def test_history_between_two_times_or_the_last_ones():
    async with venue(page=10) as (made, config):
        for number in [*range(30), *range(33, 40)]:
            made.kline(number)
        source = feed(config)
        tape = await source.history(SYMBOL, close(5), close(34))
        assert tape.times[0] == close(5)
        assert tape.times[-1] == close(34)
        assert tape.fresh.nonzero()[0].tolist() == [25]  # the row after the hole
        last = await source.history(SYMBOL, 0, None, 15)
        assert last.times.tolist() == [close(n) for n in [*range(21, 30), *range(33, 39)]]
        heard = []
        await source.history(SYMBOL, close(5), close(34), None, lambda *now: heard.append(now))
        assert heard[-1] == (27, 1.0)
        assert [rows for rows, _ in heard] == [10, 20, 27]
        await source.close()


def test_an_interval_that_does_not_exist_is_refused():
    from venues.binance import BinanceConfig

    with pytest.raises(ConfigError, match="interval"):
        BinanceFeed(BinanceConfig(), SYMBOL, "7m", rng())
