"""A recording's rows as they stand in its file: named columns of text or numbers."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from market.errors import DataError

__all__ = ["Table", "read_table"]


@dataclass(frozen=True)
class Table:
    """Columns of one file.

    Parameters
    ----------
    path
        The file.
    columns
        Each column's values by its name in lower case, spaces as underscores. A row that is too
        short has ``None`` where its file has nothing.
    first
        Line the first row stands on: 2 under a CSV's header, 1 in Parquet.
    """

    path: Path
    columns: dict[str, Sequence[Any]]
    first: int

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def read_table(path: Path) -> Table:
    """Read a CSV or Parquet file.

    Raises
    ------
    DataError
        It is missing, empty, of another kind, or not what its name says.
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
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not CSV in UTF-8 ({error}); convert it") from error
    header = [_name(cell) for cell in rows[0]] if rows else [""]
    body = rows[1:]
    width = len(header)
    padded = [row if len(row) == width else [*row, *[None] * width][:width] for row in body]
    columns = list(zip(*padded, strict=True)) if padded else [()] * width
    return Table(path, dict(zip(header, columns, strict=True)), first=2)


def _parquet(path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        with path.open("rb") as file:
            table = parquet.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} is not Parquet ({error}); fetch it again") from error
    columns: dict[str, Sequence[Any]] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        stamp = pa.types.is_timestamp(column.type)
        columns[_name(name)] = (
            column.cast(pa.timestamp("ns")).cast(pa.int64()) if stamp else column
        ).to_pylist()
    return Table(path, columns or {"": ()}, first=1)


def _name(cell: str) -> str:
    return cell.strip().lower().replace(" ", "_")
