"""Which recording of a folder is of which symbol."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from market.errors import DataError, UnknownSymbol
from market.store import TickStore

__all__ = ["find"]


def find(folder: Path, symbols: Sequence[str] | None = None) -> dict[str, Path]:
    """Return where to find each symbol: a file, or the folder if it is a tick store.

    Parameters
    ----------
    folder
        Holds files that say in a column what they are of (perhaps of several symbols), or are
        named by it, such as ``R_75_20260404.csv``; or a tick store.
    symbols
        Which; all there are if left out, sorted.

    Raises
    ------
    UnknownSymbol
        There is no recording of one of them.
    DataError
        The folder is missing or holds no recording, or several files of one symbol.
    """
    from venues.files.names import symbols_in

    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; check the path")
    found: dict[str, Path] = dict.fromkeys(TickStore(folder).symbols(), folder)
    for path in sorted(folder.iterdir()):
        if path.suffix not in {".csv", ".parquet"} or path.name.startswith("."):
            continue
        for symbol in symbols_in(path):
            if symbol in found and (symbols is None or symbol in symbols):
                raise DataError(
                    f"{folder} has {found[symbol].name} and {path.name} of {symbol}; keep one"
                )
            found[symbol] = path
    if not found:
        raise DataError(f"{folder} holds no recording (.csv, .parquet, or a tick store)")
    for symbol in symbols or ():
        if symbol not in found:
            close = difflib.get_close_matches(symbol, found, n=3) or sorted(found)
            raise UnknownSymbol(
                f"no recording of {symbol!r} in {folder}; there is {', '.join(close)}"
            )
    return {symbol: found[symbol] for symbol in symbols or sorted(found)}
