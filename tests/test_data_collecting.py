"""``pregao data collect`` beside another, without a venue, and interrupted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from market.errors import DataError
from market.events import SECOND, BookUpdate
from market.recorder import Recorder
from market.series import Series
from market.store import TickStore
from tests.data_commands import pregao
from tests.test_data_venues import ROOT
from venues.base import Feed, FeedStats
from venues.library.progress import Line
from venues.library.sources import Source


@pytest.fixture
def unreachable(tmp_path: Path) -> Path:
    """Settings of a venue at an address where nobody listens."""
    path = tmp_path / "collect.yaml"
    wanted = {"venue": {"endpoint": "ws://127.0.0.1:9"}, "symbols": ["R_75", "R_100"]}
    path.write_text(yaml.safe_dump({"store": str(tmp_path / "live"), "deriv": wanted}))
    return path


def test_another_collector_of_a_symbol_is_refused(unreachable: Path, tmp_path: Path) -> None:
    store = TickStore(tmp_path / "live")
    program = (
        "import sys; from market.store import TickStore\n"
        "with TickStore(sys.argv[1]).claimed('R_100', 'ticks'): print('mine'); input()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, store.root],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "mine\n"
        code, said = pregao("data", "collect", "--config", unreachable, "--seconds", "0.2")
        assert code == 1
        assert (
            f"error R_100 ticks is being collected by process {other.pid}; stop it, or give "
            "another store" in said
        )
        # Other kinds may be collected, and anybody may append.
        with store.claimed("R_100", "bars-1m"), store.claimed("R_75", "ticks"):
            assert store.append(Series.ticks("R_100", np.arange(1, 4) * SECOND, np.ones(3))) == 3
        assert store.kinds("R_100") == ("ticks",)
        other.kill()
        other.wait()
        # Whoever was killed holds nothing.
        with store.claimed("R_100", "ticks"), pytest.raises(DataError, match=str(os.getpid())):
            store.claimed("R_100", "ticks").__enter__()
    finally:
        other.kill()
        other.communicate()


def test_reaching_nothing_is_a_failure(unreachable: Path) -> None:
    code, said = pregao("data", "collect", "--config", unreachable, "--seconds", "0.5")
    assert code == 1
    assert (
        f"error nothing of deriv was reached in 0.5 s; is it up, and its address in {unreachable}"
        in said
    )


def test_a_book_shows_no_price_rather_than_an_old_one(tmp_path: Path) -> None:
    store = TickStore(tmp_path)

    def none() -> Feed:
        raise AssertionError("nothing is opened")

    line = Line(
        Source("x", "X", "book", 0, none, None, None), Recorder(store, "X", "x"), FeedStats()
    )
    line.take(BookUpdate("X", 1, 1, 1, ((9.0, 1.0),), ((11.0, 1.0),), snapshot=True))
    assert (line.events, line.time) == (1, 1)
    assert np.isnan(line.price)


def test_an_interrupt_at_the_very_end_is_none(tmp_path: Path) -> None:
    TickStore(tmp_path).append(Series.ticks("X", np.arange(1, 9) * SECOND, np.ones(8)))
    # What is registered first is done last: when the command is over.
    program = (
        "import atexit, os, signal\n"
        "atexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
        "import pregao; pregao.app()"
    )
    given = ["data", "gaps", "--store", str(tmp_path), "--config", str(tmp_path / "none.yaml")]
    done = subprocess.run(
        [sys.executable, "-c", program, *given], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "no holes" in done.stdout
