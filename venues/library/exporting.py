"""Out of the store: a symbol's events as CSV or Parquet that anything reads."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from rich.console import Console

from market.errors import DataError
from market.series import Series
from market.store import TickStore
from venues.library.words import instant

__all__ = ["export", "write_out"]


def export(
    root: str,
    symbol: str,
    kind: str | None,
    start: str | None,
    end: str | None,
    bars: str | None,
    out: Path,
    console: Console,
) -> int:
    """Write a symbol's events, or bars made of them, to a file."""
    _possible(out)
    store = TickStore(root)
    low = None if start is None else instant(start)
    high = None if end is None else instant(end, end=True)
    if kind is None and bars is not None:
        # Of what has sizes rather than of quotes: bars of a symbol that has both have volumes.
        kind = next((one for one in ("trades", "ticks") if one in store.kinds(symbol)), None)
    series = store.read(symbol, kind, low, high)
    if bars is not None:
        # Here and not above: compiled code takes a while to load.
        from market.bars import BarRule
        from market.bars import bars as make

        series = make(series, BarRule.parse(bars))
    what = f"{bars} bars of {kind}" if bars else series.kind
    rows = write_out(series, out)
    console.print(f"{rows:,} rows of {symbol}, {what}, in [bold]{out}[/]")
    return 0


def write_out(series: Series, path: Path) -> int:
    """Write a series as ``.csv`` or ``.parquet``, whole or not at all; return its rows.

    Columns: ``timestamp`` (ISO 8601, UTC, to the nanosecond), those of the kind, ``symbol``, and
    ``fresh`` where a row follows a hole. Unknown figures are empty. Bars of one length have
    ``open_time`` in place of ``timestamp``, as everybody times them; bars of so many ticks, so much
    volume or money have ``close_time``, for only that is known of them. ``pregao data import``
    reads it back, but for books and for bars that have no length.

    Raises
    ------
    DataError
        The suffix is another, there is no such folder, no row, or the file can't be written.
    """
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as parquet

    _possible(path)
    if not len(series):
        raise DataError(f"there is no event of {series.symbol} in that range; see `pregao data ls`")
    # A file's bars are timed by their opening, as everybody's are; see venues.files.
    times = series.times - (series.step if series.kind == "bars" else 0)
    even = "open_time" if series.step else "close_time"
    table = pa.table(
        {
            even if series.kind == "bars" else "timestamp": pa.array(
                times.view("M8[ns]"), pa.timestamp("ns", "UTC")
            ),
            **{name: pa.array(one, from_pandas=True) for name, one in series.columns.items()},
            "symbol": pa.DictionaryArray.from_arrays(
                np.zeros(len(series), np.int8), [series.symbol]
            ).cast(pa.string()),
            "fresh": pa.array(series.fresh),
        }
    )
    draft = path.with_name(f".{path.name}.tmp")
    try:
        if path.suffix == ".csv":
            csv.write_csv(table, draft)
        else:
            parquet.write_table(table, draft, compression="zstd")
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DataError(f"{path} can't be written ({error.strerror or error})") from error
    return len(series)


def _possible(path: Path) -> None:
    """Raise :class:`DataError` where nothing can be written, before anything is read for it."""
    if path.suffix not in (".csv", ".parquet"):
        raise DataError(f"{path} must end in .csv or .parquet")
    if not path.parent.is_dir():
        raise DataError(f"{path.parent} is no folder; make it, or check the path")
