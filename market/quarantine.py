"""The quarantine: rows that are not used, kept with where they stood and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable

from market.dayfiles import DayFiles
from market.errors import DataError
from market.series import BadRow

__all__ = ["Quarantine"]

_NAMES = ("where", "reason", "row")


class Quarantine:
    """``<symbol>/quarantine/rows.parquet`` of a store, each row once.

    Parameters
    ----------
    files
        The store's.
    """

    def __init__(self, files: DayFiles) -> None:
        self._files = files

    def read(self, symbol: str) -> tuple[BadRow, ...]:
        """Return the rows kept aside of ``symbol``, in the order they came."""
        table = self._files.place.get(self._path(symbol))
        if table is None:
            return ()
        if not set(_NAMES) <= set(table.column_names):
            raise DataError(f"{self._path(symbol)} is no quarantine's; move it away")
        return tuple(
            BadRow(*row) for row in zip(*(table[n].to_pylist() for n in _NAMES), strict=True)
        )

    def add(self, symbol: str, rows: Iterable[BadRow]) -> int:
        """Keep rows and return how many were not there yet."""
        import pyarrow as pa

        known = self.read(symbol)
        seen = set(known)
        new = [row for row in dict.fromkeys(rows) if row not in seen]
        if new:
            columns = {name: [getattr(row, name) for row in (*known, *new)] for name in _NAMES}
            self._files.place.put(pa.table(columns), self._path(symbol))
        return len(new)

    def _path(self, symbol: str) -> str:
        return f"{self._files.root}/{symbol}/quarantine/rows.parquet"
