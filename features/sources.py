"""Where a dataset's recordings come from, a UTC day at a time: a tick store, or files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from features.config import FeatureConfig
from market.beside import Beside
from market.dayfiles import DAY, DayFiles
from market.errors import ConfigError, DataError, UnknownSymbol
from market.place import TURNS
from market.series import Series
from market.tape import Tape

__all__ = ["Choice", "Day", "Files", "Source", "Stored"]

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Day:
    """What was recorded of a symbol on one UTC day.

    Parameters
    ----------
    tape
        Its ticks or bars, perhaps none.
    beside
        What else the columns are made of.
    """

    tape: Tape
    beside: Beside


@dataclass(frozen=True)
class Choice:
    """What of a recording is used, and how.

    Parameters
    ----------
    kind
        ``ticks``, ``bars-1m`` …; may be left out where there is one. The peer's is the same if
        there is such, else the only one there is.
    tick
        Price step of the order book.
    first, last
        The UTC days that are used, counted from 1970, both included.
    """

    kind: str | None = None
    tick: str = ""
    first: int = -(2**62)
    last: int = 2**62

    def has(self, day: int) -> bool:
        """Whether a day is used."""
        return self.first <= day <= self.last


class Source(Protocol):
    """One symbol's recording, in days."""

    @property
    def symbol(self) -> str:
        """The instrument."""

    def stamp(self) -> str:
        """Return what stands for all that is recorded, found without decoding it."""

    def counts(self) -> Mapping[int, int]:
        """Return each day on which anything was recorded, in order, and its ticks or bars."""

    def day(self, day: int) -> Day:
        """Return a day's recording."""


class Stored:
    """A symbol in a tick store; never more than a day of it is in memory at once.

    Parameters
    ----------
    root
        Of the store.
    symbol
        The instrument.
    features
        Says what is needed besides its ticks or bars.
    choice
        Which days, of which kind.

    Raises
    ------
    UnknownSymbol, DataError, ConfigError
        What is needed isn't stored, or which kind is meant isn't clear.
    """

    def __init__(
        self,
        root: str | Path,
        symbol: str,
        features: FeatureConfig,
        choice: Choice = Choice(),
    ) -> None:
        # Absolute: a task of another process has another working directory.
        self._root = str(root) if "://" in str(root) else str(Path(root).absolute())
        self.symbol, self._choice = symbol, choice
        files = DayFiles(self._root)
        self._shelves = {"tape": (symbol, _price_shelf(files, symbol, choice.kind))}
        for stream in ("trades", "book"):
            if stream in features.streams:
                if stream not in files.shelves(symbol):
                    raise _missing(symbol, stream, files.root)
                self._shelves[stream] = (symbol, stream)
        if "book" in features.streams:
            _demand_tick(symbol, choice)
        if "peer" in features.streams:
            peer, same = _peer(features), self._shelves["tape"][1]
            there = same in files.shelves(peer)
            self._shelves["peer"] = (peer, same if there else _price_shelf(files, peer, None))

    def stamp(self) -> str:
        """Return the hash of every byte of its files, and of where they lie."""
        for _ in range(TURNS):
            try:
                return self._hashed()
            except FileNotFoundError:
                continue  # a collector made one file of several meanwhile
            except OSError as error:
                raise DataError(f"{self._root} can't be read ({error}); check the path") from error
        raise DataError(f"{self._root} changes too fast to be read; try again")

    def _hashed(self) -> str:
        files, made = DayFiles(self._root), hashlib.sha256(f"{self._choice}".encode())
        for name, (symbol, shelf) in self._shelves.items():
            made.update(f"{name} {symbol}/{shelf}\n".encode())
            for day, segments in files.days(symbol, shelf).items():
                for segment in segments if self._choice.has(day) else ():
                    made.update(f"{day}.{segment}\n".encode())
                    with files.place.open(files.path(symbol, shelf, day, segment)) as file:
                        while block := file.read(_BLOCK):
                            made.update(block)
        return made.hexdigest()

    def counts(self) -> Mapping[int, int]:
        """Return the days; of their files only the footers are read."""
        files, found = DayFiles(self._root), dict[int, int]()
        for name, (symbol, shelf) in self._shelves.items():
            for footer, metadata in files.accounts(
                symbol, shelf, self._choice.first, self._choice.last
            ):
                day = footer.first // DAY
                rows = metadata.num_rows if name == "tape" else 0
                found[day] = found.get(day, 0) + rows
        return dict(sorted(found.items()))

    def day(self, day: int) -> Day:
        """Return a day's recording."""
        files = DayFiles(self._root)
        read = {
            name: files.read(symbol, shelf, day, day)
            for name, (symbol, shelf) in self._shelves.items()
        }
        return _day(read, self._choice)


class Files:
    """A symbol in recordings that are read whole.

    Parameters
    ----------
    paths
        The files.
    read
        Reads one: a series for each symbol and kind it holds.
    symbol, features, choice
        As of :class:`Stored`.
    code
        Stands for how ``read`` reads: other code may make other numbers of the same bytes.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        read: Callable[[Path], Iterable[Series]],
        symbol: str,
        features: FeatureConfig,
        choice: Choice = Choice(),
        code: str = "",
    ) -> None:
        self._paths, self._read, self.symbol = tuple(paths), read, symbol
        self._features, self._choice, self._code = features, choice, code
        self._stamp = ""

    def stamp(self) -> str:
        """Return the hash of every byte of the files, of their names, and of what reads them."""
        made = hashlib.sha256(f"{self._choice}{self._code}".encode())
        for path in self._paths:
            made.update(f"{path.name}\n".encode())
            try:
                with path.open("rb") as file:
                    made.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                reason = error.strerror or error
                raise DataError(f"{path} can't be read ({reason}); check the path") from error
        if made.hexdigest() != self._stamp:
            self.__dict__.pop("_series", None)  # what was read of other bytes
        self._stamp = made.hexdigest()
        return self._stamp

    def counts(self) -> Mapping[int, int]:
        """Return the days."""
        found = dict[int, int]()
        for name, series in self._series.items():
            days, rows = np.unique(series.times // DAY, return_counts=True)
            for day, count in zip(days.tolist(), rows.tolist(), strict=True):
                if self._choice.has(day):
                    found[day] = found.get(day, 0) + (count if name == "tape" else 0)
        return dict(sorted(found.items()))

    def day(self, day: int) -> Day:
        """Return a day's recording."""
        part = {
            name: one.slice(*np.searchsorted(one.times, (day * DAY, (day + 1) * DAY)).tolist())
            for name, one in self._series.items()
        }
        return _day(part, self._choice)

    @cached_property
    def _series(self) -> dict[str, Series]:
        """What is needed, whole."""
        held: dict[tuple[str, str], Series] = {}
        for path in self._paths:
            for one in self._read(path):
                if (one.symbol, one.kind) in held:
                    raise DataError(
                        f"{path} holds {one.kind} of {one.symbol}, as another file does; bring "
                        "them into a store with `pregao data import`"
                    )
                held[one.symbol, one.kind] = one
        kind = self._choice.kind and self._choice.kind.split("-")[0]
        streams, where = self._features.streams, ", ".join(path.name for path in self._paths)
        found = {"tape": held[self.symbol, _price_kind(held, self.symbol, kind, where)]}
        for stream in ("trades", "book"):
            if stream in streams:
                if (self.symbol, stream) not in held:
                    raise _missing(self.symbol, stream, where)
                found[stream] = held[self.symbol, stream]
        if "book" in streams:
            _demand_tick(self.symbol, self._choice)
        if "peer" in streams:
            peer, same = _peer(self._features), found["tape"].kind
            there = (peer, same) in held
            found["peer"] = held[peer, same if there else _price_kind(held, peer, None, where)]
        return found


def _day(series: Mapping[str, Series], choice: Choice) -> Day:
    peer = series.get("peer")
    beside = Beside(
        series.get("trades"), series.get("book"), choice.tick, None if peer is None else peer.tape()
    )
    return Day(series["tape"].tape(), beside)


def _price_shelf(files: DayFiles, symbol: str, kind: str | None) -> str:
    shelves = [one for one in files.shelves(symbol) if one.split("-")[0] in ("ticks", "bars")]
    return _one_of(shelves, symbol, kind, files.root)


def _price_kind(
    held: Mapping[tuple[str, str], Series], symbol: str, kind: str | None, where: str
) -> str:
    kinds = [what for name, what in held if name == symbol and what in ("ticks", "bars")]
    return _one_of(kinds, symbol, kind, where)


def _one_of(kinds: Sequence[str], symbol: str, kind: str | None, where: str) -> str:
    if not kinds:
        raise UnknownSymbol(
            f"{where} holds no ticks and no bars of {symbol!r}; collect or import them, or make "
            "bars of its trades with `pregao data export --bars`"
        )
    if kind is None and len(kinds) == 1:
        return kinds[0]
    if kind is None or kind not in kinds:
        wanted = "several kinds" if kind is None else f"no {kind}"
        raise DataError(f"{where} has {wanted} of {symbol}; say --kind {' or '.join(kinds)}")
    return kind


def _missing(symbol: str, stream: str, where: str) -> DataError:
    return DataError(
        f"columns are made of the {stream} of {symbol}, and {where} has none; collect them, or "
        "take those columns out of features.columns"
    )


def _demand_tick(symbol: str, choice: Choice) -> None:
    if not choice.tick:
        raise ConfigError(f"columns of the order book need the price step of {symbol}", key="tick")


def _peer(features: FeatureConfig) -> str:
    if not features.peer:
        raise ConfigError("columns of another symbol need its name", key="features.peer")
    return features.peer
