"""Ratios without infinities: what keeps columns scale-free and bounded."""

from __future__ import annotations

import math

from features.compiled import compiled

__all__ = ["LIMIT", "log_ratio", "ratio"]

LIMIT = 16.0
"""No ratio made here leaves ``[-LIMIT, LIMIT]``: a dead price can't blow a column up."""


@compiled
def ratio(a: float, b: float) -> float:
    """Divide within ``[-LIMIT, LIMIT]``; 0 where ``b`` is not positive."""
    if b <= 0.0:
        return 0.0
    return min(max(a / b, -LIMIT), LIMIT)


@compiled
def log_ratio(a: float, b: float) -> float:
    """Take ``log(a / b)`` within ``[-LIMIT, LIMIT]``; 0 where either is not positive."""
    if a <= 0.0 or b <= 0.0:
        return 0.0
    return min(max(math.log(a / b), -LIMIT), LIMIT)
