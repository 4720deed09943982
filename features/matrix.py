"""A dataset on disk, of any size: an array a file, and last the card that makes it valid."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from features.dataset import Dataset
from features.decisions import ARRAYS, Decisions
from features.labels.weights import uniqueness
from market.errors import StateError

__all__ = ["CARD", "FORMAT", "Card", "Matrix", "MatrixWriter"]

CARD = "meta.json"
FORMAT = 1
"""Of the files; goes up when what they mean changes."""

_FILES = ARRAYS | {"uniqueness": "f8"}
_EVENTS = 1 << 20
"""Events whose labels are weighed at once."""

_BLOCK = 1 << 20


class Card(msgspec.Struct, frozen=True):
    """What a matrix says of itself.

    Parameters
    ----------
    format
        :data:`FORMAT` when it was written.
    symbol
        The instrument.
    key
        Stands for recording, recipe and code; see :func:`features.building.key_of`.
    names, schema, every, horizon
        As of :class:`~features.dataset.Dataset`.
    decisions
        Rows of every array.
    events, gaps, due
        Of the recording; ``due`` counts the decisions left out because something was unknown too.
    first, last
        Venue time of the first and the last decision, nanoseconds.
    unknown
        Of each column, the share of the decisions due on which it was unknown.
    hashes
        SHA-256 of each array's values.
    recipe
        As JSON.
    seconds
        That it took to build.
    """

    format: int
    symbol: str
    key: str
    names: tuple[str, ...]
    schema: str
    every: int
    horizon: int
    decisions: int
    events: int
    gaps: int
    due: int
    first: int
    last: int
    unknown: dict[str, float]
    hashes: dict[str, str]
    recipe: dict[str, Any]
    seconds: float = 0.0

    @property
    def digest(self) -> str:
        """Sixteen hex digits that stand for all its values."""
        return hashlib.sha256(msgspec.json.encode(self.hashes, order="sorted")).hexdigest()[:16]


class Matrix:
    """A dataset whose arrays are files, of which only what is looked at is read.

    Parameters
    ----------
    folder
        As :class:`MatrixWriter` wrote it.

    Raises
    ------
    StateError
        Something in it is missing, or not as it was written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / CARD
        try:
            self.card = msgspec.json.decode(path.read_bytes(), type=Card)
        except OSError as error:
            raise self._fault(f"{CARD} can't be read ({error.strerror})") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._fault(f"{CARD} is no matrix's card ({error})") from error
        if self.card.format != FORMAT:
            raise self._fault(f"{CARD} has format {self.card.format}, this is {FORMAT}")
        for name in _FILES:
            self._opened(name)

    def __len__(self) -> int:
        return self.card.decisions

    def dataset(self) -> Dataset:
        """Return it as the dataset that the same recording gives in memory, byte for byte."""
        card = self.card
        return Dataset(
            symbol=card.symbol,
            **{name: self._opened(name) for name in ARRAYS},
            names=card.names,
            schema=card.schema,
            every=card.every,
            horizon=card.horizon,
        )

    @cached_property
    def uniqueness(self) -> npt.NDArray[np.float64]:
        """``float64[m]``: the share of each label's returns that is its own, 0 without label.

        Among all labels of the matrix; for a training set weigh its own with
        :func:`features.labels.weigh`.
        """
        own: npt.NDArray[np.float64] = self._opened("uniqueness")
        return own

    def verify(self) -> None:
        """Read everything, and raise :class:`StateError` if it isn't what was written."""
        for name in _FILES:
            with (self.folder / f"{name}.npy").open("rb") as file:
                npy.read_magic(file)
                npy.read_array_header_1_0(file)
                if _hashed(file) != self.card.hashes.get(name):
                    raise self._fault(f"{name}.npy was changed after it was written")

    def _opened(self, name: str) -> Any:
        columns = (len(self.card.names),) if name == "X" else ()
        shape, dtype = (self.card.decisions, *columns), np.dtype(_FILES[name])
        try:
            found = npy.open_memmap(self.folder / f"{name}.npy", mode="r")
        except (OSError, ValueError) as error:
            raise self._fault(f"{name}.npy can't be read ({error})") from error
        if found.shape != shape or found.dtype != dtype:
            raise self._fault(
                f"{name}.npy must be {dtype}{list(shape)}, was {found.dtype}{list(found.shape)}"
            )
        return found

    def _fault(self, what: str) -> StateError:
        return StateError(f"{self.folder}: {what}; delete the folder and build it again")


class MatrixWriter:
    """Writes a matrix, stretch by stretch, beside where it will be; it appears whole or not at all.

    Parameters
    ----------
    folder
        Where it will be.
    columns
        How many there are.
    """

    def __init__(self, folder: Path, columns: int) -> None:
        self._folder, self._columns = folder, columns
        self._draft = folder.with_name(f".{folder.name}.tmp")
        shutil.rmtree(self._draft, ignore_errors=True)
        self._draft.mkdir(parents=True)
        self._files: dict[str, BinaryIO] = {}
        self._hashes = {name: hashlib.sha256() for name in _FILES}
        self.decisions = self.events = self.gaps = self.due = 0
        self.unknown = np.zeros(columns, np.int64)
        for name in _FILES:
            self._files[name] = (self._draft / f"{name}.npy").open("wb+")
            self._head(name)

    def add(self, made: Decisions) -> None:
        """Write the decisions of the next stretch."""
        for name, array in made.arrays.items():
            self._put(name, array)
        self.decisions += len(made)
        self.events, self.gaps = self.events + made.events, self.gaps + made.gaps
        self.due += made.due
        self.unknown += made.unknown

    def finish(self, card: Mapping[str, Any]) -> Matrix:
        """Weigh the labels, write the card and put the folder in its place.

        Parameters
        ----------
        card
            What :class:`Card` says of recording, recipe and code.
        """
        for name in ARRAYS:
            self._seal(name)
        self._weigh(int(card["horizon"]))
        self._seal("uniqueness")
        times = np.load(self._draft / "times.npy", mmap_mode="r")
        names, due = card["names"], max(self.due, 1)
        told = Card(
            format=FORMAT,
            decisions=self.decisions,
            events=self.events,
            gaps=self.gaps,
            due=self.due,
            first=int(times[0]),
            last=int(times[-1]),
            unknown=dict(zip(names, (self.unknown / due).tolist(), strict=True)),
            hashes={name: one.hexdigest() for name, one in self._hashes.items()},
            **card,
        )
        with (self._draft / CARD).open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(told), indent=1))
            file.flush()
            os.fsync(file.fileno())
        self._draft.rename(self._folder)
        return Matrix(self._folder)

    def discard(self) -> None:
        """Leave nothing."""
        for file in self._files.values():
            file.close()
        shutil.rmtree(self._draft, ignore_errors=True)

    def _head(self, name: str) -> None:
        """Write the header; it has the same length whatever the number of rows."""
        dtype, columns = np.dtype(_FILES[name]), (self._columns,) if name == "X" else ()
        shape = (self.decisions, *columns)
        header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._files[name], header)

    def _seal(self, name: str) -> None:
        """Say in a file's header how many rows it has, and have all of it on the disk."""
        with self._files[name] as file:
            file.seek(0)
            self._head(name)
            file.flush()
            os.fsync(file.fileno())

    def _put(self, name: str, array: npt.NDArray[Any]) -> None:
        values = np.ascontiguousarray(array, _FILES[name]).reshape(-1).view(np.uint8)
        self._hashes[name].update(values.data)
        self._files[name].write(values.data)

    def _weigh(self, horizon: int) -> None:
        """Find the labels' uniqueness, by stretches of events whose labels fit into memory."""
        rows, end = (
            np.load(self._draft / f"{name}.npy", mmap_mode="r") for name in ("rows", "label_end")
        )
        edges = np.searchsorted(rows, np.arange(0, int(rows[-1]) + 1 + _EVENTS, _EVENTS))
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if start == stop:
                continue
            # All labels that share an event with these: none reaches further than the horizon.
            low = int(np.searchsorted(rows, rows[start] - horizon))
            high = max(stop, int(np.searchsorted(rows, end[start:stop].max())))
            begins, ends = rows[low:high] - rows[low], end[low:high] - rows[low]
            own = uniqueness(begins, ends, int(ends.max()) + 1)
            self._put("uniqueness", own[start - low : stop - low])


def _hashed(file: BinaryIO) -> str:
    made = hashlib.sha256()
    while block := file.read(_BLOCK):
        made.update(block)
    return made.hexdigest()
