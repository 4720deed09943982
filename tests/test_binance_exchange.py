"""The client at the bundled Binance: what was published is what arrives, through every fault."""

from itertools import dropwhile, pairwise

import pytest

from market.book import Book
from market.events import BookUpdate, FeedGap, Tick, Trade
from tests.binance_venue import SYMBOL, rng, taking
from venues.binance import BinanceConfig, BinanceFeed, BinanceRest, BinanceStream
from venues.binance.history import bar_history, trade_history
from venues.simulated.binance.config import BinanceExchangeConfig
from venues.simulated.binance.exchange import BinanceExchange
from venues.simulated.binance.faults import Fault

FAULTS = (
    ("gap", 5, {"count": 3}),
    ("duplicate", 15, {}),
    ("reorder", 25, {}),
    ("corrupt", 35, {"count": 2}),
    ("garbage", 45, {}),
    ("drop", 55, {}),
    ("gap", 65, {"count": 40}),
    ("drop_all", 120, {}),
    ("rate_limit", 130, {"seconds": 1.0}),
    ("gap", 131, {}),
    ("restart", 160, {"seconds": 0.3}),
    ("stall", 200, {"seconds": 0.0}),
)


def exchange(market, speed=50.0, faults=()):
    return BinanceExchange(
        BinanceExchangeConfig(
            port=0,
            speed=speed,
            history_seconds=7200,
            faults=faults,
        )
    )


def config(running, market, **changed):
    settled = {"backoff_first": 0.02, "overlap": 0.2, "weight_share": 1.0, "stale_after": 1.0}
    url = running.url
    return BinanceConfig(
        market=market, rest=url, stream=url.replace("http", "ws"), **(settled | changed)
    )


def agg_ids(events):
    return [event.id for event in events if isinstance(event, Trade)]


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_every_trade_arrives_once_through_every_fault(market):
    faults = tuple(Fault(kind=kind, market=market, event=n, **more) for kind, n, more in FAULTS)
    async with exchange(market, faults=faults) as running:
        source = BinanceStream(config(running, market, lifetime=1.0), SYMBOL, ["trades"], rng())
        after = running.now
        async with taking(source, after) as got:
            await got.until(
                lambda: len(agg_ids(got.events)) >= 300 and source.stats.reconnects >= 1
            )
            sent = {row["a"]: row for row in running.sent[market, SYMBOL].aggregates}
        trades = [event for event in got.events if isinstance(event, Trade)]
        assert not [event for event in got.events if isinstance(event, FeedGap)]
        numbers = agg_ids(trades)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        for trade in trades:
            row = sent.get(trade.id)
            if row is not None:
                assert (trade.time, trade.price, trade.size, trade.side) == (
                    row["T"] * 1_000_000, float(row["p"]), float(row["q"]), -1 if row["m"] else 1
                )  # fmt: skip
        assert source.stats.bad_frames >= 2


async def test_every_bar_arrives_once_through_every_fault():
    faults = tuple(Fault(kind=kind, event=n, **more) for kind, n, more in FAULTS)
    async with exchange("spot", faults=faults) as running:
        made = config(running, "spot", lifetime=1.0)
        source = BinanceFeed(made, SYMBOL, "1s", rng())
        after = running.now - 20 * 10**9
        async with taking(source, after) as got:
            await got.until(lambda: len(got.events) >= 120 and source.stats.reconnects >= 1)
            rest = BinanceRest(made, rng())
            events = list(got.events)
            times = [event.time for event in events]
            truth = await bar_history(rest, SYMBOL, "1s", after + 1, times[-1])
            await rest.close()
        assert events == list(truth.events())
        assert not any(isinstance(event, FeedGap) for event in events)
        assert 0 < times[0] - after <= 10**9
        assert all(late - early == 10**9 for early, late in pairwise(times))
        assert not any(got.live[:19])
        assert any(got.live)


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_books_follow_without_a_hole_and_quotes_agree_with_them(market):
    async with exchange(market) as running:
        made = config(running, market, lifetime=0.5, depth=1000)
        source = BinanceStream(made, SYMBOL, ["book", "quotes"], rng())
        async with taking(source) as got:
            await got.until(lambda: source.renewals >= 2 and len(got.events) >= 400)
            published = {last for _, last, _ in running.sent[market, SYMBOL].depth}
        books = [event for event in got.events if isinstance(event, BookUpdate)]
        assert books[0].snapshot
        assert not any(book.snapshot for book in books[1:])
        for before, book in pairwise(books[1:]):
            assert book.last in published
            if market == "spot":
                assert book.first == before.last + 1
            else:
                assert book.previous == before.last
        quotes = [event for event in got.events if isinstance(event, Tick)]
        assert len(quotes) > 50
        assert all(one.time < two.time for one, two in pairwise(quotes))
        # Each best price that the changes lead to was quoted before; but for those of the
        # beginning, from before the first quote.
        book, tops = Book(SYMBOL, running.markets[market][SYMBOL].listing.tick), []
        for update in books:
            book.update(update)
            tops.append((book.best_bid, book.best_ask))
        quoted = {(quote.bid, quote.ask) for quote in quotes}
        known = list(dropwhile(lambda top: top not in quoted, tops))
        assert len(set(known)) > 20
        assert set(known) <= quoted
        assert source.stats.gaps == 0


@pytest.mark.parametrize("market", ["spot", "usdm"])
async def test_a_book_that_lost_changes_is_told_as_a_whole_again(market):
    faults = tuple(
        Fault(kind=kind, market=market, stream="depth", event=event, **more)
        for kind, event, more in (
            ("gap", 20, {"count": 2}),
            ("corrupt", 60, {}),
            ("drop_all", 100, {}),
            ("duplicate", 140, {}),
        )
    )
    async with exchange(market, faults=faults) as running:
        source = BinanceStream(config(running, market), SYMBOL, ["book"], rng())
        async with taking(source) as got:
            await got.until(lambda: len(got.events) >= 250)
    last = None
    for event in got.events:
        if isinstance(event, FeedGap):
            last = None
            continue
        if last is None:
            assert event.snapshot
        elif not last.snapshot:
            follows = (event.first, event.previous)[market == "usdm"]
            assert follows == last.last + (market == "spot")
        last = event
    assert 2 <= source.stats.gaps <= 3
    assert source.stats.reasons == {"price": 1}


async def test_past_trades_are_the_exchanges_own():
    async with exchange("spot", speed=0.0) as running:
        rest = BinanceRest(config(running, "spot", page=100), rng())
        async with rest:
            end = running.now
            series = await trade_history(rest, SYMBOL, end - 600 * 10**9, end)
            assert len(series) > 100
            assert not series.fresh.any()
            bars = await bar_history(rest, SYMBOL, "1m", end - 3600 * 10**9, end)
            assert len(bars) >= 60
            last = bars.times[-1]
            inside = (series.times >= last - 60 * 10**9) & (series.times < last)
            assert bars.columns["volume"][-1] == pytest.approx(series.columns["size"][inside].sum())
            bought = inside & (series.columns["side"] == 1)
            assert bars.columns["buy_volume"][-1] == pytest.approx(
                series.columns["size"][bought].sum()
            )
