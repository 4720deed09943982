"""Tapes, and windows over them by numpy: for references of columns that look back ``n`` events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from features.column import Args, Family
from market.tape import Tape
from tests.family import columns

START = 1_775_000_000_000_000_000
SECOND = 1_000_000_000
N = 3000
HOLE = 1700
"""The event that follows a hole."""


@dataclass(frozen=True)
class Case:
    """A tape, and what is known besides."""

    tape: Tape
    trades: np.ndarray
    buy: np.ndarray

    def columns(self, family: Family, args: Args) -> dict[str, np.ndarray]:
        return columns(family, args, self.tape, self.trades, self.buy)

    def in_units(self, price: float, volume: float) -> Case:
        """The same with prices and volumes told in other units."""
        values = self.tape.values.copy()
        values[:, :4] *= price
        values[:, 4] *= volume
        tape = Tape(self.tape.symbol, self.tape.bars, self.tape.times, values, self.tape.fresh)
        return Case(tape, self.trades, self.buy * volume)


@dataclass(frozen=True)
class Piece:
    """What lies between two holes, as plain arrays; the first return is nan."""

    times: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    trades: np.ndarray
    buy: np.ndarray

    @property
    def r(self) -> np.ndarray:
        return np.concatenate([[np.nan], np.log(self.close[1:] / self.close[:-1])])

    @property
    def volatility(self) -> np.ndarray:
        return pd.Series(self.r**2).ewm(halflife=64).mean().to_numpy() ** 0.5


Reference = Callable[..., dict[str, np.ndarray]]


def ticks(seed: int = 1) -> Case:
    """Ticks of uneven waits, a third of them unchanged, a few jumps and a hole; no volume."""
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 1e-4, N) * (rng.random(N) > 0.3)
    returns[700::600] += 0.02
    prices = np.round(5000.0 * np.exp(np.cumsum(returns)), 2)
    times = START + np.cumsum(rng.integers(1, 4 * SECOND, N))
    tape = Tape.of_ticks("X", times, prices)
    tape.fresh[HOLE] = True
    return Case(tape, np.full(N, np.nan), np.full(N, np.nan))


def bars(seed: int = 2, sides: bool = True) -> Case:
    """Bars with volume, some of none, one stretch of none at all, and a hole."""
    rng = np.random.default_rng(seed)
    close = 30_000.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, N)))
    close[400:403] = close[399]
    volume = rng.lognormal(3.0, 1.0, N) * (rng.random(N) > 0.02)
    volume[2200:2500] = 0.0
    values = np.column_stack([close, close * 1.001, close * 0.999, close, volume])
    fresh = np.zeros(N, np.bool_)
    fresh[HOLE] = True
    trades = np.where(volume > 0.0, rng.integers(1, 90, N), 0.0)
    buy = volume * rng.random(N) if sides else np.full(N, np.nan)
    return Case(Tape("Y", True, START + np.arange(N) * SECOND, values, fresh), trades, buy)


def known_now_and_then(case: Case, seed: int = 3) -> Case:
    """The same, with volumes, trades and sides unknown here and there."""
    rng = np.random.default_rng(seed)
    values = case.tape.values.copy()
    values[rng.random(N) < 0.2, 4] = np.nan
    tape = Tape("Z", True, case.tape.times, values, case.tape.fresh)
    trades = np.where(rng.random(N) < 0.2, np.nan, case.trades)
    return Case(tape, trades, np.where(rng.random(N) < 0.2, np.nan, case.buy))


def degenerate() -> dict[str, Case]:
    """Inputs that make naive columns raise, or give infinities."""
    n = 400

    def case(close: np.ndarray, volume: np.ndarray, sides: float = 0.5) -> Case:
        values = np.column_stack([close] * 4 + [volume])
        times = START + np.arange(n) * SECOND
        tape = Tape("W", True, times, values, np.zeros(n, np.bool_))
        return Case(tape, np.ceil(volume / 7.0), volume * sides)

    flat, some = np.full(n, 100.0), np.full(n, 0.1)
    walk = 100.0 * np.exp(np.cumsum(np.random.default_rng(4).normal(0.0, 1e-3, n)))
    gap = walk * np.where(np.arange(n) < 200, 1.0, 100.0)
    spiked = np.where(np.arange(n) == 200, 1e12, some)
    return {
        "constant price": case(flat, some),
        "constant price, no volume": case(flat, 0.0 * some),
        "no volume": case(walk, 0.0 * some),
        "price times 100 and back": case(np.where(np.arange(n) == 300, walk, gap), some),
        "rising for ever": case(np.exp(0.01 * np.arange(n)), some, 1.0),
        "to and fro": case(100.0 + np.arange(n) % 2, some, 0.0),
        "one huge volume": case(walk, spiked),
        "specks of volume": case(walk, 5e-324 * np.ones(n)),
    }


def last(values: np.ndarray, n: int, of: Callable[..., np.ndarray]) -> np.ndarray:
    """``of(windows, axis=1)`` over the last ``n`` values at each; nan before there are so many."""
    found = np.full(len(values), np.nan)
    if len(values) >= n:
        found[n - 1 :] = of(np.lib.stride_tricks.sliding_window_view(values, n), axis=1)
    return found


def divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """``a / b``, 0 where ``b`` is, within ±16."""
    quotient = np.divide(a, b, out=np.zeros(len(a)), where=(b != 0.0) & ~np.isnan(b))
    return np.clip(np.where(np.isnan(a) | np.isnan(b), np.nan, quotient), -16.0, 16.0)


def check(family: Family, args: Args, case: Case, reference: Reference, **atol: float) -> None:
    """Each column against its reference, piece by piece; nan until warm.

    ``atol`` is by column, its numbers left out; 0 for those not named.
    """
    got = case.columns(family, args)
    tape = case.tape
    edges = [0, *np.flatnonzero(tape.fresh), len(tape)]
    warm = family.warmup(args) - 1
    for first, end in pairwise(edges):
        part = slice(first, end)
        piece = Piece(
            tape.times[part], tape.close[part], tape.values[part, 4], case.trades[part],
            case.buy[part],
        )  # fmt: skip
        want = reference(piece, *args)
        assert list(want) == list(got)
        for name, values in want.items():
            assert np.isnan(got[name][part][:warm]).all(), name
            np.testing.assert_allclose(
                got[name][part][warm:],
                values[warm:],
                rtol=1e-10,
                atol=atol.get(name.rstrip("_0123456789"), 0.0),
                err_msg=name,
            )


def check_degenerate(family: Family, args: Args) -> None:
    """Finite and within their bounds once warm, whatever comes."""
    for what, case in degenerate().items():
        rows = case.columns(family, args)
        for column, (name, values) in zip(family.columns, rows.items(), strict=True):
            warm = values[family.warmup(args) - 1 :]
            assert np.isfinite(warm).all(), (what, name)
            assert warm.min() >= column.low, (what, name)
            assert warm.max() <= column.high, (what, name)


def check_units(family: Family, args: Args, case: Case, **tolerance: float) -> None:
    """Columns said to be free of scale are so; the others are not."""
    here, there = case.columns(family, args), case.in_units(1e3, 2.0**-7).columns(family, args)
    for column, name in zip(family.columns, here, strict=True):
        if column.scale_free:
            np.testing.assert_allclose(there[name], here[name], err_msg=name, **tolerance)
        else:
            assert not np.allclose(there[name], here[name], equal_nan=True, atol=0.0), name
