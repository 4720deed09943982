"""Between a stream and the store: what is taken is stored once, whenever it is flushed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.events import Bar, BookUpdate, FeedGap, Tick, Trade
from market.recorder import Recorder
from market.store import TickStore


@pytest.mark.parametrize("numbered", [True, False])
def test_a_quiet_market_is_flushed_again_and_again(tmp_path: Path, numbered: bool) -> None:
    recorder = Recorder(TickStore(tmp_path), "BTCUSDT", "a test")
    assert recorder.flush() == 0
    recorder.take(Trade("BTCUSDT", 5, 10.0, 1.0, 1, 7 if numbered else -1))
    recorder.take(Tick("BTCUSDT", 5, 10.0))
    assert recorder.flush() + recorder.flush() + recorder.flush() == (2 if numbered else 1)
    assert recorder.flush(ended=True) == (0 if numbered else 1)
    assert recorder.held == 0
    assert recorder.stored == 2


@settings(deadline=None)  # it writes to the disk
@given(st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=8), st.booleans())
def test_when_it_is_flushed_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, steps: list[list[int]], numbered: bool
) -> None:
    """Each inner list is what comes between two flushes: how much later than the one before."""
    folder = tmp_path_factory.mktemp("recorder")
    often, once = (Recorder(TickStore(folder / name), "X", "a test") for name in ("a", "b"))
    time = number = 1
    for step in steps:
        for later in step:
            time, number = time + later, number + 1
            trade = Trade("X", time, 10.0, 1.0, 1, number if numbered else -1)
            often.take(trade)
            once.take(trade)
        often.flush()
    assert often.flush(ended=True) + often.held <= often.stored
    once.flush(ended=True)
    assert often.stored == once.stored == number - 1
    if number > 1:
        one, other = (TickStore(folder / name).read("X", "trades") for name in ("a", "b"))
        assert one.times.tolist() == other.times.tolist()


def test_a_hole_of_the_book_is_none_of_bars_and_trades(tmp_path: Path) -> None:
    """Else a recording would forget columns at a hole where the live floor does not."""
    recorder = Recorder(TickStore(tmp_path), "X", "a test")
    for time in (1, 2, 3):
        if time > 1:
            recorder.take(FeedGap("X", time, time - 1, "book" if time == 2 else "trades"))
        recorder.take(Bar("X", time, 1.0, 1.0, 1.0, 1.0))
        recorder.take(Trade("X", time, 1.0, 1.0, 1, time))
        recorder.take(BookUpdate("X", time, time, time, ((1.0, 1.0),), (), snapshot=True))
    recorder.flush(ended=True)
    store = TickStore(tmp_path)
    fresh = {
        kind: np.flatnonzero(store.read("X", kind).fresh).tolist()
        for kind in ("bars", "trades", "book")
    }
    assert fresh == {"bars": [], "trades": [2], "book": [1]}


def test_a_hole_that_says_nothing_is_one_of_every_kind(tmp_path: Path) -> None:
    recorder = Recorder(TickStore(tmp_path), "X", "a test")
    for time in (1, 2):
        recorder.take(Trade("X", time, 1.0, 1.0, 1, time))
        recorder.take(Tick("X", time, 1.0))
        recorder.take(FeedGap("X", time + 1, time))
    recorder.flush(ended=True)
    store = TickStore(tmp_path)
    assert [store.read("X", kind).fresh[1] for kind in ("trades", "ticks")] == [True, True]
