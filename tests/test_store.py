"""The tick store keeps every event once, through refills, contradictions and damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import DataError, UnknownSymbol
from market.events import SECOND, Bar, FeedGap, Tick
from market.store import TickStore
from market.tape import Tape

DAY = 86_400


def ticks(*seconds: int, symbol: str = "R_75", scale: float = 1.0) -> Tape:
    times = np.array(seconds, np.int64) * SECOND
    return Tape.of_ticks(symbol, times, scale * (100.0 + np.arange(len(times)) % 7 + times % 11))


def marked(tape: Tape, *rows: int) -> Tape:
    fresh = tape.fresh.copy()
    fresh[list(rows)] = True
    return Tape(tape.symbol, tape.bars, tape.times, tape.values, fresh)


def price(seconds: int) -> float:
    return 50.0 + seconds % 13


def at(seconds: list[int]) -> Tape:
    times = np.array(seconds, np.int64)
    return Tape.of_ticks("R_75", times * SECOND, np.array([price(s) for s in seconds]))


def equal(a: Tape, b: Tape) -> bool:
    return bool(
        a.symbol == b.symbol
        and a.bars == b.bars
        and np.array_equal(a.times, b.times)
        and np.array_equal(a.values, b.values, equal_nan=True)
        and np.array_equal(a.fresh, b.fresh)
    )


def test_what_is_read_is_what_was_written_over_midnight(tmp_path: Path) -> None:
    tape = marked(ticks(*range(DAY - 100, DAY + 100, 2)), 30)
    store = TickStore(tmp_path)
    assert store.append(tape) == 100
    assert equal(TickStore(tmp_path).tape("R_75"), tape)
    assert sorted(p.name for p in (tmp_path / "R_75" / "ticks").iterdir()) == [
        "1970-01-01.parquet",
        "1970-01-02.parquet",
    ]
    cut = store.read("R_75", None, (DAY - 4) * SECOND, (DAY + 2) * SECOND)
    assert (cut.times // SECOND - DAY).tolist() == [-4, -2, 0, 2]
    assert len(store.read("R_75", "ticks", 5 * DAY * SECOND)) == 0
    assert store.last("R_75") == tape.times[-1]
    assert store.last("R_100") is None


def test_bars_keep_their_five_columns(tmp_path: Path) -> None:
    bars = [Bar("BTCUSDT", k * SECOND, 2.0, 4.0, 1.0, 3.0, 7.5) for k in range(1, 5)]
    tape = Tape.from_events("BTCUSDT", [*bars, FeedGap("BTCUSDT", 9, 4), Bar("BTCUSDT", 9 * SECOND,
        2.0, 4.0, 1.0, 3.0)])  # fmt: skip
    store = TickStore(tmp_path)
    store.append(tape)
    assert equal(store.tape("BTCUSDT"), tape)
    store.append(ticks(2, symbol="BTCUSDT"))
    assert store.kinds("BTCUSDT") == ("bars", "ticks")
    with pytest.raises(DataError, match="has several kinds of BTCUSDT; say bars or ticks"):
        store.read("BTCUSDT")
    with pytest.raises(DataError, match="has no bars-1m of BTCUSDT; say bars or ticks"):
        store.read("BTCUSDT", "bars-1m")
    assert equal(store.tape("BTCUSDT", "bars"), tape)


@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(
        st.lists(st.integers(1, 4 * DAY // 3600).map(lambda h: h * 3600), unique=True).map(sorted),
        max_size=6,
    )
)
def test_any_order_of_overlapping_batches_gives_each_event_once(
    batches: list[list[int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = TickStore(tmp_path_factory.mktemp("store"))
    seen: set[int] = set()
    for batch in batches:
        assert store.append(at(batch)) == len(set(batch) - seen)
        seen |= set(batch)
    if not seen:
        assert store.symbols() == ()
        return
    read = store.tape("R_75")
    assert (read.times // SECOND).tolist() == sorted(seen)
    assert read.close.tolist() == [price(s) for s in sorted(seen)]


def test_another_price_for_a_stored_event_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(ticks(2, 4, 6))
    with pytest.raises(
        DataError, match=r"event of R_75 at 1970-01-01 00:00:04 UTC is price .*, now price 1.0; one"
    ):
        store.append(Tape.of_ticks("R_75", np.array([4, 8]) * SECOND, np.array([1.0, 2.0])))
    assert equal(store.tape("R_75"), ticks(2, 4, 6))


def test_a_refilled_hole_is_one_no_more(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(marked(at([2, 4, 10, 12]), 2))
    assert store.read("R_75").fresh.tolist() == [False, False, True, False]
    assert store.append(at([4, 6, 8, 10])) == 2
    assert not store.read("R_75").fresh.any()


def test_the_first_row_of_a_tape_says_nothing_of_a_stored_hole(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(marked(at([2, 4, 10, 12]), 2))
    store.append(at([10, 12, 14]))
    assert store.read("R_75").fresh.tolist() == [False, False, True, False, False]


def test_a_seam_wider_than_a_step_is_a_hole(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(at(list(range(2, 40, 2))))
    store.append(at(list(range(40, 60, 2))))
    assert not store.read("R_75").fresh.any()
    store.append(at(list(range(100, 140, 2))))
    read = store.read("R_75")
    assert (read.times[read.fresh] // SECOND).tolist() == [100]
    assert store.stats("R_75")["ticks"].holes == 1


def test_a_crash_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = TickStore(tmp_path)
    store.append(ticks(2, 4))

    def die(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            store.append(at([100, 102]))
    folder = tmp_path / "R_75" / "ticks"
    leftovers = [p.name for p in folder.iterdir() if p.name.startswith(".")]
    assert leftovers == [".1970-01-01.000001.parquet.tmp"]
    (folder / leftovers[0]).write_bytes(b"PAR1 and half a table")
    again = TickStore(tmp_path)
    assert equal(again.tape("R_75"), ticks(2, 4))
    assert again.append(at([100, 102])) == 2
    again.compact("R_75")
    assert [p.name for p in folder.iterdir()] == ["1970-01-01.parquet"]


def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(ticks(2, 4))
    path = tmp_path / "R_75" / "ticks" / "1970-01-01.parquet"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=r"1970-01-01\.parquet can't be read .*; move it away"):
        store.read("R_75")


def test_unknown_symbols_are_told_what_there_is(tmp_path: Path) -> None:
    store = TickStore(tmp_path / "absent")
    with pytest.raises(UnknownSymbol, match="it is empty; collect first"):
        store.read("R_75")
    store.append(ticks(2, 4))
    store.append(ticks(2, symbol="BOOM500"))
    assert store.symbols() == ("BOOM500", "R_75")
    with pytest.raises(UnknownSymbol, match=r"nothing of 'R_57' is stored .* it has R_75"):
        store.read("R_57")
    with pytest.raises(DataError, match="symbol must be"):
        store.append(ticks(2, symbol="../x"))


def test_another_filesystem_by_uri(tmp_path: Path) -> None:
    store = TickStore(f"file://{tmp_path}")
    store.append(ticks(2, 4))
    assert [tick for tick in TickStore(tmp_path).tape("R_75").events() if isinstance(tick, Tick)]


def test_a_filesystem_that_is_no_disk() -> None:
    store = TickStore("mock:///bucket")  # pyarrow's filesystem in memory
    assert store.append(ticks(2, 4)) == 2
    assert store.append(at([6, 8])) == 2
    assert (store.read("R_75").times // SECOND).tolist() == [2, 4, 6, 8]
    assert store.stats("R_75")["ticks"].days == 1
