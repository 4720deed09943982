"""The streaming feature engine: one event in, all columns out, no look-back."""

from __future__ import annotations

from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

from features import kernel
from features.config import FeatureConfig
from features.history import VOLATILITY
from features.layout import lay
from market.book import Book
from market.errors import ConfigError, DataError, SchemaMismatch
from market.events import Bar, BookUpdate, FeedGap, MarketEvent, Tick, Trade

__all__ = ["FeatureEngine"]

NAN = float("nan")


class _Snapshot(msgspec.Struct, frozen=True):
    schema: str
    memory: bytes
    book: str | None
    bids: bytes
    asks: bytes
    check: int

    @property
    def sum(self) -> int:
        """What :attr:`check` is of a snapshot that is whole."""
        total = 0
        for part in (self.memory, (self.book or "").encode(), self.bids, self.asks):
            total = crc32(part, total)
        return total


class FeatureEngine:
    """All columns of one symbol, updated event by event in constant time and memory.

    The compiled step is the one :func:`features.batch.compute` loops over, so a live column equals
    the trained one bit for bit.

    A :class:`~market.events.FeedGap` of ticks or bars forgets all columns; what is in the order
    book stays, for its changes go on. One of the trades or of the book forgets the columns of those
    alone, and a book begins again with the next snapshot. One of the peer forgets the peer. Trades
    or a book silent for longer than ``config.stale`` forget nothing, but are unknown meanwhile.

    Parameters
    ----------
    config
        Which columns.
    tick
        Price step of the symbol's order book; columns of the book and of the effective spread
        need it.

    Attributes
    ----------
    names : tuple[str, ...]
        The columns, in order.
    schema : str
        Sixteen hex digits that stand for columns and configuration.
    peer : str
        The other symbol; empty if there is none.
    streams : frozenset[str]
        What the columns are made of: ``prices``, and ``trades``, ``book``, ``peer`` where needed.

    Raises
    ------
    ConfigError
        Columns of the book without ``tick``, or of a peer that isn't named.

    Examples
    --------
    >>> engine = FeatureEngine(FeatureConfig(columns=("momentum_1",)))
    >>> for second, price in enumerate((100.0, 101.0)):
    ...     engine.update(Tick("R_75", second, price))
    >>> engine.warm, engine.names, engine.values.round(6)
    (True, ('momentum_1',), array([1.]))
    """

    def __init__(self, config: FeatureConfig, tick: float | str = "") -> None:
        layout = lay(config)
        self.names, self.schema, self.streams = layout.names, layout.schema, layout.streams
        if "book" in self.streams and not tick:
            raise ConfigError("columns of the order book need the symbol's price step", key="tick")
        if "peer" in self.streams and not config.peer:
            raise ConfigError("columns of another symbol need its name", key="features.peer")
        self.peer, self._config = config.peer, config
        self._params, self._plan, self._picks = layout.params, layout.plan, layout.picks
        self._memory = np.zeros(layout.size)
        self._values = self._memory[-1 - len(layout.names) : -1]
        self._values[:] = np.nan
        self._view = self._values.view()
        self._view.flags.writeable = False
        self._book: Book | None = None
        self._tick = tick

    def update(self, event: MarketEvent) -> None:
        """Take one event.

        Trades and updates of the book are taken into their own columns, which are shown from the
        next tick or bar on, as are those of the peer: all of ``values`` is as of one moment.

        Raises
        ------
        DataError
            A price that is not positive, a volume that is negative or infinite: either would poison
            every average. Nothing has changed then.
        """
        if isinstance(event, Tick):
            if event.symbol == self.peer:
                self._take_peer(event.time, event.price)
                return
            price = event.price
            if not 0.0 < price < np.inf:
                raise _unusable(event)
            self._take_price(event.time, price, price, price, price, NAN, NAN, NAN)
        elif isinstance(event, Bar):
            if event.symbol == self.peer:
                self._take_peer(event.time, event.close)
                return
            high, low = event.high, event.low
            if not (0.0 < low <= event.close <= high < np.inf and low <= event.open <= high):
                raise _unusable(event)
            volume, trades, buy = event.volume, event.trades, event.buy_volume
            if volume < 0.0 or trades < 0.0 or buy < 0.0 or np.inf in (volume, trades, buy):
                raise DataError(f"volume and trades must be finite and >= 0, was {event}")
            self._take_price(
                event.time, event.open, event.high, event.low, event.close, volume, trades, buy
            )
        elif isinstance(event, Trade):
            self._take_trade(event)
        elif isinstance(event, BookUpdate):
            self._take_book(event)
        else:
            self._take_gap(event)

    def update_many(
        self,
        times: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        rows: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Take a stretch of the symbol's ticks or bars, without a hole, in one compiled call.

        Bit for bit what :meth:`update` of each does. Where columns are made of other streams too,
        those of the stretch must have been taken before.

        Parameters
        ----------
        times, values
            ``int64[n]`` and ``float64[n, 7]`` as a :class:`~market.tape.Tape` has them.
        rows
            ``int64[m]``, increasing: after which events to look.

        Returns
        -------
        columns
            ``float64[m, F]``: :attr:`values` there.
        volatility
            ``float64[m]``: :attr:`volatility` there.
        """
        columns, volatility = np.empty((len(rows), len(self.names))), np.empty(len(rows))
        kernel.run(
            self._memory, self._params, self._plan, times, np.ascontiguousarray(values),
            np.zeros(len(times), np.bool_), rows, columns, volatility,
        )  # fmt: skip
        return columns, volatility

    def _take_price(
        self,
        time: int,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        trades: float,
        buy: float,
    ) -> None:
        kernel.step_price(
            self._memory, self._params, self._plan,
            time, open_, high, low, close, volume, trades, buy,
        )  # fmt: skip

    def _take_trade(self, trade: Trade) -> None:
        if not (0.0 < trade.price < np.inf and 0.0 < trade.size < np.inf):
            raise DataError(f"price and size must be positive and finite, was {trade}")
        if "trades" in self.streams and trade.symbol != self.peer:
            kernel.step_trade(
                self._memory, self._params, self._plan,
                trade.time, trade.price, trade.size, trade.side,
            )  # fmt: skip

    def _take_book(self, update: BookUpdate) -> None:
        if "book" not in self.streams or update.symbol == self.peer:
            return
        if self._book is None:
            if not update.snapshot:
                return
            self._book = Book(update.symbol, self._tick)
        book = self._book
        book.update(update)
        kernel.step_book(
            self._memory, self._params, self._plan, update.time, *book.step, *book.levels
        )

    def _take_peer(self, time: int, price: float) -> None:
        if "peer" not in self.streams:
            return
        if not 0.0 < price < np.inf:
            raise DataError(f"prices must be positive and finite, {self.peer} was at {price}")
        kernel.step_peer(self._memory, self._plan, time, price)

    def _take_gap(self, gap: FeedGap) -> None:
        if gap.symbol == self.peer:
            if "peer" in self.streams:
                kernel.forget_peer(self._memory, self._plan)
        elif gap.stream == "prices":
            self._memory[:] = 0.0
            self._values[:] = np.nan
        elif gap.stream in self.streams:
            which = kernel.TRADES if gap.stream == "trades" else kernel.BOOKS
            kernel.forget(self._memory, self._plan, which)
            if gap.stream == "book":
                self._book = None

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """``float64[F]``: the columns after the last tick or bar, a read-only view.

        Each is nan until it is warm, and where what it needs is unknown.
        """
        return self._view

    @property
    def raw(self) -> npt.NDArray[np.float64]:
        """``float64[F]``: the columns as their families wrote them, warm or not.

        What :attr:`values` are made of; for audits and tests.
        """
        return self._memory[self._picks]

    @property
    def warm(self) -> bool:
        """Whether every column is known: a decision can be made."""
        return bool(self._memory[-1])

    @property
    def volatility(self) -> float:
        """Volatility of log returns per event; nan unless :attr:`warm`."""
        return float(self._memory[VOLATILITY]) if self.warm else NAN

    def snapshot(self) -> bytes:
        """Everything the engine remembers."""
        symbol, bids, asks = None, b"", b""
        if self._book is not None:
            symbol, levels = self._book.symbol, len(self._book)
            bids, asks = self._book.bids(levels).tobytes(), self._book.asks(levels).tobytes()
        taken = _Snapshot(self.schema, self._memory.tobytes(), symbol, bids, asks, 0)
        return msgspec.msgpack.encode(msgspec.structs.replace(taken, check=taken.sum))

    def restore(self, data: bytes) -> None:
        """Go on where :meth:`snapshot` was taken, bit for bit.

        Raises
        ------
        SchemaMismatch
            It was taken with other columns or another configuration, or is damaged.
        """
        try:
            snapshot = msgspec.msgpack.decode(data, type=_Snapshot)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SchemaMismatch(f"not a feature snapshot ({error}); start from history") from error
        if snapshot.schema != self.schema or len(snapshot.memory) != self._memory.nbytes:
            raise SchemaMismatch(
                f"the snapshot has features {snapshot.schema} ({len(snapshot.memory)} bytes), this "
                f"engine has {self.schema} ({self._memory.nbytes} bytes); use the configuration it "
                "was taken with, or start from history"
            )
        # Steps trust the places that their state names: of others they would write anywhere.
        if snapshot.check != snapshot.sum:
            raise SchemaMismatch("the snapshot is damaged; start from history")
        book = self._revived(snapshot)
        self._memory[:] = np.frombuffer(snapshot.memory)
        self._book = book

    def __reduce__(self) -> tuple[type[FeatureEngine], tuple[FeatureConfig, float | str], bytes]:
        """Copy and pickle by the snapshot: addresses of steps are of this process alone."""
        return FeatureEngine, (self._config, self._tick), self.snapshot()

    def __setstate__(self, data: bytes) -> None:
        self.restore(data)

    def _revived(self, snapshot: _Snapshot) -> Book | None:
        """Return the book of a snapshot."""
        if snapshot.book is None:
            return None
        try:
            sides = [
                np.frombuffer(side).reshape(-1, 2).tolist()
                for side in (snapshot.bids, snapshot.asks)
            ]
            bids, asks = (tuple((price, size) for price, size in side) for side in sides)
            book = Book(snapshot.book, self._tick)
            book.update(BookUpdate(snapshot.book, 0, 0, 0, bids, asks, snapshot=True))
        except (ValueError, DataError) as error:
            raise SchemaMismatch(
                f"the snapshot's order book is damaged ({error}); start from history"
            ) from error
        return book


def _unusable(event: Tick | Bar) -> DataError:
    return DataError(f"prices must be positive, finite and low <= open, close <= high, was {event}")
