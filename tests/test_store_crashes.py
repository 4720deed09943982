"""``kill -9`` in the middle of writing: what was acknowledged is there once, all is readable."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from market.events import SECOND, MarketEvent, Tick, Trade
from market.recorder import Recorder
from market.series import Series
from market.store import TickStore

FLUSH = 7
"""Events between two flushes."""
STEP = 150 * SECOND
"""So that a day is soon full, and a run sees several."""
KILLS = 15


def price(number: int) -> float:
    return 100.0 + number % 17


def event(kind: str, number: int) -> MarketEvent:
    if kind == "ticks":
        return Tick("X", number * STEP, price(number))
    # Three trades in an instant.
    return Trade("X", number // 3 * 3 * STEP, price(number), 1.0, 1, number)


def collect(root: str, kind: str, told: Connection) -> None:
    """What a collector does, as fast as it goes, for ever: resume, take, flush, acknowledge."""
    store = TickStore(root)
    recorder = Recorder(store, "X", "the test")
    stored = store.read("X") if store.symbols() else None
    number = 0 if stored is None else len(stored)
    while True:
        for _ in range(FLUSH):
            recorder.take(event(kind, number))
            number += 1
        recorder.flush()
        told.send(number)


@pytest.fixture(scope="module")
def processes() -> Iterator[multiprocessing.context.ForkServerContext]:
    """Processes that start at once: what they import is imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pyarrow.parquet", "pyarrow.fs", __name__])
    return context


@pytest.mark.parametrize("kind", ["ticks", "trades"])
def test_kills_at_random_moments_lose_at_most_what_was_not_flushed(
    kind: str, tmp_path: Path, processes: multiprocessing.context.ForkServerContext
) -> None:
    rng = np.random.default_rng(11)
    acknowledged, most_segments = 0, 0
    for _ in range(KILLS):
        ours, theirs = processes.Pipe(duplex=False)
        child = processes.Process(target=collect, args=(str(tmp_path), kind, theirs))
        child.start()
        theirs.close()
        acknowledged = ours.recv()
        # So many flushes later, and then somewhere within the next one.
        for _ in range(int(rng.integers(0, 24))):
            acknowledged = ours.recv()
        child.kill()
        child.join()
        while True:
            try:
                acknowledged = ours.recv()
            except (EOFError, OSError):
                break
        store = TickStore(tmp_path)
        read = store.read("X")
        # All that was acknowledged, and of the next flush all or nothing.
        assert len(read) in (acknowledged, acknowledged + FLUSH, *partly(acknowledged, kind))
        numbers = np.arange(len(read))
        whole = numbers if kind == "ticks" else numbers // 3 * 3
        assert np.array_equal(read.times, whole * STEP)
        assert np.array_equal(read.columns["price"], 100.0 + numbers % 17)
        assert not read.fresh.any()
        stats = store.stats("X")[kind]
        assert (stats.rows, stats.last) == (len(read), int(read.times[-1]))
        names = [p.name for p in (tmp_path / "X" / kind).iterdir()]
        most_segments = max(most_segments, len(names))
    store.compact("X")
    assert len(store.read("X")) == len(read)
    left = {p.name for p in (tmp_path / "X" / kind).iterdir()}
    assert len(left) == store.stats("X")[kind].days > 1
    assert most_segments > len(left)


def partly(acknowledged: int, kind: str) -> list[int]:
    """How many rows there may be if the kill fell between the two days of one flush."""
    days = [event(kind, acknowledged + k).time // (86_400 * SECOND) for k in range(FLUSH)]
    cut = [k for k in range(1, FLUSH) if days[k] != days[k - 1]]
    return [acknowledged + k for k in cut]


def test_what_a_killed_writer_had_begun_goes_when_its_day_is_merged(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    for n in range(3):
        times = np.array([3 * n + 1, 3 * n + 2]) * SECOND
        store.append(Series.ticks("X", times, np.array([1.0, 2.0])), live=True)
    folder = tmp_path / "X" / "ticks"
    for name in (".1970-01-01.parquet.tmp", ".1970-01-01.000007.parquet.tmp"):
        (folder / name).write_bytes(b"PAR1, cut off")
    (folder / ".1970-01-02.000001.parquet.tmp").write_bytes(b"of another day")
    assert len(store.read("X")) == 6
    store.compact("X")
    left = {path.name for path in folder.iterdir()}
    assert left == {"1970-01-01.parquet", ".1970-01-02.000001.parquet.tmp"}
    assert len(store.read("X")) == 6
