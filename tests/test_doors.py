"""One door for all markets: a desk trades Binance's bars as it trades ticks or a recording."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from market.errors import ConfigError
from market.events import SECOND, Bar
from market.execution import Costs
from market.instruments import Instrument
from risk.lease import Lease
from tests.floor_data import CAPITAL, desk, fit
from tests.test_floor import RISK
from trading.digest import digest
from trading.journal import MemoryJournal
from trading.recovery import start
from venues.binance import BinanceConfig, BinanceFeed
from venues.deriv import DerivConfig, DerivFeed
from venues.doors import open_feed
from venues.files import FileFeed
from venues.simulated.binance.config import BinanceExchangeConfig
from venues.simulated.binance.exchange import BinanceExchange

BITCOIN = Instrument(
    symbol="BTCUSDT", interval=60.0, leverage=2.0, costs=Costs(commission=1e-3, half_spread=1e-5)
)
N = 90


async def test_each_source_has_its_feed(tmp_path: Path) -> None:
    sources = {DerivFeed: DerivConfig(), BinanceFeed: BinanceConfig(), FileFeed: tmp_path}
    for kind, source in sources.items():
        feed = open_feed(source, BITCOIN, seed=1)
        assert isinstance(feed, kind)
        assert feed.symbol == "BTCUSDT"
        await feed.close()


@pytest.mark.parametrize("interval", [0.5, 7.0])
def test_an_interval_without_bars_is_named(interval: float) -> None:
    odd = BITCOIN.model_copy(update={"interval": interval})
    with pytest.raises(ConfigError, match="interval"):
        open_feed(BinanceConfig(), odd, seed=1)


@asynccontextmanager
async def going(exchange: BinanceExchange) -> AsyncIterator[None]:
    """Let the exchange's time pass as fast as this machine can, and no faster."""

    async def pass_time() -> None:
        while True:
            await exchange.advance(10.0)
            await asyncio.sleep(0.02)

    task = asyncio.create_task(pass_time())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_desk_decides_on_binance_s_live_bars_as_on_their_recording(tmp_path: Path) -> None:
    model = fit(tmp_path / "model")
    config = BinanceExchangeConfig(port=0, speed=0.0, history_seconds=7200)
    marks = []
    async with BinanceExchange(config) as exchange, going(exchange):
        address = exchange.url
        source = BinanceConfig(
            rest=address, stream=address.replace("http", "ws"), backoff_first=0.02
        )
        spec = desk(
            "BTCUSDT", model, source, tmp_path / "unused.db", RISK, instrument=BITCOIN, every=1
        )
        after = (config.start_epoch - 60 * 60) * SECOND
        feed = spec.feed()
        events = feed.events(after)
        live, news = [], False
        for _ in range(N):
            live.append(await anext(events))
            news |= feed.live
        await events.aclose()  # type: ignore[attr-defined]
        assert news
        tape = await feed.history("BTCUSDT", after + 1, live[-1].time)
        await feed.close()
        for told in (live, list(tape.events())):
            journal = MemoryJournal()
            trader = spec.trader(journal)
            start(trader)
            trader.take(Lease("BTCUSDT", 0, notional=CAPITAL, expires=2**62))
            for event in told:
                assert isinstance(event, Bar)
                trader.on_event(event, event.time)
            assert trader.status().counters.decisions > N // 2
            assert trader.status().counters.fills > 0
            marks.append(digest([("BTCUSDT", journal)]))
    assert marks[0] == marks[1]
