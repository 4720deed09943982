"""Recordings for the tests of datasets: ticks, bars, trades and a book."""

from __future__ import annotations

import numpy as np

from features.config import FeatureConfig
from features.decisions import Recipe
from features.labels import LabelConfig
from market.events import BookUpdate, FeedGap, MarketEvent
from market.execution import Costs
from market.series import Series

FEATURES = FeatureConfig(columns=("momentum_1", "momentum_4", "channel_place_8", "day_sin"))
BESIDE = FeatureConfig(
    columns=("momentum_4", "trade_intensity_16", "imbalance_5", "peer_return_1"), peer="P"
)


def recipe(kind: str, horizon: int = 12, every: int = 2) -> Recipe:
    """Return a recipe with labels of a kind."""
    labels = (
        LabelConfig.model_validate(["high_002_8", "low_002_8"])
        if kind == "highlow"
        else LabelConfig.model_validate({"kind": kind, "horizon": horizon})
    )
    return Recipe(features=FEATURES, labels=labels, every=every, costs=Costs(slippage=1e-5))


def _prices(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, n))), 1)


def _fresh(n: int, gaps: tuple[int, ...]) -> np.ndarray:
    fresh = np.zeros(n, np.bool_)
    fresh[list(gaps)] = True
    return fresh


def ticks_of(
    start: int, n: int, step: int, gaps: tuple[int, ...] = (), seed: int = 0, symbol: str = "X"
) -> Series:
    """Return ticks at even times."""
    times = start + step * np.arange(n)
    return Series.ticks(symbol, times, _prices(n, seed), fresh=_fresh(n, gaps))


def bars_of(start: int, n: int, step: int, gaps: tuple[int, ...] = (), seed: int = 0) -> Series:
    """Return bars at even times."""
    close = _prices(n, seed)
    ohlcv = np.column_stack([close, close + 0.1, close - 0.1, close, np.ones(n)])
    times = start + step * np.arange(n)
    return Series.bars("X", times, step, ohlcv, fresh=_fresh(n, gaps))


def trades_of(start: int, n: int, step: int, gaps: tuple[int, ...] = (), seed: int = 0) -> Series:
    """Return trades, two at a time."""
    rng = np.random.default_rng(seed)
    times = start + step * (np.arange(n) // 2 * 2)
    side = rng.choice([-1, 1], n)
    size = rng.lognormal(0.0, 1.0, n)
    ids = start // 1000 + np.arange(n)
    return Series.trades("X", times, ids, _prices(n, seed), size, side, _fresh(n, gaps))


def book_of(start: int, n: int, step: int, gaps: tuple[int, ...] = (), seed: int = 0) -> Series:
    """Return a book that has snapshots, one after each hole."""
    rng = np.random.default_rng(seed)
    events: list[MarketEvent] = []
    for i in range(n):
        time, number = start + step * i, start // 1000 + i
        whole = i % 30 == 0 or i in gaps
        if i in gaps:
            events.append(FeedGap("X", time, time - step))
        places = np.arange(1, 9) if whole else rng.choice(np.arange(1, 9), 2, replace=False)
        sizes = rng.lognormal(0.0, 1.0, 16).round(3)
        bids = tuple(
            (round(100.0 - 0.1 * p, 1), float(s)) for p, s in zip(places, sizes, strict=False)
        )
        asks = tuple(
            (round(100.0 + 0.1 * p, 1), float(s)) for p, s in zip(places, sizes[8:], strict=False)
        )
        events.append(BookUpdate("X", time, number, number, bids, asks, number - 1, whole))
    return Series.from_events("X", events)
