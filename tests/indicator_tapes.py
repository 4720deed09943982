"""Tapes for the tests of indicators: bars and ticks with a hole in the feed, and dead ones."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from market.tape import CLOSE, Tape

START = 1_775_000_000_000_000_000
BAR = 300_000_000_000
HOLE = 1700


def bars(n: int = 3000, seed: int = 2, hole: int = HOLE) -> Tape:
    """Bars with ranges and volume, some without, some that don't move."""
    rng = np.random.default_rng(seed)
    still = rng.random(n) < 0.05
    step = rng.normal(0.0, 1e-3, n) * ~still
    close = 30_000.0 * np.exp(np.cumsum(step))
    before = np.concatenate([close[:1], close[:-1]])
    noise = np.abs(rng.normal(0.0, 5e-4, (2, n))) * ~still
    open_ = before * np.exp(rng.normal(0.0, 2e-4, n) * ~still)
    high = np.maximum(open_, close) * np.exp(noise[0])
    low = np.minimum(open_, close) * np.exp(-noise[1])
    volume = np.round(rng.lognormal(3.0, 1.0, n), 3)
    volume[500:540] = 0.0
    values = np.column_stack([open_, high, low, close, volume])
    return made(values, hole)


def ticks(n: int = 3000, seed: int = 3) -> Tape:
    """Ticks, a tenth of which repeat the price before; and a hundred that all do."""
    rng = np.random.default_rng(seed)
    step = rng.normal(0.0, 1e-4, n) * (rng.random(n) > 0.1)
    step[800:900] = 0.0
    price = np.round(5000.0 * np.exp(np.cumsum(step)), 4)
    return made(np.column_stack([price] * 4 + [np.full(n, np.nan)]), HOLE)


def made(values: np.ndarray, hole: int = 0) -> Tape:
    """Bars out of values, with a hole in the feed before one of them."""
    n = len(values)
    fresh = np.zeros(n, np.bool_)
    if hole:
        fresh[hole] = True
    return Tape("X", True, START + np.arange(n) * BAR, np.ascontiguousarray(values), fresh)


def still(price: float = 100.0, volume: float = 1.0, n: int = 300) -> Tape:
    """Make bars of one price."""
    return made(np.column_stack([np.full(n, price)] * 4 + [np.full(n, volume)]))


def stopped(n: int = 3000, seed: int = 5) -> Tape:
    """Make bars that move for a while, then never again, nor trade."""
    values = bars(n, seed, 0).values.copy()
    values[300:, :4] = values[299, CLOSE]
    values[300:, 4] = 0.0
    return made(values)


def leaping(n: int = 600, seed: int = 6) -> Tape:
    """Make bars whose price is a hundred times as high for a third of the time."""
    values = bars(n, seed, 0).values.copy()
    values[200:400, :4] *= 100.0
    values[200, 4] *= 1e6
    return made(values)


def parts(tape: Tape) -> list[slice]:
    """Return the stretches without a hole."""
    edges = [0, *np.flatnonzero(tape.fresh[1:]) + 1, len(tape)]
    return [slice(a, b) for a, b in pairwise(edges)]


def each_part(tape: Tape, reference: Callable[..., np.ndarray]) -> np.ndarray:
    """Take a reference over open, high, low, close, volume of every stretch apart."""
    return np.concatenate([reference(*tape.values[part, :5].T.copy()) for part in parts(tape)])
