"""Markets of every kind, the impossible ones too, for what each column there is must stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from features.audit.specimen import specimen
from features.catalogue import EVERY
from features.config import FeatureConfig
from market.beside import Beside
from market.series import Series
from market.tape import TRADES, VOLUME, Tape

CONFIG = FeatureConfig(columns=EVERY, peer="B")
BARS = 600
TICK = "0.0001"
"""Finer than the specimen's, so that its prices can be told in other units."""

Market = tuple[Tape, Beside]


@cache
def market(bars: int = BARS, seed: int = 1, gap: bool = False) -> Market:
    tape, beside = specimen(np.random.default_rng(seed), bars, gap)
    return tape, replace(beside, tick="0.01")


def of(tape: Tape, values: np.ndarray) -> Tape:
    return Tape(tape.symbol, tape.bars, tape.times, values, tape.fresh)


def told(series: Series, fresh: np.ndarray | None = None, **columns: np.ndarray) -> Series:
    """A series with other columns."""
    made = {name: columns.get(name, column) for name, column in series.columns.items()}
    again = series.fresh if fresh is None else fresh
    return Series(series.symbol, series.kind, series.step, series.times, made, again)


def scaled(one: Market, factor: float, tick: str, since: int = 0, until: int = -1) -> Market:
    """The market with its prices, from one bar to another, times a factor; the peer's too."""
    tape, beside = one
    start = tape.times[since - 1] if since else tape.times[0] - 10**15
    end = tape.times[until]

    def by(times: np.ndarray) -> np.ndarray:
        return np.where((times > start) & (times <= end), factor, 1.0)

    values = tape.values.copy()
    values[:, :VOLUME] *= by(tape.times)[:, None]
    assert beside.trades
    assert beside.book
    assert beside.peer
    trades, book, peer = beside.trades, beside.book, beside.peer
    others = Beside(
        told(trades, price=trades.columns["price"] * by(trades.times)),
        told(book, price=book.columns["price"] * by(book.times)),
        tick,
        of(peer, peer.values * by(peer.times)[:, None]),
    )
    return of(tape, values), others


def uneven(one: Market) -> Market:
    """Bars off the grid: sums of prices that are equal in one unit may differ in another."""
    noise = np.random.default_rng(6).normal(0.0, 1e-4, len(one[0]))
    values = one[0].values.copy()
    values[:, :VOLUME] *= np.exp(noise)[:, None]
    return of(one[0], values), one[1]


def _constant(one: Market) -> Market:
    tape, beside = one
    values = tape.values.copy()
    values[:, :VOLUME] = 100.0
    assert beside.trades
    assert beside.book
    assert beside.peer
    first = int(np.argmax(beside.book.columns["last"] > 0))
    still = beside.trades.columns["price"] * 0.0 + 100.0
    peer = of(beside.peer, np.full_like(beside.peer.values, 7.0))
    trades, book = told(beside.trades, price=still), beside.book.slice(0, first)
    return of(tape, values), replace(beside, trades=trades, book=book, peer=peer)


def _volume(one: Market, value: float) -> Market:
    values = one[0].values.copy()
    values[:, VOLUME:] = value
    return of(one[0], values), one[1]


def _holed(one: Market) -> Market:
    """Volume, counts and sides unknown here and there; trades whose side nobody told."""
    tape, beside = one
    rng = np.random.default_rng(5)
    values = tape.values.copy()
    values[:, VOLUME:][rng.random((len(tape), 3)) < 0.2] = np.nan
    assert beside.trades
    side = beside.trades.columns["side"].copy()
    side[rng.random(len(side)) < 0.3] = 0
    return of(tape, values), replace(beside, trades=told(beside.trades, side=side))


def _one_sided(one: Market, side: int) -> Market:
    """From a third on the book has nothing on one side; from two thirds on it has it again."""
    tape, beside = one
    assert beside.book
    book = beside.book
    edges = tape.times[[len(tape) // 3, 2 * len(tape) // 3]]
    size = book.columns["size"].copy()
    during = (book.times > edges[0]) & (book.times < edges[1])
    size[during & (book.columns["side"] == side)] = 0.0
    return tape, replace(beside, book=told(book, size=size))


def _crossed(one: Market) -> Market:
    """Bids above asks, now and then."""
    tape, beside = one
    assert beside.book
    price = beside.book.columns["price"].copy()
    bids = (beside.book.columns["side"] == 1) & (beside.book.columns["last"] % 14 == 0)
    price[bids] = np.round(price[bids] + 0.07, 2)
    return tape, replace(beside, book=told(beside.book, price=price))


def _at_once(one: Market) -> Market:
    """All trades and all updates of a bar, and the peer's price, at its close."""
    tape, beside = one

    def late(times: np.ndarray) -> np.ndarray:
        return tape.times[np.minimum(np.searchsorted(tape.times, times), len(tape) - 1)]

    assert beside.trades
    assert beside.book
    trades, book = beside.trades, beside.book
    return tape, replace(
        beside,
        trades=Series("A", "trades", 0, late(trades.times), trades.columns, trades.fresh),
        book=Series("A", "book", 0, late(book.times), book.columns, book.fresh),
    )


def _gaps(one: Market) -> Market:
    """Holes in every stream, two of them at once, one right after another."""
    tape, beside = one
    assert beside.trades
    assert beside.book
    assert beside.peer

    def fresh(n: int, *rows: int) -> np.ndarray:
        holes = np.zeros(n, np.bool_)
        holes[list(rows)] = True
        return holes

    whole = np.flatnonzero(beside.book.columns["snapshot"])
    rows = (int(whole[np.searchsorted(whole, len(beside.book) // 2)]), len(beside.book) * 3 // 4)
    own = fresh(len(tape), 100, 101, 400)
    other = fresh(len(beside.peer), 101, 350)
    return Tape(tape.symbol, True, tape.times, tape.values, own), replace(
        beside,
        trades=told(beside.trades, fresh=fresh(len(beside.trades), 404, 1201)),
        book=told(beside.book, fresh=fresh(len(beside.book), *rows)),
        peer=Tape("B", False, beside.peer.times, beside.peer.values, other),
    )


def _short(one: Market, bars: int) -> Market:
    tape = one[0].slice(0, bars)
    return tape, one[1].until(int(tape.times[-1]))


def _spiked(one: Market) -> Market:
    """One trade, one bar and one level as large as all the others never were; one tiny."""
    tape, beside = one
    values = tape.values.copy()
    values[300, VOLUME:] = 1e15
    values[400, VOLUME:] = 5e-324
    values[400, TRADES] = 1.0
    assert beside.trades
    assert beside.book
    size, level = (part.columns["size"].copy() for part in (beside.trades, beside.book))
    size[1000], size[1100] = 1e15, 5e-324
    level[len(level) // 3] = 1e15
    trades, book = told(beside.trades, size=size), told(beside.book, size=level)
    return of(tape, values), replace(beside, trades=trades, book=book)


CASES: dict[str, Callable[[], Market]] = {
    "as it is": market,
    "constant": lambda: _constant(market()),
    "single": lambda: _short(market(), 1),
    "two": lambda: _short(market(), 2),
    "times 100": lambda: scaled(market(), 100.0, TICK, 300),
    "a hundredth": lambda: scaled(market(), 0.01, TICK, 300),
    "times 100 for a bar": lambda: scaled(market(), 100.0, TICK, 300, 300),
    "tiny": lambda: scaled(market(), 1e-10, "0.000000000001"),
    "huge": lambda: scaled(market(), 1e7, "100000"),
    "from tiny to huge": lambda: _leap(market()),
    "no volume": lambda: _volume(market(), 0.0),
    "unknown volume": lambda: _volume(market(), np.nan),
    "volume known now and then": lambda: _holed(market()),
    "no bids": lambda: _one_sided(market(), 1),
    "no asks": lambda: _one_sided(market(), -1),
    "crossed": lambda: _crossed(market()),
    "equal times": lambda: _at_once(market()),
    "gaps": lambda: _gaps(market()),
    "spikes of size": lambda: _spiked(market()),
}


def _leap(one: Market) -> Market:
    """Prices seventeen powers of ten apart, to and fro; the book as it is."""
    tape, beside = one
    values = tape.values.copy()
    values[100:, :VOLUME] *= 1e-10
    values[200:, :VOLUME] *= 1e17
    values[400::2, :VOLUME] *= 1e-17
    return of(tape, values), beside
