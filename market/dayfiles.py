"""Parquet files, one a symbol and UTC day, each replaced whole or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from market.events import SECOND
from market.tape import CLOSE, Tape

__all__ = ["DAY", "DayFiles"]

DAY = 86_400 * SECOND
"""Nanoseconds in a day."""

_FILE = re.compile(r"(\d{4}-\d\d-\d\d)\.parquet")
_BARS = ("open", "high", "low", "close", "volume")


class DayFiles:
    """The files of a store: ``<symbol>/<YYYY-MM-DD>.parquet``.

    Ticks have the columns ``time``, ``price`` and ``fresh``; bars the five of a bar in place of
    the price. Days are numbered from 1970-01-01.

    Parameters
    ----------
    root
        A folder, made when first written to, or a filesystem's URI.
    """

    def __init__(self, root: str | Path) -> None:
        # Here and not above: whoever only imports this module is spared its 25 MB.
        import pyarrow.fs as fs
        import pyarrow.parquet as parquet

        self._parquet = parquet
        self._fs: Any
        if isinstance(root, str) and "://" in root:
            self._fs, self.root = fs.FileSystem.from_uri(root)
        else:
            self._fs, self.root = fs.LocalFileSystem(), str(Path(root).absolute())
        self._select = fs.FileSelector
        self._directory = fs.FileType.Directory
        self._local = isinstance(self._fs, fs.LocalFileSystem)

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that have a file, sorted."""
        entries = self._list(self.root)
        names = [entry.base_name for entry in entries if entry.type == self._directory]
        return tuple(sorted(name for name in names if self.days(name)))

    def days(self, symbol: str) -> list[int]:
        """Return the days that have a file, sorted."""
        found = (_FILE.fullmatch(e.base_name) for e in self._list(f"{self.root}/{symbol}"))
        return sorted(int(np.datetime64(m[1], "D").astype(np.int64)) for m in found if m)

    def path(self, symbol: str, day: int) -> str:
        """Return where a day's file is, or would be."""
        return f"{self.root}/{symbol}/{np.datetime64(day, 'D')}.parquet"

    def size(self, symbol: str, day: int) -> int:
        """Return the bytes of a day's file."""
        return int(self._fs.get_file_info(self.path(symbol, day)).size)

    def write(self, tape: Tape) -> None:
        """Replace the day's file by ``tape``, whole or not at all."""
        import pyarrow as pa

        columns: dict[str, npt.NDArray[Any]] = {"time": tape.times}
        if tape.bars:
            columns |= {name: tape.values[:, i] for i, name in enumerate(_BARS)}
        else:
            columns["price"] = tape.close
        table = pa.table(columns | {"fresh": tape.fresh})
        path = self.path(tape.symbol, int(tape.times[0]) // DAY)
        if not self._local:
            # A bucket shows an object only when it is complete, and knows no folders.
            self._fs.create_dir(f"{self.root}/{tape.symbol}", recursive=True)
            with self._fs.open_output_stream(path) as stream:
                self._parquet.write_table(table, stream)
            return
        final = Path(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        partial = final.with_name(f".{final.name}.tmp")
        with partial.open("wb") as file:
            self._parquet.write_table(table, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(final)
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self, symbol: str, day: int) -> Tape:
        """Return a day's events; raises :class:`DataError` if its file is damaged."""
        path = self.path(symbol, day)
        try:
            with self._fs.open_input_file(path) as file:
                table = self._parquet.read_table(file)
            columns = {name: table[name].to_numpy() for name in table.column_names}
            bars = "price" not in columns
            times = columns["time"]
            values = np.full((len(times), 5), np.nan)
            if bars:
                for i, name in enumerate(_BARS):
                    values[:, i] = columns[name]
            else:
                values[:, : CLOSE + 1] = columns["price"][:, None]
            return Tape(symbol, bars, times, values, columns["fresh"].astype(np.bool_))
        except (OSError, KeyError, ValueError, DataError) as error:
            raise DataError(
                f"{path} can't be read ({error}); move it away and collect that day again"
            ) from error

    def _list(self, folder: str) -> Iterator[Any]:
        yield from self._fs.get_file_info(self._select(folder, allow_not_found=True))
