"""Recordings played as a feed: nothing silently dropped, every hole told."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from market.errors import DataError, UnknownSymbol
from market.events import SECOND, Bar, Event, FeedGap, Tick
from market.series import BadRow
from market.store import TickStore
from venues.base import Feed
from venues.files import FileFeed, find

DATA = Path(os.environ.get("PREGAO_DATA", "../shared/data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no recordings at {DATA} (PREGAO_DATA)")

HEADER = "timestamp,unix_time,instrument,price,direction,tick_size,session_id"
T0 = 1_775_217_456


def ticks_csv(folder: Path, rows: list[str] | None = None, name: str = "R_75_20260404") -> Path:
    """A Deriv tick file of 400 rows a second apart, ``rows`` put in after the tenth."""
    good = [f"x,{T0 + k},R_75,{100 + k % 9},7,9,S" for k in range(400)]
    body = [*good[:10], *(rows or []), *good[10:]]
    path = folder / f"{name}.csv"
    path.write_text("\n".join([HEADER, *body]) + "\n")
    return path


async def play(feed: FileFeed, after: int = 0) -> list[Event]:
    return [event async for event in feed.events(after)]


async def test_ticks_come_as_recorded(tmp_path: Path) -> None:
    feed = FileFeed(ticks_csv(tmp_path))
    assert isinstance(feed, Feed)
    assert feed.symbol == "R_75"
    events = await play(feed)
    assert events[0] == Tick("R_75", T0 * SECOND, 100.0)
    assert [e.time for e in events] == [(T0 + k) * SECOND for k in range(400)]
    assert (feed.stats.received, feed.stats.gaps, feed.quarantine) == (400, 0, ())
    assert feed.live


@pytest.mark.parametrize("cut", [0, 1, 199, 200, 399])
async def test_a_restart_goes_on_as_if_nothing_had_happened(tmp_path: Path, cut: int) -> None:
    text = ticks_csv(tmp_path).read_text().splitlines()
    del text[200:205]
    path = tmp_path / "R_75.csv"
    path.write_text("\n".join(text))
    whole = await play(FileFeed(path))
    ticks = [event for event in whole if isinstance(event, Tick)]
    after = ticks[min(cut, len(ticks) - 1)].time
    assert await play(FileFeed(path), after) == [e for e in whole if e.time > after]


async def test_a_hole_is_one_gap_with_both_ends(tmp_path: Path) -> None:
    lines = ticks_csv(tmp_path).read_text().splitlines()
    del lines[101:103]
    path = tmp_path / "R_75.csv"
    path.write_text("\n".join(lines))
    events = await play(FileFeed(path))
    assert [e for e in events if isinstance(e, FeedGap)] == [
        FeedGap("R_75", (T0 + 102) * SECOND, (T0 + 99) * SECOND)
    ]
    wide = await play(FileFeed(path, max_gap=3.0))
    assert not any(isinstance(event, FeedGap) for event in wide)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,soon,R_75,100,7,9,S", "Invalid isoformat string: 'soon'"),
        (f"x,{T0 + 10},R_75,abc,7,9,S", "price must be a number, was 'abc'"),
        (f"x,{T0 + 10},R_75,,7,9,S", "price is missing"),
        (f"x,{T0 + 10},R_75,nan,7,9,S", "price must be positive and finite, was nan"),
        (f"x,{T0 + 10},R_75,-3,7,9,S", "price must be positive and finite, was -3"),
        (f"x,{T0 + 10},R_75,1000,7,9,S", "price jumps from 100 to 1000 (+900 %)"),
        (f"x,{T0 + 3},R_75,100,7,9,S", "time runs backwards, or stands still with other prices"),
        (f"x,{T0 + 9},R_75,101,7,9,S", "time runs backwards, or stands still with other prices"),
        (f"x,{T0 + 10},R_75", "price is missing"),
    ],
)
async def test_a_bad_row_is_kept_aside_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    feed = FileFeed(ticks_csv(tmp_path, [row]))
    events = await play(feed)
    text = ",".join([*row.split(","), "", "", "", ""][:7])
    assert feed.quarantine == (BadRow("R_75_20260404.csv:12", reason, text),)
    assert feed.stats.bad_frames == 1
    assert [e.time for e in events] == [(T0 + k) * SECOND for k in range(400)]


async def test_bad_rows_are_counted_by_what_is_wrong(tmp_path: Path) -> None:
    rows = [f"x,{T0 + 10},R_75,abc,7,9,S", f"x,{T0 + 3},R_75,100,7,9,S", f"x,{T0 + 10},,100,7,9,S"]
    feed = FileFeed(ticks_csv(tmp_path, rows), "R_75")
    await play(feed)
    assert feed.stats.reasons == {"price": 1, "time": 1, "symbol": 1}


async def test_a_row_told_twice_is_dropped_and_counted(tmp_path: Path) -> None:
    feed = FileFeed(ticks_csv(tmp_path, [f"x,{T0 + k},R_75,{100 + k},7,9,S" for k in (5, 6, 7)]))
    assert len(await play(feed)) == 400
    assert (feed.stats.duplicates, feed.quarantine) == (3, ())


async def test_too_many_bad_rows_refuse_the_file(tmp_path: Path) -> None:
    path = ticks_csv(tmp_path, [f"x,{T0 + 10},R_75,none,7,9,S"] * 5)
    with pytest.raises(DataError, match=r"R_75_20260404\.csv: 5 of 405 rows are bad, the first in "
                       r"line 12: price must be a number, was 'none'; mend the file"):  # fmt: skip
        await play(FileFeed(path))


def bars_parquet(folder: Path, unit: int, name: str = "open_time", skip: int = -1) -> Path:
    rows = [k for k in range(300) if k != skip]
    stamps = [(T0 // 300 * 300 + 300 * k) * unit for k in rows]
    price = np.array([10.0 + k % 5 for k in rows])
    path = folder / "BTCUSDT_5m.parquet"
    parquet.write_table(
        pa.table(
            {
                name: stamps,
                "Open": price,
                "High": price + 1,
                "Low": price - 1,
                "Close": price + 0.5,
                "Volume": price,
            }
        ),
        path,
    )
    return path


@pytest.mark.parametrize("unit", [1, 1000, 1_000_000, SECOND])
async def test_a_bar_is_known_at_its_close(tmp_path: Path, unit: int) -> None:
    events = await play(FileFeed(bars_parquet(tmp_path, unit)))
    close = (T0 // 300 * 300 + 300) * SECOND
    bar = msgspec.structs.replace(events[0], trades=0.0, buy_volume=0.0)
    assert bar == Bar("BTCUSDT", close, 10.0, 11.0, 9.0, 10.5, 10.0, 0.0, 0.0)
    assert events[-1].time == close + 299 * 300 * SECOND


async def test_bars_from_csv_with_iso_dates(tmp_path: Path) -> None:
    path = tmp_path / "LINKUSDT_1m.csv"
    rows = [f"2024-09-08 09:{k:02}:00+00:00,2,4,1,3,{k}" for k in range(60)]
    path.write_text("\n".join(["ts,open,high,low,close,volume", *rows]))
    events = await play(FileFeed(path))
    assert events[0].time == 1_725_786_060 * SECOND
    assert isinstance(events[5], Bar)
    assert events[5].volume == 5.0


async def test_a_missing_bar_is_a_gap(tmp_path: Path) -> None:
    events = await play(FileFeed(bars_parquet(tmp_path, 1, skip=40)))
    gaps = [event for event in events if isinstance(event, FeedGap)]
    assert [gap.time - gap.start for gap in gaps] == [600 * SECOND]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "a.csv is empty; fetch it again or leave it out"),
        ("a.csv", "unix_time,price\n", "has a header but no rows"),
        ("a.csv", "unix_time,quote\n1775217456,3\n", "columns quote, unix_time; known are .*ticks"),
        ("a.csv", "when,price\n1775217456,3\n", "columns price, when; known are .*Profit export"),
        ("a.parquet", "PAR1 not at all", r"a\.parquet is not Parquet"),
        ("a.feather", "x", r"must be \.csv or \.parquet, was \.feather"),
        ("a.csv", "ts,open,high,low,close\n1775217456,2,4,1,3\n", "bars must be evenly spaced"),
    ],
)
async def test_an_unusable_file_is_named_with_its_remedy(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        await play(FileFeed(path))
    with pytest.raises(DataError, match="is no file; check the path"):
        await play(FileFeed(tmp_path / "absent.csv"))


async def test_history_is_what_the_file_holds(tmp_path: Path) -> None:
    feed = FileFeed(ticks_csv(tmp_path))
    part = await feed.history("R_75", (T0 + 10) * SECOND, (T0 + 20) * SECOND)
    assert (part.times // SECOND - T0).tolist() == list(range(10, 21))
    few = await feed.history("R_75", 0, None, 3)
    assert (few.times // SECOND - T0).tolist() == [397, 398, 399]
    with pytest.raises(UnknownSymbol, match="holds R_75, not R_100"):
        await feed.history("R_100", 0)


async def test_a_tick_store_plays_like_the_file_it_came_from(tmp_path: Path) -> None:
    source = FileFeed(ticks_csv(tmp_path))
    store = TickStore(tmp_path / "store")
    store.append(source.tape)
    assert find(tmp_path / "store") == {"R_75": tmp_path / "store"}
    assert FileFeed(tmp_path / "store").symbol == "R_75"
    assert await play(FileFeed(tmp_path / "store", "R_75")) == await play(source)


async def test_close_ends_the_events(tmp_path: Path) -> None:
    feed = FileFeed(ticks_csv(tmp_path))
    taken = 0
    async for _ in feed.events(0):
        taken += 1
        if taken == 5:
            await feed.close()
    assert taken == 5


def test_find(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        find(tmp_path / "absent")
    with pytest.raises(DataError, match="holds no recording"):
        find(tmp_path)
    ticks = ticks_csv(tmp_path)
    bars = bars_parquet(tmp_path, 1)
    (tmp_path / "notes.txt").write_text("x")
    assert find(tmp_path) == {"BTCUSDT": bars, "R_75": ticks}
    assert find(tmp_path, ["R_75"]) == {"R_75": ticks}
    with pytest.raises(UnknownSymbol, match=r"no recording of 'R_57' in .*; there is R_75"):
        find(tmp_path, ["R_57"])
    ticks_csv(tmp_path, name="R_75_20260405")
    with pytest.raises(DataError, match="of R_75; keep one"):
        find(tmp_path, ["R_75"])
    assert find(tmp_path, ["BTCUSDT"]) == {"BTCUSDT": bars}


@needs_data
@pytest.mark.parametrize(("folder", "symbol", "rows", "gaps"), [
    ("deriv_ticks", "CRASH1000", 10_000, 0),
    ("deriv_ticks", "R_75", 43_199, 1),
    ("binance_klines_5m", "BTCUSDT", 61_040, 1),
])  # fmt: skip
def test_real_recordings(folder: str, symbol: str, rows: int, gaps: int) -> None:
    feed = FileFeed(find(DATA / folder)[symbol], symbol)
    assert (len(feed.tape), int(feed.tape.fresh.sum()), feed.quarantine) == (rows, gaps, ())


@needs_data
def test_dirty_recordings_are_refused_or_told() -> None:
    with pytest.raises(DataError, match=r"597 of 10000 rows are bad, .*jumps from 134656 to"):
        _ = FileFeed(DATA / "dirty" / "BTCUSDT_1m_bad_prices.csv").tape
    with pytest.raises(DataError, match="is empty"):
        _ = FileFeed(DATA / "dirty" / "empty.feather").tape
    assert FileFeed(DATA / "dirty" / "LINKUSDT_1m_holes.csv").tape.fresh.sum() == 99
