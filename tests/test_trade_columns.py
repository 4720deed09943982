"""Columns of trades against numpy and pandas."""

from __future__ import annotations

from math import nan

import numpy as np
import pandas as pd
import pytest

from features import trade_view
from features.families import trade_cost, trade_flow, trade_pace, trade_toxicity
from market.events import SECOND, FeedGap, Trade
from tests.book_family import columns, counts, everything, trade_views

FAMILIES = (
    *trade_flow.FAMILIES,
    *trade_pace.FAMILIES,
    *trade_cost.FAMILIES,
    *trade_toxicity.FAMILIES,
)
N, GAP = 4500, 1400
START = 1_775_001_598 * SECOND
"""Two seconds before midnight."""


def trades(seed: int = 5, scale: float = 1.0) -> list:
    """Trades in bursts with very uneven sizes, some of an unknown side, and a gap."""
    rng = np.random.default_rng(seed)
    times = START + np.cumsum(rng.choice([0, 1_000, 30_000_000], N) * rng.integers(0, 9, N))
    prices = np.round(100.0 * np.exp(np.cumsum(rng.normal(0, 3e-4, N) * (rng.random(N) > 0.3))), 2)
    sizes = np.round(np.exp(rng.normal(-2.0, 2.5, N)), 5) + 1e-5
    sizes[[300, 2500]] = 5e4
    sides = rng.choice([-1, -1, 1, 1, 1, 0], N)
    sides = np.where(rng.random(N) < 0.5, np.roll(sides, 1), sides)
    found: list = [
        Trade("X", int(t), float(p) * scale, float(s), int(side), i)
        for i, (t, p, s, side) in enumerate(zip(times, prices, sizes, sides, strict=True))
    ]
    found.insert(GAP, FeedGap("X", int(times[GAP]), int(times[GAP - 1])))
    return found


def mids_of(events: list, scale: float = 1.0) -> np.ndarray:
    """A mid near each price, now and then unknown."""
    rng = np.random.default_rng(9)
    price = np.array([event.price for event in events if isinstance(event, Trade)])
    mids = price * (1 + rng.normal(0, 2e-4, N))
    mids[rng.random(N) < 0.05] = nan
    mids[GAP : GAP + 2] = nan
    return mids


@pytest.fixture(scope="module")
def made():
    events = trades()
    seen = trade_views(events, mids_of(events))
    return seen, everything(seen, FAMILIES), mids_of(events)


def windows(values, n: int) -> pd.Series:
    """Sums of n values, each added up anew."""
    whole = np.lib.stride_tricks.sliding_window_view(np.asarray(values, float), n).sum(1)
    return pd.Series(np.concatenate((np.full(n - 1, nan), whole)))


def half(values: pd.Series, h: float) -> pd.Series:
    return values.ewm(halflife=h, adjust=True, ignore_na=True).mean()


def vpin(sizes, sides, n: int) -> np.ndarray:
    """One bucket after the other, as told by Easley, López de Prado and O'Hara."""
    usual = half(pd.Series(sizes), 32 * n).to_numpy()
    buckets, found, value = [], [], 0.0
    want, bought, sold, rest = 32 * usual[0], 0.0, 0.0, 0.0
    for size, side, mean in zip(sizes, sides, usual, strict=True):
        closed = 0
        while size > 0 and closed < n:
            part = min(size, want - (bought + sold + rest))
            full = size >= want - (bought + sold + rest)
            bought += part * (side > 0)
            sold += part * (side < 0)
            rest += part * (side == 0)
            size -= part
            if full:
                buckets.append(abs(bought - sold) / want)
                want, bought, sold, rest, closed = 32 * mean, 0.0, 0.0, 0.0, closed + 1
                value = np.mean(buckets[-n:])
        found.append(value)
    return np.array(found)


def reference(events: list, mid) -> pd.DataFrame:
    """All columns between two gaps."""
    t = pd.DataFrame({
        key: [getattr(event, key) for event in events] for key in ("time", "price", "size", "side")
    })  # fmt: skip
    found = pd.DataFrame(index=t.index)
    change, signed = np.log(t.price).diff(), t["size"] * t.side
    for n in (32, 256):
        volume = windows(t["size"], n)
        found[f"trade_imbalance_{n}"] = windows(signed, n) / volume
        worth = windows(t["size"] * (t.price - 100.0), n)
        vwap = 100.0 + worth / volume
        found[f"trade_vwap_distance_{n}"] = (t.price - vwap) / vwap
        large = t["size"].where(t["size"] > 4 * half(t["size"], n).shift(), 0.0)
        found[f"large_trade_share_{n}"] = windows(large, n) / volume
    for n in (64, 256):
        impact = windows(change[1:] * signed[1:], n) / windows(signed[1:] ** 2, n)
        mean = windows(t["size"][1:], n) / n
        found[f"trade_kyle_lambda_{n}"] = (impact * mean).set_axis(t.index[1:])
    for n in (1, 32):
        found[f"trade_return_{n}"] = np.log(t.price / t.price.shift(n))
    run = t.side.groupby((t.side != t.side.shift()).cumsum()).cumcount() + 1
    found["trade_run"] = run * t.side
    lapse = t.time.diff()
    for h in (16, 64):
        found[f"trade_intensity_{h}"] = np.log(half(lapse, 8 * h) / half(lapse, h))
    found["trade_size_64"] = np.log(t["size"] / half(t["size"], 64))
    spread = 2 * (t.price - mid).abs() / mid
    found["effective_spread"] = spread
    found["effective_spread_64"] = half(spread, 64).where(spread.notna())
    before, then = t.shift(32), mid.shift(32)
    side = before.side.where(before.side != 0)
    kept, moved = 2 * side * (before.price - mid) / then, 2 * side * (mid - then) / then
    for name, values in (("realised_spread_32", kept), ("trade_price_impact_32", moved)):
        found[name] = half(values, 32).where(mid.notna())
    for n in (16, 50):
        found[f"trade_vpin_{n}"] = vpin(t["size"].to_numpy(), t.side.to_numpy(), n)
    return found


def compare(found, events: list, mids, start: int, stop: int) -> None:
    wanted = reference(events[start:stop], pd.Series(mids[start:stop]))
    assert set(wanted) == set(found)
    for family in FAMILIES:
        for args in family.defaults:
            first = family.warmup(args)
            for name in family.names(args):
                got, want = found[name][start:stop], wanted[name].to_numpy()
                assert np.isnan(got[: first - 1]).all(), name
                # What crosses 0 is a difference of numbers near 1, each right to 1e-16.
                np.testing.assert_allclose(
                    got[first - 1 :], want[first - 1 :], rtol=1e-9, atol=1e-14, err_msg=name
                )


def test_every_column(made):
    seen, found, mids = made
    for start, stop in ((0, GAP), (GAP, N)):
        compare(found, seen.events, mids, start, stop)
    assert found["trade_run"].min() <= -4
    assert found["large_trade_share_32"][300] > 0.99


def test_the_view_is_the_trade(made):
    seen, _, mids = made
    at, fresh = seen.views.T, np.flatnonzero(seen.fresh)
    assert fresh.tolist() == [GAP]
    times = np.array([event.time for event in seen.events])
    began = np.where(np.arange(N) < GAP, times[0], times[GAP])
    assert (at[trade_view.DAY] * 86_400 * SECOND + at[trade_view.CLOCK] == times).all()
    assert len(np.unique(at[trade_view.DAY])) == 2
    assert (at[trade_view.TIME] == times - began).all()
    assert (at[trade_view.COUNT] == counts(seen.fresh)).all()
    np.testing.assert_array_equal(at[trade_view.MID], mids)
    assert np.isfinite(seen.views[:, trade_view.RINGS :]).all(), "nothing that poisons a sum"
    price = np.array([event.price for event in seen.events])
    for field, name in ((trade_view.PRICE, "price"), (trade_view.SIZE, "size"),
                        (trade_view.SIDE, "side")):  # fmt: skip
        assert at[field].tolist() == [getattr(event, name) for event in seen.events]
    np.testing.assert_allclose(at[trade_view.LEVEL][:GAP], price[:GAP] / price[0] - 1, atol=1e-15)
    lapse = np.diff(times, prepend=times[0])
    lapse[GAP] = 0
    assert at[trade_view.LAPSE].tolist() == lapse.tolist()


def test_bounds_and_units(made):
    _, found, mids = made
    again = everything(trade_views(trades(scale=250.0), 250.0 * mids), FAMILIES)
    for family in FAMILIES:
        for args in family.defaults:
            for column, name in zip(family.columns, family.names(args), strict=True):
                values = found[name][np.isfinite(found[name])]
                assert len(values) > N / 4
                assert column.low <= values.min() <= values.max() <= column.high, name
                assert not np.isinf(found[name]).any()
                assert column.scale_free
                np.testing.assert_allclose(
                    again[name], found[name], rtol=1e-9, atol=1e-13, err_msg=name
                )


def same(n: int, **more) -> list:
    told = {"price": 5.0, "size": 1.0, "side": 1, **more}
    return [Trade("X", START, **told) for _ in range(n)]


@pytest.mark.parametrize(
    "more",
    [{}, {"size": 0.0}, {"side": 0}, {"size": 1e-300, "side": -1}, {"price": 1e-12, "size": 1e15}],
)
def test_trades_that_are_all_the_same(more):
    events = same(2000, **more)
    mids = np.full(2000, events[0].price)
    for name, values in everything(trade_views(events, mids), FAMILIES).items():
        assert np.isfinite(values[-1]), name
        if name.startswith(("trade_kyle", "trade_vwap", "trade_return", "effective")):
            assert abs(values[-1]) < 1e-12, name


def test_without_a_book_only_the_spreads_are_unknown():
    found = everything(trade_views(trades()), FAMILIES)
    for name, values in found.items():
        unknown = name.startswith(("effective_spread", "realised_spread", "trade_price_impact"))
        assert np.isfinite(values[-1]) != unknown, name


def test_a_single_trade_and_a_huge_gap_in_price():
    alone = everything(trade_views(same(1), np.array([5.0])), FAMILIES)
    assert {name for name, values in alone.items() if np.isfinite(values[0])} == {
        "trade_run",
        "effective_spread",
    }
    events = [*same(1800), *same(200, price=500.0, size=1e9, side=-1), *same(100, price=0.05)]
    for name, values in everything(trade_views(events, np.full(2100, 5.0)), FAMILIES).items():
        assert not np.isinf(values).any(), name
        assert np.isfinite(values[-1]), name


def test_one_trade_that_fills_every_bucket():
    family = trade_toxicity.FAMILIES[0]
    events = [*same(200), *same(1, size=1e12, side=-1), *same(400, side=0)]
    found = columns(family, (2,), trade_views(events))["trade_vpin_2"]
    assert found[199] == 1.0
    # Six buckets of 32 were full; the seventh had 8 bought before it was sold out, the next none.
    assert found[200] == (0.5 + 1.0) / 2
    assert found[-1] == found[200], "a bucket is 32 of the usual trades, which are large by now"


def test_vpin_is_of_the_buckets_there_are():
    family = trade_toxicity.FAMILIES[0]
    events = [*same(32), *same(32, size=0.1), *same(1, size=100.0, side=-1)]
    found = columns(family, (2,), trade_views(events))["trade_vpin_2"]
    assert found[63] == 1.0, "one bucket, all bought"
    assert found[64] < 1.0


def test_real_trades(data_folder):
    """Binance's own trades with the mid of the quotes before them."""
    from venues.library.frames import read_frames

    (path,) = (data_folder / "binance_l2_raw").glob("spot_btcusdt_*.gz")
    kinds = {series.kind: series for series in read_frames(path).series}
    events = list(kinds["trades"].slice(0, 4000).events())
    ticks = kinds["ticks"]
    place = np.searchsorted(ticks.times, kinds["trades"].times[:4000]) - 1
    mids = np.where(place >= 0, ticks.columns["price"][place], nan)
    compare(everything(trade_views(events, mids), FAMILIES), events, mids, 0, 4000)
