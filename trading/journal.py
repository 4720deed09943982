"""The journal: every intent durable before it is sent, with the state it left behind.

Entries and the trader's state are written in one transaction, so that after ``kill -9`` at any
point the state and the log tell the same story: both from before a decision, or both from after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec
import sqlalchemy as sa

from market.errors import StateError

__all__ = ["Entry", "Journal", "MemoryJournal", "SqlJournal"]


class Entry(msgspec.Struct, frozen=True):
    """One line of the journal.

    Parameters
    ----------
    symbol, time
        Whose, and the venue time it is about.
    kind
        ``start``, ``decision``, ``order``, ``fill`` or ``gap``.
    payload
        The message as JSON.
    """

    symbol: str
    time: int
    kind: str
    payload: bytes


class Journal(Protocol):
    """Where intents are written before they are sent."""

    def append(self, symbol: str, time: int, kind: str, message: msgspec.Struct) -> None:
        """Add an entry to the transaction that the next :meth:`commit` ends."""
        ...

    def commit(
        self, symbol: str, state: Callable[[], bytes], force: bool = False, durable: bool = True
    ) -> None:
        """Make the entries and the state durable, in one transaction.

        Parameters
        ----------
        symbol
            Whose state it is.
        state
            Gives the state; called only where it is written.
        force
            Write now, group commit or not.
        durable
            Outlive a power cut too, as an intent must before it is sent; without it, what is
            written outlives the death of this process, which costs no wait for the disk.
        """
        ...

    def load(self, symbol: str) -> bytes | None:
        """Return the state written last; ``None`` on the first start."""
        ...

    def entries(self, symbol: str) -> Iterator[Entry]:
        """Yield the symbol's entries in the order they were written."""
        ...

    def count(self, symbol: str, kind: str) -> int:
        """Return how many entries of a kind there are."""
        ...

    def close(self) -> None:
        """Let go of the file. What isn't committed is lost, as in a crash."""
        ...


class MemoryJournal:
    """The same port without a disk, for backtests: nothing outlives the process.

    Parameters
    ----------
    keep
        Whether entries are kept at all.
    """

    def __init__(self, keep: bool = True) -> None:
        self._keep = keep
        self._entries: list[tuple[str, int, str, msgspec.Struct]] = []
        self._states: dict[str, bytes] = {}

    @property
    def keeps(self) -> bool:
        """Whether entries are kept."""
        return self._keep

    def append(self, symbol: str, time: int, kind: str, message: msgspec.Struct) -> None:
        """Keep an entry."""
        if self._keep:
            self._entries.append((symbol, time, kind, message))

    def commit(
        self, symbol: str, state: Callable[[], bytes], force: bool = False, durable: bool = True
    ) -> None:
        """Keep the state where ``force`` asks for it: no crash can come in between."""
        if force:
            self._states[symbol] = state()

    def load(self, symbol: str) -> bytes | None:
        """Return the state kept last."""
        return self._states.get(symbol)

    def entries(self, symbol: str) -> Iterator[Entry]:
        """Yield the symbol's entries."""
        for name, time, kind, message in self._entries:
            if name == symbol:
                yield Entry(name, time, kind, msgspec.json.encode(message))

    def count(self, symbol: str, kind: str) -> int:
        """Return how many entries of a kind there are."""
        return sum(name == symbol and one == kind for name, _, one, _ in self._entries)

    def close(self) -> None:
        """Nothing to let go of."""


_META = sa.MetaData()
_ENTRIES = sa.Table(
    "entries",
    _META,
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("symbol", sa.String, nullable=False, index=True),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
)
_STATES = sa.Table(
    "states",
    _META,
    sa.Column("symbol", sa.String, primary_key=True),
    sa.Column("state", sa.LargeBinary, nullable=False),
)


class SqlJournal:
    """A journal in a database; SQLite in WAL mode with full sync by default.

    One writer per file: each symbol actor has its own.

    Parameters
    ----------
    engine
        See :meth:`open`.
    flush_every
        Commits per transaction. 1: durable before every order, which any real venue needs. More,
        for replays: a crash loses the last few commits whole, and since the paper broker and the
        recording are then rewound with the state, they are made again, the same.
    """

    def __init__(self, engine: sa.Engine, flush_every: int = 1) -> None:
        if flush_every < 1:
            raise StateError(f"flush_every must be at least 1, was {flush_every}")
        self._engine = engine
        self._flush_every = flush_every
        self._commits = 0
        self._binding = False
        self._waits = True
        self._rows: list[dict[str, object]] = []
        self._connection = engine.connect()
        _META.create_all(engine)

    @classmethod
    def open(cls, url: str, flush_every: int = 1) -> SqlJournal:
        """Open or make the journal at an SQLAlchemy URL, such as ``sqlite:///var/R_75.db``.

        Raises
        ------
        StateError
            It can't be opened, or it isn't a journal.
        """
        try:
            engine = sa.create_engine(url, poolclass=sa.NullPool)
            if engine.dialect.name == "sqlite":
                sa.event.listen(engine, "connect", _durable)
            return cls(engine, flush_every)
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            reason = str(error).splitlines()[0]
            raise StateError(f"journal {url} can't be opened: {reason}") from error

    def append(self, symbol: str, time: int, kind: str, message: msgspec.Struct) -> None:
        """Add an entry to the transaction that the next :meth:`commit` ends."""
        payload = msgspec.json.encode(message).decode()
        self._rows.append({"symbol": symbol, "time": time, "kind": kind, "payload": payload})

    def commit(
        self, symbol: str, state: Callable[[], bytes], force: bool = False, durable: bool = True
    ) -> None:
        """Write what was appended, and the state, in one transaction."""
        self._commits += 1
        self._binding |= durable
        if not force and self._commits < self._flush_every:
            return
        self._wait_for_disk(self._binding and self._flush_every == 1)
        with self._connection.begin():
            if self._rows:
                self._connection.execute(_ENTRIES.insert(), self._rows)
            blob = state()
            changed = self._connection.execute(
                _STATES.update().where(_STATES.c.symbol == symbol).values(state=blob)
            )
            if changed.rowcount == 0:
                self._connection.execute(_STATES.insert().values(symbol=symbol, state=blob))
        self._rows.clear()
        self._commits = 0
        self._binding = False

    def _wait_for_disk(self, wait: bool) -> None:
        """Have SQLite confirm the next transactions from disk, or from the system's cache."""
        if wait == self._waits or self._engine.dialect.name != "sqlite":
            return
        cursor = self._connection.connection.cursor()
        cursor.execute(f"PRAGMA synchronous={'FULL' if wait else 'NORMAL'}")
        cursor.close()
        self._waits = wait

    def load(self, symbol: str) -> bytes | None:
        """Return the state written last; ``None`` on the first start."""
        with self._connection.begin():
            found = self._connection.scalar(
                sa.select(_STATES.c.state).where(_STATES.c.symbol == symbol)
            )
        return None if found is None else bytes(found)

    def entries(self, symbol: str) -> Iterator[Entry]:
        """Yield the symbol's committed entries in the order they were written."""
        query = sa.select(_ENTRIES).where(_ENTRIES.c.symbol == symbol).order_by(_ENTRIES.c.seq)
        with self._connection.begin():
            for row in self._connection.execute(query):
                yield Entry(row.symbol, row.time, row.kind, row.payload.encode())

    def count(self, symbol: str, kind: str) -> int:
        """Return how many committed entries of a kind there are."""
        query = sa.select(sa.func.count()).where(
            _ENTRIES.c.symbol == symbol, _ENTRIES.c.kind == kind
        )
        with self._connection.begin():
            return int(self._connection.scalar(query) or 0)

    def close(self) -> None:
        """Let go of the file. What isn't committed is lost, as in a crash."""
        self._connection.close()
        self._engine.dispose()


def _durable(connection: object, _record: object) -> None:
    """Make SQLite keep what it has confirmed, power cut included."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
