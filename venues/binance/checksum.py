"""The sums that the archive keeps beside its files."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from market.errors import DataError

__all__ = ["digest", "expected"]

_CHECKSUM = re.compile(r"([0-9a-fA-F]{64})\s+\*?(\S+)\s*")


def digest(path: Path) -> str:
    """Return a file's sha256 in hexadecimal; reads all of it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expected(sums: bytes, name: str) -> str:
    """Return the sha256 that ``sums`` says of the file ``name``.

    Raises
    ------
    DataError
        It says none, or that of another file.

    Examples
    --------
    >>> expected(b"AB" * 32 + b"  one.zip", "one.zip") == "ab" * 32
    True
    """
    found = _CHECKSUM.fullmatch(sums.decode("utf-8", "replace"))
    if found is None or found[2] != name:
        raise DataError(f"{name}.CHECKSUM: must be a sha256 and {name}, was {sums[:100]!r}")
    return found[1].lower()
