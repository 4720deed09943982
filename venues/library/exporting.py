"""Out of the store: a symbol's events as CSV or Parquet that anything reads."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from market.errors import DataError
from market.series import Series

__all__ = ["write_out"]


def write_out(series: Series, path: Path) -> int:
    """Write a series as ``.csv`` or ``.parquet``, whole or not at all; return its rows.

    Columns: ``timestamp`` (ISO 8601, UTC, to the nanosecond; of an even bar that of its opening,
    as everybody writes them, of an uneven one that of its close), those
    of the kind, ``symbol``, and ``fresh`` where a row follows a hole. Unknown figures are empty.
    ``pregao data import`` reads it back, but for books.

    Raises
    ------
    DataError
        The suffix is another, there is no row, or the file can't be written.
    """
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as parquet

    if path.suffix not in (".csv", ".parquet"):
        raise DataError(f"{path} must end in .csv or .parquet")
    if not len(series):
        raise DataError(f"there is no event of {series.symbol} in that range; see `pregao data ls`")
    # A file's bars are timed by their opening, as everybody's are; see venues.files.
    times = series.times - (series.step if series.kind == "bars" else 0)
    table = pa.table(
        {
            "timestamp": pa.array(times.view("M8[ns]"), pa.timestamp("ns", "UTC")),
            **{name: pa.array(one, from_pandas=True) for name, one in series.columns.items()},
            "symbol": pa.DictionaryArray.from_arrays(
                np.zeros(len(series), np.int8), [series.symbol]
            ).cast(pa.string()),
            "fresh": pa.array(series.fresh),
        }
    )
    draft = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".csv":
            csv.write_csv(table, draft)
        else:
            parquet.write_table(table, draft, compression="zstd")
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DataError(f"{path} can't be written ({error.strerror or error})") from error
    return len(series)
