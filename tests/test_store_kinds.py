"""The store beyond ticks: trades, bars, books, buckets, quarantine, retention, its format."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow.fs as fs
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market import footer
from market.calendar import B3_DOLLAR
from market.errors import DataError, SchemaMismatch
from market.events import SECOND, Bar, BookUpdate, FeedGap, Tick, Trade
from market.recorder import Recorder
from market.series import BadRow, Series
from market.store import TickStore

DAY = 86_400 * SECOND
MINUTE = 60 * SECOND


def trades(*numbers: int, size: float = 1.0) -> Series:
    ids = np.array(numbers)
    return Series.trades("X", ids * SECOND, ids, 100.0 + ids % 7, np.full(len(ids), size), ids % 2)


def loose(*seconds: int) -> Series:
    """Trades without numbers, all alike."""
    n = len(seconds)
    times = np.array(seconds) * SECOND
    return Series.trades("X", times, [-1] * n, [5.0] * n, [1.0] * n, [0] * n)


def bars(*minutes: int, **known: Any) -> Series:
    values = np.full((len(minutes), 5), 3.0)
    return Series.bars("X", np.array(minutes) * MINUTE, MINUTE, values, **known)


@settings(max_examples=15, deadline=None)
@given(batches=st.lists(st.sets(st.integers(1, 40), min_size=1), max_size=6))
def test_trades_are_known_by_their_number(
    batches: list[set[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = TickStore(tmp_path_factory.mktemp("store"))
    seen: set[int] = set()
    for batch in batches:
        assert store.append(trades(*sorted(batch))) == len(batch - seen)
        seen |= batch
        assert store.read("X").columns["id"].tolist() == sorted(seen)


def test_a_source_in_microseconds_does_not_contradict_one_in_milliseconds(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(trades(1, 2, 3))
    finer = Series.trades("X", [SECOND + 123], [1], [101.0], [1.0], [1])
    assert store.append(finer) == 0
    with pytest.raises(
        DataError, match=r"the event of X at 1970-01-01 00:00:02 UTC is id 2, price 102\.0, size"
    ):
        store.append(trades(2, size=9.0))


def test_a_trade_told_again_in_microseconds_does_not_lie_behind_itself(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(trades(1, 2, 3))
    ids = np.array([3, 4])
    finer = Series.trades("X", ids * SECOND + 123, ids, 100.0 + ids, [1.0, 1.0], ids % 2)
    assert store.append(finer) == 1
    assert store.read("X").columns["id"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("numbered_first", [True, False])
def test_trades_of_a_source_without_numbers_are_those_of_one_with(
    numbered_first: bool, tmp_path: Path
) -> None:
    store = TickStore(tmp_path)
    numbered = Series.trades(
        "X", np.array([1, 1, 2]) * SECOND, [7, 8, 9], [5.0] * 3, [1.0] * 3, [0] * 3
    )
    first, second = (numbered, loose(1, 1, 2, 3))[:: 1 if numbered_first else -1]
    assert store.append(first) == len(first)
    assert store.append(second) == (1 if numbered_first else 0)
    read = store.read("X")
    assert (read.times // SECOND).tolist() == [1, 1, 2, 3]
    assert sorted(read.columns["id"].tolist()) == [-1, 7, 8, 9]


def test_a_number_left_out_at_a_seam_is_a_hole(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(trades(*range(10, 20)), "first")
    store.append(trades(*range(20, 30)))
    assert store.holes("X") == []
    store.append(trades(*range(40, 50)), "later")
    store.append(trades(*range(0, 5)), "earlier")
    found = [(h.start // SECOND, h.end // SECOND, h.source) for h in store.holes("X")]
    assert found == [(4, 10, "earlier"), (29, 40, "later")]
    store.append(trades(*range(29, 41)))
    assert [h.end // SECOND for h in store.holes("X")] == [10]


def test_equal_trades_without_numbers_are_kept_as_often_as_they_came(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    assert store.append(loose(1, 1, 2)) == 3
    assert store.append(loose(1, 1, 2)) == 0
    assert store.append(loose(1, 2, 2, 3)) == 2
    assert (store.read("X").times // SECOND).tolist() == [1, 1, 2, 2, 3]


def test_what_one_source_does_not_tell_another_does(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(bars(1, 2, 3, 4))
    assert store.append(bars(2, 3, trades=[5.0, 6.0])) == 0
    told = store.read("X", "bars-1m").columns["trades"]
    assert np.array_equal(told, [np.nan, 5.0, 6.0, np.nan], equal_nan=True)
    with pytest.raises(DataError, match=r"trades 5.0, now .*trades 7.0 from B; one of the two"):
        store.append(bars(2, trades=[7.0]), "B")


def test_bars_of_two_steps_lie_apart(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(bars(1, 2, 3))
    five = Series.bars("X", np.array([5, 10, 15]) * MINUTE, 5 * MINUTE, np.full((3, 5), 3.0))
    store.append(five)
    assert store.kinds("X") == ("bars-1m", "bars-5m")
    assert store.read("X", "bars-5m").step == 5 * MINUTE
    # A single bar knows its step from its folder.
    assert store.read("X", "bars-1m", 2 * MINUTE, 2 * MINUTE).step == MINUTE


def test_a_book_comes_out_as_it_went_in(tmp_path: Path) -> None:
    events = [
        BookUpdate("X", 5, 10, 10, ((9.0, 1.0), (8.0, 2.0)), ((10.0, 1.0),), -1, True),
        BookUpdate("X", 6, 11, 12, (), ((10.0, 0.0),), 10),
        BookUpdate("X", 7, 13, 13, (), (), 12),
        FeedGap("X", 9, 7, "book"),
        BookUpdate("X", 9, 30, 30, ((9.0, 1.0),), (), -1, True),
    ]
    store = TickStore(tmp_path)
    series = Series.from_events("X", events)
    assert store.append(series) == 6
    assert store.append(series) == 0
    assert list(store.read("X").events()) == events


def test_an_earlier_batch_shows_the_hole_behind_it(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    midnight = DAY // MINUTE
    store.append(bars(*range(midnight + 10, midnight + 20)))
    # The day before, then the minutes up to one before the first.
    store.append(bars(*range(midnight - 20, midnight - 10)), "before")
    assert [h.end // MINUTE - midnight for h in store.holes("X")] == [10]
    store.append(bars(*range(midnight - 11, midnight + 11)), "between")
    assert store.holes("X") == []


def test_a_night_is_no_hole_where_the_market_sleeps(tmp_path: Path) -> None:
    # Thursday 2021-11-18 to Friday: B3 closes in the evening and opens in the morning.
    evening = np.datetime64("2021-11-18T21:26", "ns").astype(np.int64)
    morning = np.datetime64("2021-11-19T12:01", "ns").astype(np.int64)
    values = np.full((5, 5), 3.0)
    days = [
        Series.bars("X", start + np.arange(5) * MINUTE, MINUTE, values)
        for start in (evening, morning)
    ]
    asleep, awake = TickStore(tmp_path / "a"), TickStore(tmp_path / "b")
    for day in days:
        asleep.append(day, calendar=B3_DOLLAR)
        awake.append(day)
    assert (len(asleep.holes("X")), len(awake.holes("X"))) == (0, 1)


def test_contradictions_go_into_quarantine_where_asked(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(trades(1, 2, 3))
    assert store.append(trades(2, 3, 4, size=9.0), "other", keep_first=True) == 1
    assert store.read("X").columns["size"].tolist() == [1.0, 1.0, 1.0, 9.0]
    rows = store.quarantine("X")
    assert [row.where for row in rows] == ["other at 2000000000", "other at 3000000000"]
    assert rows[0].reason == "stored is id 2, price 102.0, size 1.0, side 0"
    assert rows[0].row == "id 2, price 102.0, size 9.0, side 0"
    assert store.set_aside("X", [rows[0], BadRow("a.csv:1", "no", "1")]) == 1
    assert len(store.quarantine("X")) == 3
    assert store.symbols() == ("X",)
    assert store.kinds("X") == ("trades",)


def test_figures_without_reading_a_row(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    price = np.array([4.0, 2.0, 3.0, 7.0])
    when = np.array([1, 2, DAY // SECOND, DAY // SECOND + 1]) * SECOND
    store.append(Series.ticks("X", when, price, bid=[1.0, np.nan, 2.0, np.nan]))
    store.append(Series.ticks("X", [DAY + 2 * SECOND], [9.0]))
    stats = store.stats("X")["ticks"]
    assert (stats.rows, stats.days, stats.first, stats.last) == (5, 2, SECOND, DAY + 2 * SECOND)
    one = stats.columns["price"]
    assert (one.least, one.most, one.mean, one.nulls) == (2.0, 9.0, 5.0, 0)
    bid = stats.columns["bid"]
    assert (bid.least, bid.most, bid.mean, bid.nulls) == (1.0, 2.0, 1.5, 3)
    assert np.isnan(stats.columns["ask"].mean)
    assert stats.size == sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))


def test_what_is_too_old_is_forgotten(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    hour = 3600
    store.append(trades(*range(1, 30 * hour, hour // 2)))
    store.append(trades(40 * hour, 50 * hour))
    assert store.forget("X", 20 * hour * SECOND) == 1
    read = store.read("X")
    assert read.times[0] == (39 * hour // 2 + 1 + hour // 2) * SECOND
    assert store.forget("X", 20 * hour * SECOND) == 0
    assert store.forget("X", 45 * hour * SECOND) == 2
    assert (store.read("X").times // (hour * SECOND)).tolist() == [50]
    assert store.append(trades(51 * hour)) == 1
    assert len(store.read("X")) == 2


def test_a_later_schema_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TickStore(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(footer, "SCHEMA", 2)
        store.append(trades(1))
    for look in (store.read, store.stats, store.holes):
        with pytest.raises(SchemaMismatch, match="has schema 2, this Pregão knows 1: upgrade it"):
            look("X")


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(trades(1))
    path = tmp_path / "X" / "trades" / "1970-01-01.parquet"
    parquet.write_table(parquet.read_table(path).replace_schema_metadata({}), path)
    with pytest.raises(DataError, match="is not the tick store's"):
        store.read("X")


FILESYSTEMS = {
    "mock": lambda _: ("mock:///bucket", None),
    "subtree": lambda path: ("store", fs.SubTreeFileSystem(str(path), fs.LocalFileSystem())),
    "fsspec": lambda path: (
        f"/{path.name}",
        fs.PyFileSystem(fs.FSSpecHandler(fsspec.filesystem("memory"))),
    ),
}


@pytest.mark.parametrize("name", FILESYSTEMS)
def test_any_filesystem_of_pyarrow_will_do(name: str, tmp_path: Path) -> None:
    store = TickStore(*FILESYSTEMS[name](tmp_path))
    assert store.symbols() == ()
    for first in range(1, 350, 5):  # so many that they are compacted on the way
        assert store.append(trades(*range(first, first + 5))) == 5
    assert store.append(trades(*range(100, 500))) == 149
    assert store.read("X").columns["id"].tolist() == list(range(1, 500))
    assert store.holes("X") == []
    assert store.set_aside("X", [BadRow("f:1", "bad")]) == 1
    assert store.quarantine("X") == (BadRow("f:1", "bad"),)
    store.append(trades(500))
    store.compact("X")
    assert store.stats("X")["trades"].rows == 500
    assert store.forget("X", 400 * SECOND) == 1
    assert store.read("X").columns["id"][0] == 400


def test_a_reader_beside_a_writer_sees_a_whole_store(tmp_path: Path) -> None:
    """Compaction takes files away under the reader; it must neither fail nor see a row twice."""
    store = TickStore(tmp_path)
    store.append(trades(0))
    done = threading.Event()
    failed: list[BaseException] = []

    def read() -> None:
        reader, had = TickStore(tmp_path), 0
        try:
            while not done.is_set():
                ids = reader.read("X").columns["id"]
                assert np.array_equal(ids, np.arange(len(ids)))
                assert len(ids) >= had
                had = len(ids)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for number in range(1, 50):
            store.append(trades(number))
            if number % 5 == 0:
                store.compact("X")
    finally:
        done.set()
        thread.join()
    assert failed == []


def test_a_recorder_keeps_the_good_and_puts_the_bad_aside(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    recorder = Recorder(store, "X", "a stream")
    told = [Tick("X", 1, 5.0), Tick("X", 2, -1.0), Tick("X", 1, 6.0), FeedGap("X", 9, 1),
            Tick("X", 9, 5.0), Trade("X", 9, 5.0, 1.0), Trade("X", 9, 5.0, 1.0)]  # fmt: skip
    for event in told:
        recorder.take(event)
    assert recorder.flush() == 2
    # Another trade of that instant may come still.
    assert (recorder.held, recorder.refused) == (2, 2)
    recorder.take(Trade("X", 9, 5.0, 1.0))
    assert recorder.flush(ended=True) == 3
    assert store.read("X", "ticks").times.tolist() == [1, 9]
    assert store.read("X", "ticks").fresh.tolist() == [False, True]
    assert store.read("X", "trades").fresh.tolist() == [True, False, False]
    reasons = [row.reason for row in store.quarantine("X")]
    assert "price must be positive" in reasons[0]
    assert "time must increase" in reasons[1]
    assert store.quarantine("X")[0].where == "a stream at 2"


def test_a_live_stream_tells_its_holes_itself(tmp_path: Path) -> None:
    """Three quotes a second apart by chance make no market that ticks every second."""
    quiet, judged = TickStore(tmp_path / "a"), TickStore(tmp_path / "b")
    recorder = Recorder(quiet, "X", "a stream")
    for times in ((1, 2, 3), (7, 8, 9)):
        for time in times:
            recorder.take(Tick("X", time * SECOND, 5.0))
        recorder.flush()
        judged.append(Series.ticks("X", np.array(times) * SECOND, [5.0] * 3))
    assert (len(quiet.holes("X")), len(judged.holes("X"))) == (0, 1)


def test_bars_of_a_recorder_have_its_step(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    recorder = Recorder(store, "X", "a stream", MINUTE)
    recorder.take(Bar("X", MINUTE, 1.0, 1.0, 1.0, 1.0))
    recorder.flush()
    assert store.kinds("X") == ("bars-1m",)
