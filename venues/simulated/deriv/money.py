"""Amounts as frames carry them and as the books keep them: whole cents."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

__all__ = ["cents", "money", "text"]


def cents(amount: float) -> int | None:
    """Return an amount's cents; ``None`` if it has more than two decimals, or is beyond all sense.

    Examples
    --------
    >>> cents(0.35), cents(10), cents(0.333)
    (35, 1000, None)
    """
    if not isfinite(amount) or abs(amount) > 1e12:
        return None
    exact = Decimal(str(amount)) * 100
    return int(exact) if exact == exact.to_integral_value() else None


def money(amount: int) -> float:
    """Return cents as the number a frame holds."""
    return amount / 100


def text(amount: int) -> str:
    """Return cents as words hold them: ``"12.50"``."""
    return f"{amount / 100:.2f}"
