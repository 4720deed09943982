"""Parquet files by symbol, kind and UTC day: one for the day, and the segments since."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from market.errors import DataError
from market.events import SECOND
from market.footer import KEY, Footer, read_footer
from market.series import KINDS, Series
from market.span import span, span_text

__all__ = ["DAY", "Account", "DayFiles", "shelf_of"]

DAY = 86_400 * SECOND
"""Nanoseconds in a day."""

_FILE = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.(\d{6}))?\.parquet")
_OBJECTS = {"s3", "gcs", "abfs"}
"""Filesystems that show an object only when it is complete, and know no folders."""

_TURNS = 20
"""Times that files which change meanwhile are read anew."""

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
        # Here and not above: whoever only imports this module is spared its 25 MB.
        import pyarrow.fs as fs
        import pyarrow.parquet as parquet

        self._parquet = parquet
        if filesystem is not None:
            self._fs, self.root = filesystem, str(root)
        elif isinstance(root, str) and "://" in root:
            self._fs, self.root = _filesystem(root)
        else:
            self._fs, self.root = fs.LocalFileSystem(), str(Path(root).absolute())
        self.root = self.root.rstrip("/")
        self._select, self._types = fs.FileSelector, fs.FileType
        self._local = isinstance(self._fs, fs.LocalFileSystem)

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that have a file, sorted."""
        return tuple(name for name in self._folders(self.root) if self.shelves(name))

    def shelves(self, symbol: str) -> tuple[str, ...]:
        """Return the kinds of ``symbol`` that have a file, as folder names, sorted."""
        names = self._folders(f"{self.root}/{symbol}")
        return tuple(
            name for name in names if name.split("-")[0] in KINDS and self.days(symbol, name)
        )

    def days(self, symbol: str, shelf: str) -> dict[int, list[int]]:
        """Return each day that has a file, in order, with its segments' numbers; 0 is the day's."""
        found: dict[int, list[int]] = {}
        for entry in self._list(f"{self.root}/{symbol}/{shelf}"):
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
        return sum(int(one.size) for one in self._list(f"{self.root}/{symbol}/{shelf}"))

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
        for _ in range(_TURNS):
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
        self.put(table, self.path(series.symbol, shelf, day, segment))

    def put(self, table: Any, path: str) -> None:
        """Write a table to ``path``, whole or not at all."""
        with _possible(path, "written", "make room, or check the path; what was stored is whole"):
            self._put(table, path)

    def _put(self, table: Any, path: str) -> None:
        folder, _, name = path.rpartition("/")
        if not self._local:
            self._fs.create_dir(folder, recursive=True)
            partial = path if self._fs.type_name in _OBJECTS else f"{folder}/.{name}.tmp"
            with self._fs.open_output_stream(partial) as stream:
                self._encode(table, stream)
            if partial != path:
                self._fs.move(partial, path)
            return
        final = Path(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        draft = final.with_name(f".{name}.tmp")
        with draft.open("wb") as file:
            self._encode(table, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(final)
        if sys.platform != "win32":  # which has no folders to synchronise
            handle = os.open(final.parent, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def get(self, path: str) -> Any:
        """Return the table at ``path``; ``None`` if there is no file.

        Raises
        ------
        DataError
            It is damaged.
        """
        try:
            with self._fs.open_input_file(path) as file:
                return self._parquet.read_table(file, use_threads=False)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise DataError(f"{path} can't be read ({error}); move it away") from error

    def delete(self, symbol: str, shelf: str, day: int, segments: list[int]) -> None:
        """Delete files of a day, and what a killed writer left of one it had begun."""
        for segment in segments:
            path = self.path(symbol, shelf, day, segment)
            with _possible(path, "deleted", "check whom it belongs to"):
                self._fs.delete_file(path)
        if self._local:
            whole = Path(self.path(symbol, shelf, day))
            for draft in whole.parent.glob(f".{whole.stem}.*tmp"):
                draft.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self, symbol: str) -> Iterator[None]:
        """Keep other processes of this machine from writing ``symbol`` meanwhile."""
        if not self._local or sys.platform == "win32":
            yield
            return
        import fcntl

        folder = Path(self.root) / symbol
        with _possible(str(folder), "written", "check the path"):
            folder.mkdir(parents=True, exist_ok=True)
            file = (folder / ".lock").open("w")
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _consistent(self, symbol: str, shelf: str, low: int, high: int, rows: bool) -> Any:
        """Open the files of these days; again from the start if one is compacted meanwhile."""
        for _ in range(_TURNS):
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

        try:
            with self._fs.open_input_file(path) as file:
                parquet = self._parquet.ParquetFile(file)
                footer = read_footer(path, parquet.metadata.metadata)
                return footer, parquet.read(use_threads=False) if rows else parquet.metadata
        except FileNotFoundError:
            raise
        except (OSError, KeyError, ValueError, pa.ArrowException) as error:
            raise DataError(
                f"{path} can't be read ({error}); move it away and collect that day again"
            ) from error

    def _encode(self, table: Any, stream: Any) -> None:
        self._parquet.write_table(table, stream, compression="zstd", use_dictionary=False)

    def _folders(self, folder: str) -> list[str]:
        directory = self._types.Directory
        return sorted(one.base_name for one in self._list(folder) if one.type == directory)

    def _list(self, folder: str) -> list[Any]:
        for _ in range(_TURNS):
            try:
                return list(self._fs.get_file_info(self._select(folder, allow_not_found=True)))
            except FileNotFoundError:
                continue  # made, or a file in it taken away, while it was being listed
            except OSError as error:
                reason = error.strerror or error
                raise DataError(f"{folder} can't be listed ({reason}); check the path") from error
        raise DataError(f"{folder} changes too fast to be read; try again")


def _filesystem(uri: str) -> tuple[Any, str]:
    import pyarrow as pa
    import pyarrow.fs as fs

    try:
        found: tuple[Any, str] = fs.FileSystem.from_uri(uri)
    except (OSError, ValueError, pa.ArrowException) as error:
        # A URI may hold a key and its secret.
        scheme = uri.partition("://")[0]
        raise DataError(
            f"{scheme}://… is no store ({type(error).__name__}); give a folder, or the URI of a "
            "bucket: s3://…, gs://…, abfs://…"
        ) from None
    return found


@contextlib.contextmanager
def _possible(path: str, done: str, remedy: str) -> Iterator[None]:
    """Raise :class:`DataError` for what the filesystem refuses."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} can't be {done} ({error.strerror or error}); {remedy}") from error


def _commonest(files: list[tuple[Footer, Any]]) -> int:
    """Return the step that most rows have: a short segment doesn't know its own."""
    rows: dict[int, int] = {}
    for footer, table in files:
        rows[footer.step] = rows.get(footer.step, 0) + table.num_rows
    return max(rows, key=lambda step: rows[step])


def _empty(symbol: str, kind: str, step: int) -> Series:
    columns = {name: np.empty(0, kind_of) for name, kind_of in KINDS[kind].items()}
    return Series(symbol, kind, step, np.empty(0, np.int64), columns, np.empty(0, np.bool_))
