"""A column at a time where all is well, cell by cell where something is wrong: the same result.

Rows are read in blocks. A block that doesn't read at once is halved until the rows at fault are
among a few, and these are looked at one by one, so that each bad one is told with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from venues.files.layout import NEEDED, VALUES, Columns
from venues.files.moments import moment, moments

__all__ = ["Rows", "read_rows"]

_BLOCK = 1 << 17
_FEW = 128
_SIGNED = ("side", "id")
_SIDES = (-1.0, 0.0, 1.0)


@dataclass(frozen=True)
class Rows:
    """What the rows say, each on its own.

    Parameters
    ----------
    times
        ``int64[n]``, nanoseconds since 1970 UTC.
    values
        ``float64[n, k]``: the columns of ``VALUES[kind]``; ``nan`` where there is nothing.
    bad
        Reason by row; such a row's time and values mean nothing.
    """

    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    bad: dict[int, str]


def read_rows(columns: Columns, kind: str, zone: str, careful: bool = False) -> Rows:
    """Read the rows of a file.

    Parameters
    ----------
    columns
        ``time`` and those of ``VALUES[kind]`` that are there.
    kind
        Of the rows.
    zone
        Of times that name none.
    careful
        Look at every row one by one: the same result, slowly.
    """
    count = len(columns["time"])
    rows = Rows(np.zeros(count, np.int64), np.full((count, len(VALUES[kind])), nan), {})
    waiting = [(k, min(k + _BLOCK, count)) for k in range(0, count, _BLOCK)][::-1]
    while waiting:
        start, stop = waiting.pop()
        block = {name: column.slice(start, stop - start) for name, column in columns.items()}
        try:
            if careful:
                raise ValueError("as asked")
            times, values = _at_once(block, kind, zone)
        except (ValueError, pa.ArrowNotImplementedError):
            if stop - start <= _FEW or careful:
                _one_by_one(block, kind, zone, start, rows)
            else:
                middle = (start + stop) // 2
                waiting += [(middle, stop), (start, middle)]
            continue
        rows.times[start:stop], rows.values[start:stop] = times, values
    return rows


def _at_once(
    block: Columns, kind: str, zone: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return times and values; ``ValueError`` if any row is not as it should be."""
    times = moments(block["time"], zone)
    values = np.full((len(times), len(VALUES[kind])), nan)
    for at, name in enumerate(VALUES[kind]):
        if name not in block:
            continue
        cells, needed = block[name], name in NEEDED[kind]
        if pa.types.is_string(cells.type) and not needed:
            cells = pc.if_else(pc.equal(cells, ""), None, cells)
        if cells.null_count:
            if needed:
                raise ValueError(f"{name} is missing")
            numbers = pc.fill_null(pc.cast(cells, pa.float64()), nan)
        else:
            numbers = pc.cast(cells, pa.float64())
        values[:, at] = numbers.to_numpy()
        column = values[:, at]
        if name not in _SIGNED:
            good = (column > 0.0) if needed else ~(column < 0.0)
            if not good.all() or np.isinf(column).any():
                raise ValueError(f"{name} is wrong")
    if kind == "bars":
        opened, high, low, closed = values.T[:4]
        if (high < np.maximum(np.maximum(opened, closed), low)).any() or (
            low > np.minimum(opened, closed)
        ).any():
            raise ValueError("a high is not the highest")
    if kind == "trades" and not (np.isnan(values[:, 3]) | np.isin(values[:, 3], _SIDES)).all():
        raise ValueError("a side is none")
    return times, values


def _one_by_one(block: Columns, kind: str, zone: str, start: int, rows: Rows) -> None:
    """Read rows into ``rows``, each bad one with its reason."""
    names = [name for name in VALUES[kind] if name in block]
    where = [VALUES[kind].index(name) for name in names]
    cells = [block[name].to_pylist() for name in names]
    for row, (stamp, *row_cells) in enumerate(
        zip(block["time"].to_pylist(), *cells, strict=True), start
    ):
        try:
            time = moment(stamp, zone)
            values = [
                _value(name, cell, name in NEEDED[kind])
                for name, cell in zip(names, row_cells, strict=True)
            ]
            if kind == "bars":
                _enclosed(*values[:4])
        except (ValueError, OverflowError) as error:
            rows.bad[row] = str(error)
            continue
        rows.times[row] = time
        rows.values[row, where] = values


def _value(name: str, cell: object, needed: bool) -> float:
    if cell is None or cell == "":
        if needed:
            raise ValueError(f"{name} is missing")
        return nan
    try:
        if isinstance(cell, str) and ("_" in cell or not cell.isascii()):
            raise ValueError("Python's own way of writing numbers, or other scripts' digits")
        number = float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, was {cell!r}") from None
    if name == "side":
        if number not in _SIDES and number == number:
            raise ValueError(f"side must be 1, -1 or 0, was {number:g}")
    elif name in _SIGNED:
        pass
    elif needed and not (isfinite(number) and number > 0.0):
        raise ValueError(f"{name} must be positive and finite, was {number:g}")
    elif number < 0.0 or number == float("inf"):
        raise ValueError(f"{name} must be finite and not negative, was {number:g}")
    return number


def _enclosed(opened: float, high: float, low: float, closed: float) -> None:
    if high < max(opened, closed, low) or low > min(opened, closed):
        raise ValueError(f"high {high:g} and low {low:g} must enclose {opened:g} and {closed:g}")
