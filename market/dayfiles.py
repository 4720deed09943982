"""Parquet files by symbol, kind and UTC day: one for the day, and the segments since."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from market.errors import DataError
from market.events import SECOND
from market.footer import KEY, Footer, read_footer
from market.place import TURNS, Place
from market.series import KINDS, Series
from market.span import span, span_text

__all__ = ["DAY", "Account", "DayFiles", "shelf_of"]

DAY = 86_400 * SECOND
"""Nanoseconds in a day."""

_FILE = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.(\d{6}))?\.parquet")
Account = tuple[Footer, Any]
"""A file's footer, and its Parquet metadata."""


def shelf_of(kind: str, step: int) -> str:
    """Return the folder of a kind: ``ticks``, ``bars-5m``.

    Examples
    --------
    >>> shelf_of("bars", 60 * SECOND), shelf_of("bars", 0), shelf_of("ticks", 2 * SECOND)
    ('bars-1m', 'bars', 'ticks')
    """
    return f"{kind}-{span_text(step)}" if kind == "bars" and step else kind


class DayFiles:
    """The files of a store: ``<symbol>/<shelf>/<YYYY-MM-DD>[.<segment>].parquet``.

    What is appended becomes a segment of its day, numbered from 1; compaction makes one file of
    the day and its segments. A file appears whole or not at all. The day's file says up to which
    segment it holds everything, so that a crash before those are deleted doubles nothing.

    Parameters
    ----------
    root
        A folder, made when first written to, or a filesystem's URI.
    filesystem
        A pyarrow filesystem, for one that has no URI; ``root`` is a path in it then.

    Raises
    ------
    DataError
        The URI is of no filesystem that pyarrow knows. So it is of every method where a file can't
        be listed, read, written or deleted.
    """

    def __init__(self, root: str | Path, filesystem: Any = None) -> None:
        self.place = Place(root, filesystem)
        self.root = self.place.root

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that have a file, sorted."""
        return tuple(name for name in self.place.folders(self.root) if self.shelves(name))

    def shelves(self, symbol: str) -> tuple[str, ...]:
        """Return the kinds of ``symbol`` that have a file, as folder names, sorted."""
        names = self.place.folders(f"{self.root}/{symbol}")
        return tuple(
            name for name in names if name.split("-")[0] in KINDS and self.days(symbol, name)
        )

    def days(self, symbol: str, shelf: str) -> dict[int, list[int]]:
        """Return each day that has a file, in order, with its segments' numbers; 0 is the day's."""
        found: dict[int, list[int]] = {}
        for entry in self.place.listed(f"{self.root}/{symbol}/{shelf}"):
            match = _FILE.fullmatch(entry.base_name)
            if match:
                day = int(np.datetime64(match[1], "D").astype(np.int64))
                found.setdefault(day, []).append(int(match[2] or 0))
        return {day: sorted(found[day]) for day in sorted(found)}

    def path(self, symbol: str, shelf: str, day: int, segment: int = 0) -> str:
        """Return where a day's file, or a segment of it, is or would be."""
        part = f".{segment:06d}" if segment else ""
        return f"{self.root}/{symbol}/{shelf}/{np.datetime64(day, 'D')}{part}.parquet"

    def size(self, symbol: str, shelf: str) -> int:
        """Return the bytes of all files of a kind."""
        return sum(int(one.size) for one in self.place.listed(f"{self.root}/{symbol}/{shelf}"))

    def read(self, symbol: str, shelf: str, low: int, high: int) -> Series:
        """Return the rows of the days from ``low`` to ``high``, both included.

        Raises
        ------
        DataError
            A file is damaged or not the store's.
        """
        import pyarrow as pa

        files = self._consistent(symbol, shelf, low, high, rows=True)
        kind, _, step_text = shelf.partition("-")
        if not files:
            return _empty(symbol, kind, span(step_text) if step_text else 0)
        table = pa.concat_tables([rows for _, rows in files])
        steps = {footer.step for footer, _ in files}
        try:
            return Series(
                symbol,
                kind,
                steps.pop() if len(steps) == 1 else _commonest(files),
                table["time"].to_numpy(),
                {
                    name: table[name].to_numpy().astype(kind_of, copy=False)
                    for name, kind_of in KINDS[kind].items()
                },
                table["fresh"].to_numpy().astype(np.bool_, copy=False),
            )
        except DataError as error:
            raise DataError(
                f"{self.root}/{symbol}/{shelf} holds what it never wrote ({error}); move the "
                "folder away and collect those days again"
            ) from error

    def accounts(self, symbol: str, shelf: str, low: int, high: int) -> list[Account]:
        """Return what the files of these days say of themselves, in order, without their rows."""
        found: list[Account] = self._consistent(symbol, shelf, low, high, rows=False)
        return found

    def tail(self, symbol: str, shelf: str, day: int) -> tuple[Footer, int] | None:
        """Return the account of a day's latest file, and the highest segment there has been.

        Two files are looked at, however many there are.
        """
        for _ in range(TURNS):
            try:
                segments = self.days(symbol, shelf).get(day)
                if segments is None:
                    return None
                first = self._open(self.path(symbol, shelf, day, segments[0]), rows=False)[0]
                if segments[-1] <= max(segments[0], first.merged):
                    return first, max(segments[-1], first.merged)
                last = self._open(self.path(symbol, shelf, day, segments[-1]), rows=False)[0]
                return last, segments[-1]
            except FileNotFoundError:
                continue
        raise DataError(f"{self.root}/{symbol}/{shelf} changes too fast to be read; try again")

    def write(
        self,
        series: Series,
        segment: int = 0,
        merged: int = 0,
        sources: dict[int, str] | None = None,
    ) -> None:
        """Write rows of one day as its file or a segment of it, whole or not at all."""
        import msgspec
        import pyarrow as pa

        columns = {"time": series.times, **series.columns, "fresh": series.fresh}
        # nan becomes a null, so that Parquet's own statistics are those of what is known.
        arrays = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
        footer = msgspec.json.encode(Footer.of(series, merged, sources or {}))
        table = pa.table(arrays).replace_schema_metadata({KEY: footer})
        shelf = shelf_of(series.kind, series.step)
        day = int(series.times[0]) // DAY
        self.place.put(table, self.path(series.symbol, shelf, day, segment))

    def delete(self, symbol: str, shelf: str, day: int, segments: list[int]) -> None:
        """Delete files of a day, and what a killed writer left of one it had begun."""
        for segment in segments:
            self.place.delete(self.path(symbol, shelf, day, segment))
        self.place.sweep(self.path(symbol, shelf, day))

    def _consistent(self, symbol: str, shelf: str, low: int, high: int, rows: bool) -> Any:
        """Open the files of these days; again from the start if one is compacted meanwhile."""
        for _ in range(TURNS):
            try:
                found = []
                for day, segments in self.days(symbol, shelf).items():
                    if not low <= day <= high:
                        continue
                    merged = 0
                    for segment in segments:
                        if segment and segment <= merged:
                            continue
                        opened = self._open(self.path(symbol, shelf, day, segment), rows)
                        merged = max(merged, opened[0].merged)
                        found.append(opened)
                return found
            except FileNotFoundError:
                continue
        raise DataError(f"{self.root}/{symbol}/{shelf} changes too fast to be read; try again")

    def _open(self, path: str, rows: bool) -> tuple[Footer, Any]:
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile

        try:
            with self.place.open(path) as file:
                parquet = ParquetFile(file)
                footer = read_footer(path, parquet.metadata.metadata)
                return footer, parquet.read(use_threads=False) if rows else parquet.metadata
        except FileNotFoundError:
            raise
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise DataError(
                f"{path} can't be read ({error}); move it away and collect that day again"
            ) from error


def _commonest(files: list[tuple[Footer, Any]]) -> int:
    """Return the step that most rows have: a short segment doesn't know its own."""
    rows: dict[int, int] = {}
    for footer, table in files:
        rows[footer.step] = rows.get(footer.step, 0) + table.num_rows
    return max(rows, key=lambda step: rows[step])


def _empty(symbol: str, kind: str, step: int) -> Series:
    columns = {name: np.empty(0, kind_of) for name, kind_of in KINDS[kind].items()}
    return Series(symbol, kind, step, np.empty(0, np.int64), columns, np.empty(0, np.bool_))
