"""What a file format says of itself: how its header looks, and where what stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["NEEDED", "VALUES", "Columns", "Layout", "pick"]

Columns = dict[str, pa.ChunkedArray]

VALUES: dict[str, tuple[str, ...]] = {
    "ticks": ("price", "bid", "ask"),
    "trades": ("id", "price", "size", "side"),
    "bars": ("open", "high", "low", "close", "volume", "trades", "buy_volume", "vwap"),
    "changes": ("bid", "ask", "last", "volume", "flags"),
}
"""What is read of a row besides its time, by kind. ``changes`` are quotes and trades in one list,
of which a row says only what is new."""

NEEDED: dict[str, tuple[str, ...]] = {
    "ticks": ("price",),
    "trades": ("price", "size"),
    "bars": ("open", "high", "low", "close"),
    "changes": (),
}
"""Those of them without which a row is none: positive and finite. The others may be left out or
empty, but not negative."""


@dataclass(frozen=True)
class Layout:
    """One format, recognised by its header.

    Parameters
    ----------
    name
        What people call it.
    header
        How its header is recognised, for whoever has another one.
    kind
        Key of :data:`VALUES`.
    claims
        Whether a header (the names in lower case) is this format's.
    columns
        Takes the file's columns; returns ``time``, those of :data:`VALUES`, and ``symbol`` if there
        is one. Text cells must be such as ``float`` and ISO 8601 (or a number since 1970) read; a
        cell it can't make so must stay one they don't read: bad cells are told, not mended.
    zone
        Time zone of times that name none; ``None`` where the format has its maker's.
    finish
        Takes the symbol and ``float64[n, k]``, returns the values in our units.
    """

    name: str
    header: str
    kind: str
    claims: Callable[[frozenset[str]], bool]
    columns: Callable[[Columns], Columns]
    zone: str | None = "UTC"
    finish: Callable[[str, npt.NDArray[np.float64]], npt.NDArray[np.float64]] | None = None


def pick(columns: Mapping[str, Any], **aliases: tuple[str, ...]) -> Columns:
    """Return columns under new names: of each one's aliases the first that is there.

    Examples
    --------
    >>> pick({"hora": 1, "x": 2}, time=("time", "hora"), price=("last",))
    {'time': 1}
    """
    found: Columns = {}
    for name, known in aliases.items():
        for alias in known:
            if alias in columns:
                found[name] = columns[alias]
                break
    return found
