"""Places that are no store, or can't be written: an error of ours, without a secret in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from market.errors import DataError
from market.events import Tick
from market.recorder import Recorder
from market.series import Series
from market.store import TickStore

TICKS = Series.ticks("X", np.array([1, 2]), np.array([10.0, 11.0]))


@pytest.mark.parametrize("uri", ["foo://key:secret@bucket", "gs4://a b", "://"])
def test_a_uri_of_nothing_is_refused_and_its_secret_not_shown(uri: str) -> None:
    with pytest.raises(
        DataError, match=r"is no store .* give a folder, or the URI of a bucket"
    ) as told:
        TickStore(uri)
    assert "secret" not in f"{told.value!r} {told.value.__cause__!r}"


def test_a_file_is_no_place_for_a_store(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("x")
    store = TickStore(place)
    with pytest.raises(DataError, match=r"can't be listed .* check the path"):
        store.symbols()
    with pytest.raises(DataError, match=r"can't be written .* check the path"):
        store.append(TICKS)


def test_a_write_that_is_refused_is_told_and_what_was_held_is_held_on(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    day = tmp_path / "X" / "ticks"
    day.parent.mkdir()
    day.write_text("in the way")
    recorder = Recorder(store, "X", "told")
    recorder.take(Tick("X", 1, 10.0))
    with pytest.raises(DataError, match="can't be"):
        recorder.flush()
    assert recorder.held == 1
    day.unlink()
    assert recorder.flush() == 1


def test_what_fails_half_way_is_no_object_in_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("market.place._OBJECTS", {"mock"})  # pyarrow's filesystem in memory
    store = TickStore("mock:///bucket")
    store.append(TICKS)

    def half(table: object, stream: Any, **options: object) -> None:
        stream.write(b"PAR1")
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.write_table", half)
        with pytest.raises(MemoryError):
            store.append(Series.ticks("X", [3, 4], [10.0, 11.0]))
    assert store.read("X").times.tolist() == [1, 2]
    assert store.append(Series.ticks("X", [3, 4], [10.0, 11.0])) == 2


def test_a_quarantine_of_somebody_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "X" / "quarantine" / "rows.parquet"
    path.parent.mkdir(parents=True)
    parquet.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(DataError, match=r"rows\.parquet is no quarantine's; move it away"):
        TickStore(tmp_path).quarantine("X")
