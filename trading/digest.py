"""A fingerprint of what was decided and done, to compare runs by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from trading.journal import Journal

__all__ = ["digest"]

_KINDS = frozenset({"decision", "order", "fill"})


def digest(journals: Iterable[tuple[str, Journal]]) -> str:
    """Return sixteen hex digits that stand for every decision, order and fill, byte for byte.

    Parameters
    ----------
    journals
        Symbol and its journal; the order they come in doesn't matter.
    """
    total = hashlib.sha256()
    for symbol, journal in sorted(journals, key=lambda pair: pair[0]):
        total.update(symbol.encode() + b"\n")
        for entry in journal.entries(symbol):
            if entry.kind in _KINDS:
                total.update(entry.kind.encode() + b" " + entry.payload + b"\n")
    return total.hexdigest()[:16]
