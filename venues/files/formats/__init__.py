"""The file formats that are understood, each recognised by its header and by nothing else."""

from __future__ import annotations

from pathlib import Path

from market.errors import DataError
from venues.files.formats import flow, generic, mt5, profit
from venues.files.layout import Layout

__all__ = ["LAYOUTS", "layout_of"]

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
    known = "; ".join(f"{layout.name} ({layout.header})" for layout in LAYOUTS)
    raise DataError(
        f"{path}: no known format has the columns {', '.join(sorted(header))}; known are {known}"
    )
