"""The intervals Binance has bars of."""

from __future__ import annotations

from typing import Literal

from market.errors import ConfigError
from market.events import SECOND

__all__ = ["INTERVALS", "step"]

_MINUTE = 60 * SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

INTERVALS: dict[str, int] = {
    "1s": SECOND,
    **{f"{n}m": n * _MINUTE for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * _HOUR for n in (1, 2, 4, 6, 8, 12)},
    "1d": _DAY,
    "3d": 3 * _DAY,
    "1w": 7 * _DAY,
}
"""Nanoseconds of each. A month (``1M``) has no fixed length and is left out."""


def step(interval: str, market: Literal["spot", "usdm"] = "spot") -> int:
    """Return the nanoseconds from one bar to the next.

    Raises
    ------
    ConfigError
        Binance has no such bars there.

    Examples
    --------
    >>> step("5m")
    300000000000
    """
    if interval not in INTERVALS or (market == "usdm" and interval == "1s"):
        known = [name for name in INTERVALS if market == "spot" or name != "1s"]
        raise ConfigError(f"must be one of {', '.join(known)}, was {interval!r}", key="interval")
    return INTERVALS[interval]
