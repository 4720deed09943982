"""Both journals keep what they confirm, in order, and lose the rest whole."""

import sqlite3

import pytest

from market.errors import StateError
from market.orders import Order
from trading.journal import Entry, MemoryJournal, SqlJournal


def order(time, symbol="A"):
    return Order(f"{symbol}-{time}", symbol, time, 1.0, 2.0)


@pytest.fixture(params=["memory", "sql"])
def journal(request, tmp_path):
    if request.param == "memory":
        made = MemoryJournal()
    else:
        made = SqlJournal.open(f"sqlite:///{tmp_path}/a.db")
    yield made
    made.close()


def test_the_port(journal):
    assert journal.load("A") is None
    for time in (1, 2):
        journal.append("A", time, "order", order(time))
        journal.commit("A", lambda time=time: b"state %d" % time, force=True)
    journal.append("B", 3, "order", order(3, "B"))
    journal.commit("B", lambda: b"other", force=True)
    assert journal.load("A") == b"state 2"
    assert journal.load("B") == b"other"
    payload = b'{"id":"A-1","symbol":"A","time":1,"units":1.0,"price":2.0}'
    assert next(journal.entries("A")) == Entry("A", 1, "order", payload)
    assert [entry.time for entry in journal.entries("A")] == [1, 2]
    assert (journal.count("A", "order"), journal.count("A", "fill")) == (2, 0)


def test_what_is_committed_is_in_the_file_before_commit_returns(tmp_path):
    journal = SqlJournal.open(f"sqlite:///{tmp_path}/a.db")
    journal.append("A", 1, "order", order(1))
    with sqlite3.connect(tmp_path / "a.db") as other:
        assert other.execute("select count(*) from entries").fetchone() == (0,)
        journal.commit("A", lambda: b"one")
        assert other.execute("select payload from entries").fetchone()[0].startswith('{"id":"A-1"')
        assert other.execute("select state from states").fetchall() == [(b"one",)]
    other.close()
    journal.close()


def test_full_sync_and_write_ahead_log(tmp_path):
    journal = SqlJournal.open(f"sqlite:///{tmp_path}/a.db")
    raw = journal._connection.connection.cursor()
    assert raw.execute("pragma journal_mode").fetchone() == ("wal",)
    assert raw.execute("pragma synchronous").fetchone() == (2,)
    journal.close()


def test_group_commit_loses_entries_and_state_together_or_not_at_all(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    journal = SqlJournal.open(url, flush_every=3)
    asked = []
    for time in range(1, 6):
        journal.append("A", time, "order", order(time))
        journal.commit("A", lambda time=time: asked.append(time) or b"%d" % time)
    assert asked == [3]
    journal.close()
    again = SqlJournal.open(url)
    assert again.load("A") == b"3"
    assert [entry.time for entry in again.entries("A")] == [1, 2, 3]
    again.close()


def test_a_state_that_fails_leaves_no_half_transaction(tmp_path):
    journal = SqlJournal.open(f"sqlite:///{tmp_path}/a.db")

    def broken():
        raise RuntimeError("no state")

    journal.append("A", 1, "order", order(1))
    with pytest.raises(RuntimeError):
        journal.commit("A", broken)
    assert list(journal.entries("A")) == []
    journal.commit("A", lambda: b"whole")
    assert len(list(journal.entries("A"))) == 1
    journal.close()


def test_refusals(tmp_path):
    with pytest.raises(StateError, match="flush_every must be at least 1, was 0"):
        SqlJournal.open(f"sqlite:///{tmp_path}/a.db", flush_every=0)
    with pytest.raises(StateError, match="can't be opened"):
        SqlJournal.open(f"sqlite:///{tmp_path}/missing/a.db")
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at " * 40)
    with pytest.raises(StateError, match="can't be opened"):
        SqlJournal.open(f"sqlite:///{tmp_path}/text.db")
