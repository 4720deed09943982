"""What a file is of: by a column that says so, else by its name."""

from __future__ import annotations

import re
from pathlib import Path

from market.errors import DataError
from venues.files.formats import columns_of, layout_of
from venues.files.table import read_table

__all__ = ["symbol_of", "symbols_in"]

_NAME = re.compile(
    r"(?P<symbol>.+?)"
    r"(_(\d{8}|\d{4}(-\d\d){0,2}|\d+(s|m|h|d|w|M)|ticks|trades|bars|klines|mt5|profit)(_.*)?)?"
)


def symbol_of(path: Path) -> str:
    """Return the symbol a file's name begins with.

    It ends before the first ``_`` that is followed by a day, a month or a year, a bar length, or
    what the file is (``ticks``, ``trades``, ``bars``, ``klines``, ``mt5``, ``profit``).

    Examples
    --------
    >>> [symbol_of(Path(name)) for name in ("R_75_20260404.csv", "BTCUSDT_5m.parquet", "R_75.csv")]
    ['R_75', 'BTCUSDT', 'R_75']
    >>> [symbol_of(Path(name)) for name in ("BTCUSDT_1m_bad_prices.csv", "DOLK20_ticks_mt5.csv")]
    ['BTCUSDT', 'DOLK20']
    """
    match = _NAME.fullmatch(path.stem)
    return path.stem if match is None else match["symbol"]


def symbols_in(path: Path) -> list[str]:
    """Return the symbols a file's own column names, sorted; without one, that of its name.

    A file that can't be read is called by its name: whoever reads it hears what is wrong with it.
    """
    try:
        table = read_table(path)
        columns = columns_of(table, layout_of(path, frozenset(table.columns)))
    except DataError:
        return [symbol_of(path)]
    if "symbol" not in columns:
        return [symbol_of(path)]
    return sorted(str(name) for name in columns["symbol"].unique().to_pylist() if name)
