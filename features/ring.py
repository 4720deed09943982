"""The rings in which a stream's history keeps its fields: as many events each, a power of two."""

from __future__ import annotations

from features.compiled import Floats, compiled

__all__ = ["capacity", "entry"]


def capacity(lookback: int) -> int:
    """Return how many events a ring holds: a power of two above ``lookback``."""
    return 1 << max(lookback, 1).bit_length()


@compiled
def entry(h: Floats, rings: int, mask: int, ring: int, event: int) -> float:
    """Return what a ring holds of the stream's event of that number, from 0.

    ``rings`` is where the first ring begins, and ``mask`` :func:`capacity` less one.
    """
    value: float = h[rings + ring * (mask + 1) + (event & mask)]
    return value
