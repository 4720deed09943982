"""What a file of the tick store says of itself, readable without its rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, inf, nan
from typing import Any

import msgspec
import numpy as np

from market.errors import DataError, SchemaMismatch
from market.series import Series

__all__ = ["KEY", "SCHEMA", "ColumnStats", "Footer", "Hole", "read_footer"]

SCHEMA = 1
"""Version of the files' layout; one that changes what is stored changes it too."""

KEY = b"pregao"
"""Where in a Parquet file's metadata it stands."""


class Hole(msgspec.Struct, frozen=True, array_like=True):
    """A hole in front of a row.

    Parameters
    ----------
    start
        Time of the row before it, nanoseconds; -1 if that stands in another file.
    end
        Time of the row.
    source
        Who told the row: a venue's stream, or a file.
    """

    start: int
    end: int
    source: str


class Footer(msgspec.Struct, frozen=True):
    """One file's own account.

    Parameters
    ----------
    schema
        :data:`SCHEMA` when it was written.
    symbol, kind, step
        As :class:`~market.series.Series` has them.
    first, last
        Times of the first and the last row, nanoseconds.
    last_id
        The venue's number of the last trade; -1 if it has none.
    merged
        Segments of the day up to this number are in here already; what is left of them counts
        no more.
    holes
        Rows that follow a hole.
    sums
        Of each column, ``nan`` left out; for means.
    """

    schema: int
    symbol: str
    kind: str
    step: int
    first: int
    last: int
    last_id: int = -1
    merged: int = 0
    holes: list[Hole] = []
    sums: dict[str, float] = {}

    @classmethod
    def of(cls, series: Series, merged: int, sources: dict[int, str]) -> Footer:
        """Return the account of ``series``; ``sources`` by the time of the row behind a hole."""
        at = np.flatnonzero(series.fresh)
        before = np.where(at > 0, series.times[np.maximum(at - 1, 0)], -1).tolist()
        times = series.times[at].tolist()
        ids = series.columns.get("id")
        return cls(
            schema=SCHEMA,
            symbol=series.symbol,
            kind=series.kind,
            step=series.step,
            first=int(series.times[0]),
            last=int(series.times[-1]),
            last_id=-1 if ids is None else int(ids[-1]),
            merged=merged,
            holes=[Hole(b, t, sources.get(t, "")) for b, t in zip(before, times, strict=True)],
            sums={
                name: float(np.nansum(column, dtype=np.float64))
                for name, column in series.columns.items()
            },
        )


@dataclass(frozen=True)
class ColumnStats:
    """A column in four figures; ``nan`` where nothing is known.

    Parameters
    ----------
    least, most, mean
        Of what is known.
    nulls
        Rows in which it is not.
    """

    least: float
    most: float
    mean: float
    nulls: int

    @classmethod
    def over(cls, name: str, files: list[tuple[Footer, Any]]) -> ColumnStats:
        """Return the figures of a column from footers and Parquet statistics alone."""
        least, most, nulls, rows = inf, -inf, 0, 0
        for _, metadata in files:
            place = metadata.schema.names.index(name)
            for group in range(metadata.num_row_groups):
                column = metadata.row_group(group).column(place)
                told = column.statistics
                rows += column.num_values
                nulls += told.null_count
                if told.has_min_max:
                    least, most = min(least, float(told.min)), max(most, float(told.max))
        known = rows - nulls
        if not known:
            return cls(nan, nan, nan, nulls)
        return cls(least, most, fsum(footer.sums[name] for footer, _ in files) / known, nulls)


def read_footer(path: str, metadata: dict[bytes, bytes] | None) -> Footer:
    """Return a file's account of itself.

    Raises
    ------
    SchemaMismatch
        A later Pregão wrote it.
    DataError
        It is none of the store's.
    """
    text = (metadata or {}).get(KEY)
    try:
        if text is None:
            raise DataError("it has no footer of Pregão's")
        version = msgspec.json.decode(text, type=dict[str, Any]).get("schema")
        if isinstance(version, int) and version > SCHEMA:
            raise SchemaMismatch(
                f"{path} has schema {version}, this Pregão knows {SCHEMA}: upgrade it, or export "
                "the file with the one that wrote it"
            )
        return msgspec.json.decode(text, type=Footer)
    except (msgspec.MsgspecError, UnicodeDecodeError, DataError) as error:
        raise DataError(
            f"{path} is not the tick store's ({error}); move it away, and bring it in with "
            "`pregao data import`"
        ) from error
