"""The bundled Binance's tape: of its seed alone, and of the law it is set to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.events import SECOND
from tests.binance_exchange_client import client, config, path
from venues.simulated.binance import BinanceExchange
from venues.simulated.binance.klines import INTERVALS, klines, opening


@pytest.fixture
async def exchange() -> AsyncIterator[BinanceExchange]:
    async with BinanceExchange(config()) as running:
        yield running


async def test_tape_depends_on_the_seed_and_not_on_who_looks() -> None:
    async with BinanceExchange(config()) as one, client(one) as user:
        async with user.socket(path("spot", "btcusdt@depth@100ms", "btcusdt@aggTrade")):
            for _ in range(40):
                await one.advance(0.77)
        async with BinanceExchange(config()) as two:
            await two.advance(40 * 0.77)
            for key, sent in two.sent.items():
                assert sent.trades == one.sent[key].trades
                assert sent.depth == one.sent[key].depth
                assert sent.bars("1s") == one.sent[key].bars("1s")
            assert len(sent.trades) > 20
        async with BinanceExchange(config(seed=2)) as three:
            await three.advance(40 * 0.77)
            assert three.sent["spot", "BTCUSDT"].trades != one.sent["spot", "BTCUSDT"].trades


async def test_prices_follow_the_latent_law(exchange: BinanceExchange) -> None:
    """Volatility of minute returns is the listed one within four deviations, past and live."""
    start = exchange.config.start_epoch
    for market in exchange.markets["spot"].values():
        market.run_to((start + 1800) * SECOND)
        for first, last in ((start - 3600, start), (start, start + 1800)):
            bars = klines(market.trades, "1m", first * 1000, last * 1000 - 60_000)
            returns = np.diff(np.log([bar.close for bar in bars]))
            annual = returns.std() * np.sqrt(365 * 1440)
            error = 4.0 / np.sqrt(2 * len(returns))
            assert annual == pytest.approx(market.listing.sigma, rel=error)


async def test_another_law_moves_the_book() -> None:
    """Crashes: the worst second falls far more than any rises."""
    row: dict[str, Any] = {
        "symbol": "AUSDT",
        "base": "A",
        "price": 100,
        "tick": "0.001",
        "lot": "0.01",
    }
    row |= {"law": "CRASH50", "rate": 200, "orders": 100}
    plan = config(spot=[row], usdm=[])
    market = BinanceExchange(plan).markets["spot"]["AUSDT"]
    market.run_to((plan.start_epoch + 600) * SECOND)
    for first, last in ((-3600, 0), (0, 600)):
        start, end = ((plan.start_epoch + second) * 1000 for second in (first, last))
        moves = np.diff(np.log([bar.close for bar in klines(market.trades, "1s", start, end)]))
        assert moves.min() < -1.5e-3
        assert -moves.min() > 1.5 * moves.max()


async def test_spot_and_futures_stay_together(exchange: BinanceExchange) -> None:
    await exchange.advance(200)
    for symbol, spot in exchange.markets["spot"].items():
        future = exchange.markets["usdm"][symbol]
        prices = [m.trades.last() * float(m.grid.tick) for m in (spot, future)]
        assert prices[0] == pytest.approx(prices[1], rel=5e-3)


@settings(max_examples=40, deadline=None)
@given(interval=st.sampled_from([*INTERVALS]), ms=st.integers(0, 4_000_000_000_000))
def test_bars_tile_time(interval: str, ms: int) -> None:
    start, length = opening(ms, interval), INTERVALS[interval]
    assert start <= ms < start + length
    assert opening(start, interval) == start
    assert opening(start + length, interval) == start + length
    if interval == "1w":
        assert np.datetime64(start, "ms").astype("datetime64[D]").astype(object).weekday() == 0
