"""The file formats that are understood, each recognised by its header and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from market.errors import DataError
from venues.files.formats import flow, generic, mt5, profit
from venues.files.layout import Columns, Layout
from venues.files.table import Table

__all__ = ["LAYOUTS", "columns_of", "layout_of"]

LAYOUTS: tuple[Layout, ...] = (
    flow.BARS,
    profit.BARS,
    mt5.BARS,
    mt5.TICKS,
    generic.BARS,
    generic.TRADES,
    generic.TICKS,
)
"""In the order they are tried: whoever asks for more columns comes first."""


def layout_of(path: Path, header: frozenset[str]) -> Layout:
    """Return the format whose header this is.

    Raises
    ------
    DataError
        It is none's; what was seen and what is known is told.
    """
    for layout in LAYOUTS:
        if layout.claims(header):
            return layout
    if header >= {"close_time", "open", "high", "low", "close"}:
        raise DataError(
            f"{path}: bars that name only their `close_time` have no length, and can't be read "
            "back or replayed; take the ticks or trades they were made of, or bars such as 1m"
        )
    known = "; ".join(f"{layout.name} ({layout.header})" for layout in LAYOUTS)
    raise DataError(
        f"{path}: no known format has the columns {', '.join(sorted(header))}; known are {known}"
    )


def columns_of(table: Table, layout: Layout) -> Columns:
    """Return a file's columns under our names; ``symbol``, if there is one, as text.

    Raises
    ------
    DataError
        They are of types that the format doesn't have, as in Parquet they may be.
    """
    try:
        columns = layout.columns(table.columns)
        if "symbol" in columns:
            columns["symbol"] = pc.cast(columns["symbol"], pa.string())
    except pa.ArrowException as error:
        raise DataError(f"{table.path} is no {layout.name}: {error}") from error
    return columns
