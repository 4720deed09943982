"""Columns of the book against numpy and pandas on the book's own levels."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd
import pytest

from features import book_view
from features.families import book_flow, book_shape, book_walls
from market.errors import ConfigError
from market.events import SECOND, BookUpdate, FeedGap
from tests.book_family import book_views, columns, counts, everything

FAMILIES = (*book_shape.FAMILIES, *book_walls.FAMILIES, *book_flow.FAMILIES)
N = 2500
START = 1_775_001_598 * SECOND
"""Two seconds before midnight."""


def updates(seed: int = 3, scale: int = 1) -> list:
    """A book that walks, with heavy sizes, an empty side, a crossed spell, two snapshots, a gap."""
    rng = np.random.default_rng(seed)
    bids: dict[int, float] = {}
    asks: dict[int, float] = {}
    found: list = []
    touch, time = 50_000, START
    for i in range(N):
        time += int(rng.choice([0, 1, 40])) * 1_000_000 + int(rng.integers(0, 1000))
        touch += int(rng.integers(-3, 4))
        new_bids = {k: 0.0 for k in bids if k > touch}
        new_asks = {k: 0.0 for k in asks if k <= touch + 1}
        for _ in range(rng.integers(0, 5)):
            size = float(np.round(np.exp(rng.normal(0.0, 2.0)), 5)) * (rng.random() > 0.3)
            new_bids[touch - int(rng.geometric(0.1)) + 1] = size
            new_asks[touch + int(rng.geometric(0.1)) + 1] = size * 1.25
        snapshot = i in (0, 400, 1000)
        if i in (200, 201, 202, 1500):
            new_bids = {k: 0.0 for k in bids}
        if i in (300, 1501):
            new_asks = {k: 0.0 for k in asks}
        if i == 600:
            new_bids[touch + 3], new_asks[touch + 2] = 2.0, 3.0
        if snapshot:
            levels = 50 if i != 400 else 3
            bids, asks = {}, {}
            new_bids = {touch - k: 1.0 + k % 7 for k in range(levels)}
            new_asks = {touch + 2 + k: 2.0 + k % 5 for k in range(levels)}
        if i == 1000:
            found.append(FeedGap("X", time, time))
        for side, new in ((bids, new_bids), (asks, new_asks)):
            side.update(new)
            for k in [k for k, size in side.items() if size == 0.0]:
                del side[k]
        told = [
            tuple((k * scale / 10, size) for k, size in new.items()) for new in (new_bids, new_asks)
        ]
        found.append(BookUpdate("X", time, i, i, told[0], told[1], snapshot=snapshot))
    return found


@dataclass
class Known:
    seen: object
    found: dict


@pytest.fixture(scope="module")
def made() -> Known:
    seen = book_views("X", "0.1", updates())
    return Known(seen, everything(seen, FAMILIES))


def quotes(seen) -> pd.DataFrame:
    """Best prices and sizes, mid (of a book that has one) and depths of each update."""
    rows = []
    for bids, asks in zip(seen.bids, seen.asks, strict=True):
        b, q = bids[0] if len(bids) else (nan, 0.0)
        a, r = asks[0] if len(asks) else (nan, 0.0)
        mid = (b + a) / 2 if b < a else nan
        rows.append((b, q, a, r, mid, bids[:, 1].sum(), asks[:, 1].sum()))
    return pd.DataFrame(rows, columns=["b", "q", "a", "r", "mid", "bids", "asks"])


def shape_reference(bids, asks) -> dict[str, float]:
    """Columns of one book's levels."""
    (b, q), (a, r), mid = bids[0], asks[0], (bids[0, 0] + asks[0, 0]) / 2
    found = {}
    for k in (5, 10, 20):
        up, down = bids[:k, 1].sum(), asks[:k, 1].sum()
        found[f"imbalance_{k}"] = (up - down) / (up + down)
    found["level1_imbalance"] = (q - r) / (q + r)
    found["quoted_spread"] = (a - b) / mid
    found["microprice_distance"] = ((b * r + a * q) / (q + r) - mid) / mid
    up, down = (np.dot(s[:, 1], 1 / np.arange(1, len(s) + 1)) for s in (bids, asks))
    found["bid_pressure"], found["ask_pressure"] = up / (up + down), down / (up + down)
    found["book_pressure"] = found["bid_pressure"] - found["ask_pressure"]
    for side, levels in (("bid", bids), ("ask", asks)):
        x, share = np.abs(levels[:, 0] / mid - 1), np.cumsum(levels[:, 1]) / levels[:, 1].sum()
        slope = np.linalg.lstsq(x[:, None], share, rcond=None)[0][0]
        found[f"{side}_slope"] = np.log(slope)
        found[f"{side}_depth"] = np.log(levels[:, 1].sum())
        found[f"{side}_wall_count"] = (levels[:, 1] > 3 * np.median(levels[:, 1])).sum()
    found["depth_ratio"] = found["bid_depth"] - found["ask_depth"]
    return found


def part_reference(seen, start: int, stop: int) -> pd.DataFrame:
    """Rolling columns between two gaps."""
    t = quotes(seen).iloc[start:stop].reset_index(drop=True)
    times = pd.Series([event.time for event in seen.events[start:stop]])
    found = pd.DataFrame(index=t.index)
    b, a = t.b.fillna(0.0), t.a.fillna(np.inf)
    bid = np.select([b > b.shift(), b < b.shift()], [t.q, -t.q.shift()], t.q.diff())
    ask = np.select([a < a.shift(), a > a.shift()], [-t.r, t.r.shift()], -t.r.diff())
    flow = pd.Series(bid + ask).fillna(0.0)
    touch = (t.q + t.r) / 2
    for n in (16, 64, 256):
        found[f"order_flow_imbalance_{n}"] = exact(flow, n) / exact(touch, n)
    depth, mid = t.bids + t.asks, t.mid.ffill()
    for n in (16, 64):
        seconds = times.diff(n) / SECOND
        change = np.log(depth / depth.shift(n)) / seconds.where(seconds > 0)
        found[f"depth_change_{n}"] = change.clip(-16, 16).where(seconds > 0, 0.0)
    for n in (1, 16, 64):
        found[f"mid_return_{n}"] = np.log(t.mid / mid.shift(n))
    spread = ((t.a - t.b) / t.mid).ffill()
    windows = np.lib.stride_tricks.sliding_window_view(spread.to_numpy(), 256)
    mean = pd.Series(windows.mean(1), index=found.index[255:]).reindex(found.index)
    sd = pd.Series(windows.std(1), index=found.index[255:]).reindex(found.index)
    found["spread_mean_256"] = mean
    found["spread_z_256"] = ((spread - mean) / np.maximum(sd, mean / 100)).clip(-16, 16)
    found.loc[t.mid.isna()] = nan
    return found


def exact(values: pd.Series, n: int) -> pd.Series:
    """Rolling sum without what pandas' running one leaves behind."""
    windows = np.lib.stride_tricks.sliding_window_view(values.to_numpy(), n)
    return pd.Series(windows.sum(1), index=values.index[n - 1 :]).reindex(values.index)


def compare(found, wanted, first: int, name: str) -> None:
    assert np.isnan(found[: first - 1]).all(), name
    assert np.array_equal(np.isnan(found[first - 1 :]), np.isnan(wanted[first - 1 :])), name
    # What crosses 0 is a difference of numbers near 1, each right to 1e-16.
    np.testing.assert_allclose(
        found[first - 1 :], wanted[first - 1 :], rtol=1e-9, atol=1e-14, err_msg=name
    )


def test_the_view_is_the_book(made):
    seen, t = made.seen, quotes(made.seen)
    for i, view in enumerate(seen.views):
        bids, asks = seen.bids[i], seen.asks[i]
        assert (view[book_view.BID_LEVELS], view[book_view.ASK_LEVELS]) == (len(bids), len(asks))
        for levels, prices, sizes in (
            (bids, book_view.BID_PRICES, book_view.BID_SIZES),
            (asks, book_view.ASK_PRICES, book_view.ASK_SIZES),
        ):
            n = len(levels)
            assert view[prices : prices + n].tolist() == levels[:, 0].tolist()
            assert view[sizes : sizes + n].tolist() == levels[:, 1].tolist()
            assert np.isnan(view[prices + n : prices + 20]).all()
            assert not view[sizes + n : sizes + 20].any()
    at = seen.views.T
    for field, values in (
        (book_view.BID, t.b), (book_view.ASK, t.a), (book_view.MID, t.mid),
        (book_view.MICRO, (t.b * t.r + t.a * t.q) / (t.q + t.r) + 0 * t.mid),
        (book_view.SPREAD, (t.a - t.b) / t.mid),
        (book_view.BID_DEPTH, t.bids), (book_view.ASK_DEPTH, t.asks),
    ):  # fmt: skip
        np.testing.assert_allclose(at[field], values, rtol=1e-13)
    assert t.mid.isna().sum() > 5
    assert np.array_equal(at[book_view.COUNT], counts(seen.fresh))
    times = np.array([event.time for event in seen.events])
    assert (at[book_view.DAY] * 86_400 * SECOND + at[book_view.CLOCK] == times).all()
    began = times[np.maximum.accumulate(np.where(seen.fresh, np.arange(N), 0))]
    assert (at[book_view.TIME] == times - began).all()
    assert len(np.unique(at[book_view.DAY])) == 2


def test_every_shape_column(made):
    seen, mid = made.seen, quotes(made.seen).mid
    names = {n for f in (*book_shape.FAMILIES, *book_walls.FAMILIES) for args in f.defaults
             for n in f.names(args)}  # fmt: skip
    wanted = pd.DataFrame(
        shape_reference(b, a) if known else dict.fromkeys(names, nan)
        for b, a, known in zip(seen.bids, seen.asks, mid.notna(), strict=True)
    )
    assert set(wanted) == names
    for name in names:
        compare(made.found[name], wanted[name].to_numpy(), 1, name)
    assert wanted.bid_wall_count.max() > 3


def test_every_rolling_column(made):
    seen = made.seen
    gap = int(np.flatnonzero(seen.fresh)[0])
    for start, stop in ((0, gap), (gap, N)):
        wanted = part_reference(seen, start, stop)
        assert set(wanted) == {
            n for f in book_flow.FAMILIES for args in f.defaults for n in f.names(args)
        }
        for family in book_flow.FAMILIES:
            for args in family.defaults:
                for name in family.names(args):
                    found = made.found[name][start:stop]
                    compare(found, wanted[name].to_numpy(), family.warmup(args), name)


def test_bounds_and_units(made):
    again = everything(book_views("X", "100", updates(scale=1000)), FAMILIES)
    for family in FAMILIES:
        for args in family.defaults:
            for column, name in zip(family.columns, family.names(args), strict=True):
                values = made.found[name][np.isfinite(made.found[name])]
                assert len(values) > N / 2
                assert column.low <= values.min() <= values.max() <= column.high, name
                assert not np.isinf(made.found[name]).any()
                assert column.scale_free
                np.testing.assert_allclose(
                    again[name], made.found[name], rtol=1e-9, atol=1e-13, err_msg=name
                )


def still(n: int) -> list:
    """A book that stays as it is, at one moment."""
    levels = ((9.9, 1.0), (9.8, 1.0)), ((10.0, 1.0), (10.1, 1.0))
    first = BookUpdate("X", START, 1, 1, *levels, snapshot=True)
    return [first, *[BookUpdate("X", START, i, i, (), ()) for i in range(2, n + 1)]]


def test_a_book_that_stands_still():
    found = everything(book_views("X", "0.1", still(300)), FAMILIES)
    for name, values in found.items():
        assert np.isfinite(values[-1]), name
    for name in ("order_flow_imbalance_64", "depth_change_16", "mid_return_16", "spread_z_256",
                 "imbalance_5", "bid_wall_count", "book_pressure", "depth_ratio"):  # fmt: skip
        assert found[name][-1] == 0.0, name


def test_a_spread_of_one_tick_surprises_nobody():
    """It varies only as the price does."""
    events = [
        BookUpdate("X", START, i, i, ((k / 10, 1.0),), ((k / 10 + 0.1, 1.0),), snapshot=True)
        for i, k in enumerate(np.random.default_rng(0).integers(49_900, 50_100, 400).tolist())
    ]
    family = next(one for one in FAMILIES if one.columns[0].name == "spread_mean_{n}")
    z = columns(family, (64,), book_views("X", "0.1", events))["spread_z_64"][63:]
    assert 0.1 < np.abs(z).max() < 0.5


@pytest.mark.parametrize(
    "events",
    [
        [BookUpdate("X", START, 1, 1, (), (), snapshot=True)],
        [BookUpdate("X", START, 1, 1, ((9.9, 1.0),), (), snapshot=True)],
        [BookUpdate("X", START, 1, 1, (), ((9.9, 1.0),), snapshot=True)],
        [BookUpdate("X", START, 1, 1, ((9.9, 1.0),), ((9.9, 1.0),), snapshot=True)],
        [BookUpdate("X", START, 1, 1, ((9.9, 1.0),), ((9.7, 1.0),), snapshot=True)],
    ],
)
def test_a_book_without_a_mid_says_nothing(events):
    empty = [BookUpdate("X", START, i, i, (), ()) for i in range(2, 300)]
    for name, values in everything(book_views("X", "0.1", events + empty), FAMILIES).items():
        assert np.isnan(values).all(), name


def test_one_level_and_a_huge_move():
    first = BookUpdate("X", START, 1, 1, ((0.1, 1e-8),), ((1e8, 1e9),), snapshot=True)
    rest = [
        BookUpdate("X", START, i, i, ((0.1 * i, 1e9),), ((1e8 - 0.1 * i, 1e-8),), snapshot=True)
        for i in range(2, 300)
    ]
    for name, values in everything(book_views("X", "0.1", [first, *rest]), FAMILIES).items():
        assert np.isfinite(values[-1]), name


def test_more_levels_than_there_are_are_refused():
    assert book_shape.FAMILIES[0].params((20,)) == (20.0,)
    with pytest.raises(ConfigError, match="imbalance_21"):
        book_shape.FAMILIES[0].params((21,))


def test_real_books(data_folder):
    """Binance's own frames."""
    from venues.binance.depth import DepthSync
    from venues.library.frames import read_frames

    (path,) = (data_folder / "binance_l2_raw").glob("spot_ethusdt_*.gz")
    (series,) = (one for one in read_frames(path).series if one.kind == "book")
    sync, events = DepthSync("spot"), []
    for event in series.slice(0, 60_000).events():
        events += sync.snapshot(event) if event.snapshot else sync.update(event)
    seen = book_views("ETHUSDT", "0.01", events)
    assert len(seen.views) > 1000
    found = everything(seen, FAMILIES)
    part = part_reference(seen, 0, len(seen.views))
    for family in FAMILIES:
        for args in family.defaults:
            for name in family.names(args):
                assert np.isfinite(found[name][family.warmup(args) - 1 :]).all()
                if name in part:
                    compare(found[name], part[name].to_numpy(), family.warmup(args), name)
    for i in range(0, len(seen.views), 50):
        for name, value in shape_reference(seen.bids[i], seen.asks[i]).items():
            assert found[name][i] == pytest.approx(value, rel=1e-9, abs=1e-14), name


def test_the_seeds_names(made):
    for name in ("imbalance_5", "imbalance_10", "imbalance_20", "bid_pressure", "ask_pressure",
                 "bid_wall_count", "ask_wall_count", "level1_imbalance"):  # fmt: skip
        assert name in made.found
    assert columns(book_shape.FAMILIES[0], (7,), made.seen).keys() == {"imbalance_7"}
