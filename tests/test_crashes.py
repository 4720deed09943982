"""Crashes at every point of the loop: nothing lost, nothing doubled, the same log."""

import subprocess
import sys
import time
from functools import partial
from itertools import count, pairwise

import msgspec
import numpy as np
import pytest

from market.events import SECOND
from risk.lease import LeaseBook
from tests import toys
from tests.toys import leased, log, run
from trading import recovery
from trading.decision import Decision
from trading.journal import MemoryJournal, SqlJournal
from trading.paper import PaperBroker

EVENTS = 160


class Crash(Exception):
    """Stands for ``kill -9``: whoever catches it throws the process's objects away."""


class Fuse:
    """Raises :class:`Crash` at its n-th touch."""

    def __init__(self, at):
        self.left = at

    def touch(self):
        self.left -= 1
        if self.left == 0:
            raise Crash

    def around(self, method, *args, **kwargs):
        self.touch()
        result = method(*args, **kwargs)
        self.touch()
        return result


def fused(thing, fuse, *names):
    """Let every call of the named methods be a point to crash at, before it and behind it."""
    for name in names:
        setattr(thing, name, partial(fuse.around, getattr(thing, name)))
    return thing


@pytest.mark.parametrize("venue_survives", [False, True])
def test_a_crash_at_any_point_loses_nothing_and_doubles_nothing(tmp_path, venue_survives):
    tape = toys.as_bars(toys.tape(28))
    instrument = toys.INSTRUMENT.model_copy(update={"costs": toys.EVERYTHING})

    def venue():
        return PaperBroker(instrument, toys.CAPITAL)

    def life(path, fuse, living):
        journal = SqlJournal.open(f"sqlite:///{path}")
        # A killed process leaves its writes to the system: only a power cut needs them synced.
        journal._connection.connection.cursor().execute("PRAGMA synchronous=OFF")
        try:
            fused(journal, fuse, "append", "commit")
            broker = living if venue_survives else venue()
            fused(broker, fuse, "submit", "fills")
            trader = toys.trader(journal, broker, policy=toys.Dealer(), costs=toys.EVERYTHING)
            made = recovery.start(trader)
            toys.trade(trader, tape.events(), LeaseBook(toys.RISK, [toys.SYMBOL]), made.after)
            return log(journal), trader.snapshot()
        finally:
            journal.close()

    expected = life(tmp_path / "whole.db", Fuse(-1), venue())
    fills = [entry.payload for entry in expected[0] if entry.kind == "fill"]
    assert sum(b"reason" in one for one in fills) >= 2
    assert sum(b"reason" not in one for one in fills) >= 2
    for at in count(1):
        path, memory, crashed = tmp_path / f"{at}.db", venue(), False
        fuse = Fuse(at)
        try:
            outcome = life(path, fuse, memory)
        except Crash:
            crashed = True
            outcome = life(path, Fuse(-1), memory)
        assert outcome[0] == expected[0], f"crash point {at}"
        assert (
            msgspec.msgpack.decode(outcome[1])["account"]
            == (msgspec.msgpack.decode(expected[1])["account"])
        )
        if not crashed:
            break
    assert at > 100


def test_kill_9_of_a_real_process_again_and_again(tmp_path, pytestconfig):
    rng = np.random.default_rng(7)
    events = 600

    def life(flush_every, kill_at=10 * events):
        """Run a process until it has told of ``kill_at`` events; return where it had resumed."""
        command = [sys.executable, "-m", "tests.toys", tmp_path / "killed.db", str(events)]
        child = subprocess.Popen(
            [*command, str(flush_every)],
            cwd=pytestconfig.rootpath,
            stdout=subprocess.PIPE,
            text=True,
        )
        with child:
            assert child.stdout is not None
            started = child.stdout.readline().split()
            assert started[0] == "started"
            lines = [line for line, _ in zip(child.stdout, range(kill_at), strict=False)]
            if "finished\n" not in lines:
                time.sleep(rng.uniform(0.0, 2e-3))  # anywhere within an event
                child.kill()
        return int(started[2])

    groups = (7, 1)
    resumed = [life(group, int(rng.integers(30, 200))) for group in groups]
    resumed.append(life(1))
    assert all(0 < a < b for a, b in pairwise(resumed[1:]))
    toys.main(tmp_path / "whole.db", events, 1)
    logs = []
    for name in ("whole.db", "killed.db"):
        journal = SqlJournal.open(f"sqlite:///{tmp_path / name}")
        logs.append((log(journal), journal.load(toys.SYMBOL)))
        starts = journal.count(toys.SYMBOL, "start")
        journal.close()
    assert starts == len(groups) + 1
    assert len(logs[0][0]) > events
    assert logs[0] == logs[1]


def test_the_journals_decisions_can_be_read_back():
    journal = MemoryJournal()
    decisions = run(leased(journal), toys.tape(EVENTS).events())
    read = [
        msgspec.json.decode(entry.payload, type=Decision)
        for entry in journal.entries(toys.SYMBOL)
        if entry.kind == "decision"
    ]
    assert read == decisions
    assert all(made.time % SECOND == 0 for made in read)
