"""The files meant by a path: itself, or what a folder holds that could be a recording."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from market.errors import DataError
from market.store import TickStore

__all__ = ["found", "is_store"]

_READ = (".csv", ".parquet", ".zip", ".gz")
_OTHER = (".feather", ".arrow", ".json", ".jsonl", ".h5", ".hdf5", ".pkl", ".npz", ".xlsx")


def found(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Return the files to read, and those left out as being of no kind that is read.

    A file that is named is always read. Of a folder, with all below it, what has a recording's
    suffix; whatever is empty is among them too, so that it is refused by name.

    Raises
    ------
    DataError
        A path is neither file nor folder, or a folder holds no file at all.
    """
    files: list[Path] = []
    left: list[Path] = []
    for path in paths:
        if path.is_file():
            files.append(path)
            continue
        if not path.is_dir():
            raise DataError(f"{path} is no file and no folder; check the path")
        inside = [
            one
            for one in sorted(path.rglob("*"))
            if one.is_file() and not any(part.startswith(".") for part in one.parts[-2:])
        ]
        if not inside:
            raise DataError(f"{path} holds no file; check the path")
        for one in inside:
            empty = one.stat().st_size == 0
            fit = one.suffix in (*_READ, *_OTHER) or empty
            (files if fit else left).append(one)
    return files, left


def is_store(path: Path) -> bool:
    """Return whether a folder is a tick store."""
    return path.is_dir() and bool(TickStore(path).symbols())
