"""Where a store's files lie: a folder, or a bucket; each file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from market.errors import DataError

__all__ = ["TURNS", "Place"]

_OBJECTS = {"s3", "gcs", "abfs"}
"""Filesystems that show an object only when it is complete, and know no folders."""

TURNS = 20
"""Times that files which change meanwhile are read anew."""


class Place:
    """A root on a pyarrow filesystem, and what is done to files below it.

    Parameters
    ----------
    root, filesystem
        As :class:`~market.dayfiles.DayFiles` takes them.

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

    def open(self, path: str) -> Any:
        """Open a file for reading; raises ``FileNotFoundError`` if it has gone, and ``OSError``."""
        return self._fs.open_input_file(path)

    def put(self, table: Any, path: str) -> None:
        """Write a table to ``path``, whole or not at all."""
        with _possible(path, "written", "make room, or check the path; what was stored is whole"):
            self._put(table, path)

    def _put(self, table: Any, path: str) -> None:
        folder, _, name = path.rpartition("/")
        if not self._local:
            self._fs.create_dir(folder, recursive=True)
            # Before it is opened: what fails half-way must not be closed as an object.
            encoded = self._encoded(table)
            partial = path if self._fs.type_name in _OBJECTS else f"{folder}/.{name}.tmp"
            with self._fs.open_output_stream(partial) as stream:
                stream.write(encoded)
            if partial != path:
                self._fs.move(partial, path)
            return
        final = Path(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        draft = final.with_name(f".{name}.tmp")
        with draft.open("wb") as file:
            file.write(self._encoded(table))
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

    def delete(self, path: str) -> None:
        """Delete a file."""
        with _possible(path, "deleted", "check whom it belongs to"):
            self._fs.delete_file(path)

    def sweep(self, path: str) -> None:
        """Delete what killed writers left of a file, or of one named after it, they had begun."""
        if self._local:
            whole = Path(path)
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

    @contextlib.contextmanager
    def claimed(self, symbol: str, kind: str) -> Iterator[None]:
        """Be the one process of this machine that collects a kind of ``symbol`` meanwhile.

        Raises
        ------
        DataError
            Another does; its number is told.
        """
        if not self._local or sys.platform == "win32":
            yield
            return
        import fcntl

        folder = Path(self.root) / symbol
        with _possible(str(folder), "written", "check the path"):
            folder.mkdir(parents=True, exist_ok=True)
            file = (folder / f".collected-{kind}").open("a+")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise DataError(
                    f"{symbol} {kind} is being collected by process {file.read().strip() or '?'}; "
                    "stop it, or give another store"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            try:
                yield
            finally:
                file.truncate(0)

    def folders(self, folder: str) -> list[str]:
        """Return the names of a folder's folders, sorted."""
        directory = self._types.Directory
        return sorted(one.base_name for one in self.listed(folder) if one.type == directory)

    def listed(self, folder: str) -> list[Any]:
        """Return what a folder holds; nothing if there is none."""
        for _ in range(TURNS):
            try:
                return list(self._fs.get_file_info(self._select(folder, allow_not_found=True)))
            except FileNotFoundError:
                continue  # made, or a file in it taken away, while it was being listed
            except OSError as error:
                reason = error.strerror or error
                raise DataError(f"{folder} can't be listed ({reason}); check the path") from error
        raise DataError(f"{folder} changes too fast to be read; try again")

    def _encoded(self, table: Any) -> Any:
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        self._parquet.write_table(table, sink, compression="zstd", use_dictionary=False)
        return sink.getvalue()


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
