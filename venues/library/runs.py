"""Bad rows told briefly: neighbours that are wrong in one way are one line."""

from __future__ import annotations

from collections.abc import Iterable

from market.series import BadRow

__all__ = ["runs"]


def runs(rows: Iterable[BadRow]) -> list[str]:
    """Return a line for each run of rows that follow each other and have the same fault.

    The first of a run is told whole: where, why, and what stands there.

    Examples
    --------
    >>> runs([BadRow("a.csv:4", "price is missing", "1,"), BadRow("a.csv:5", "price is missing"),
    ...     BadRow("a.csv:9", "price must be positive, was -1", "2,-1")])
    ['a.csv:4–5 (2 rows): price is missing   1,',
     'a.csv:9: price must be positive, was -1   2,-1']
    """
    found: list[tuple[BadRow, int]] = []
    for row in rows:
        if found:
            first, count = found[-1]
            file, line = _place(row)
            if _place(first) == (file, line - count) and _fault(first) == _fault(row):
                found[-1] = (first, count + 1)
                continue
        found.append((row, 1))
    return [_line(first, count) for first, count in found]


def _line(first: BadRow, count: int) -> str:
    until = f"–{_place(first)[1] + count - 1} ({count:,} rows)" if count > 1 else ""
    return f"{first.where}{until}: {first.reason}   {first.row}".rstrip()


def _place(row: BadRow) -> tuple[str, int]:
    file, _, line = row.where.rpartition(":")
    return file, int(line) if line.isdecimal() else -1


def _fault(row: BadRow) -> str:
    return " ".join(row.reason.split()[:2])
