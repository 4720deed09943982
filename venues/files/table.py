"""A recording's rows as they stand in its file: named columns of text or numbers."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from market.errors import DataError
from market.footer import KEY

__all__ = ["Table", "read_table"]

_DELIMITERS = ",;\t"
_WINDOWS = "máxim".encode("cp1252")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Table:
    """Columns of one file.

    Parameters
    ----------
    path
        The file.
    columns
        Each column's values by its name in lower case, spaces as underscores. CSV is text, ``null``
        where a row is too short; Parquet's types are kept, but moments are ``int64`` nanoseconds.
    first
        Line the first row stands on: 2 under a CSV's header, 1 in Parquet.
    delimiter
        Between cells.
    wide
        What is wrong with a row that has more cells than the header names: which of them is which
        can't be known.
    """

    path: Path
    columns: dict[str, pa.ChunkedArray]
    first: int
    delimiter: str = ","
    wide: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def where(self, row: int) -> str:
        """Return file and line of a row."""
        return f"{self.path.name}:{row + self.first}"

    def text(self, row: int) -> str:
        """Return a row as it stands in the file."""
        cells = (column[row].as_py() for column in self.columns.values())
        return self.delimiter.join("" if cell is None else str(cell) for cell in cells)


def read_table(path: Path) -> Table:
    """Read a CSV (comma, semicolon or tab) or Parquet file.

    Raises
    ------
    DataError
        It is missing, empty, of another kind, not what its name says, or names a column twice.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file; check the path")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty; fetch it again or leave it out")
    if path.suffix == ".csv":
        table = _csv(path)
    elif path.suffix == ".parquet":
        table = _parquet(path)
    else:
        raise DataError(f"{path} must be .csv or .parquet, was {path.suffix or 'without a suffix'}")
    if not len(table):
        raise DataError(f"{path} has a header but no rows; fetch it again or leave it out")
    return table


def _csv(path: Path) -> Table:
    wide: dict[int, str] = {}
    try:
        data = path.read_bytes().rstrip(b"\r\n")
        if data.startswith(_UTF16):  # as MetaTrader writes some of its exports
            data = data.decode("utf-16").encode()
        elif _WINDOWS in data.partition(b"\n")[0].lower():  # as Profit does
            data = data.decode("cp1252").encode()
        head = data.partition(b"\n")[0].decode("utf-8-sig")
        delimiter = max(_DELIMITERS, key=head.count)
        cells = next(csv.reader([head.rstrip("\r")], delimiter=delimiter), [])
        header = [_name(cell) for cell in cells or [""]]
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if twice:
            raise DataError(f"{path} names {', '.join(twice)} twice; leave one of them out")
        columns = _fast(data, len(header), delimiter)
        if columns is None:
            columns, wide = _careful(data, len(header), delimiter)
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror or error})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not CSV in UTF-8 ({error}); convert it") from error
    return Table(path, dict(zip(header, columns, strict=True)), 2, delimiter, wide)


def _fast(data: bytes, width: int, delimiter: str) -> list[pa.ChunkedArray] | None:
    """Return the columns if every row is as wide as the header and nothing is quoted."""
    body = data.partition(b"\n")[2]
    if b'"' in body or not body:
        return None
    names = [str(k) for k in range(width)]
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(body),
            pyarrow.csv.ReadOptions(column_names=names, block_size=1 << 22),
            pyarrow.csv.ParseOptions(
                delimiter=delimiter, quote_char=False, ignore_empty_lines=False
            ),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        return None
    return list(table.columns)


def _careful(
    data: bytes, width: int, delimiter: str
) -> tuple[list[pa.ChunkedArray], dict[int, str]]:
    """Return the columns of any CSV, short rows ending in nulls, and the rows that are too wide."""
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    rows = list(csv.reader(text, delimiter=delimiter))[1:]
    wide = {
        at: f"{len(row)} cells where the header names {width}"
        for at, row in enumerate(rows)
        if any(row[width:])  # an empty one behind the last is a delimiter too many
    }
    body = [row if len(row) == width else [*row, *[None] * width][:width] for row in rows]
    columns: list[Any] = list(zip(*body, strict=True)) if body else [()] * width
    return [pa.chunked_array([pa.array(column, pa.string())]) for column in columns], wide


def _parquet(path: Path) -> Table:
    columns = {}
    try:
        with path.open("rb") as file:
            table = pyarrow.parquet.read_table(file)
        if KEY in (table.schema.metadata or {}):  # its name is no symbol's, its bars have closed
            raise DataError(
                f"{path} is a tick store's own; give its folder where a store is asked for, or the "
                "file that `pregao data export` writes"
            )
        for name, column in zip(table.column_names, table.columns, strict=True):
            kind = column.type
            if pa.types.is_timestamp(kind):
                column = pc.cast(pc.cast(column, pa.timestamp("ns")), pa.int64())
            elif pa.types.is_dictionary(kind) or pa.types.is_large_string(kind):
                column = pc.cast(column, pa.string())
            columns[_name(name)] = column
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} is not Parquet ({error}); fetch it again") from error
    return Table(path, columns or {"": pa.chunked_array([pa.nulls(0)])}, 1)


def _name(cell: str) -> str:
    return cell.strip().lower().replace(" ", "_")
