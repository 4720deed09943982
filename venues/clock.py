"""The wall clock: the one place that reads it.

Events carry the venue's time. Ours is needed where a venue gives none, and where it wants a
request to say when it was made; both take the clock as an argument, and tests give another.
"""

from __future__ import annotations

import time

__all__ = ["wall_clock"]


def wall_clock() -> int:
    """Return this machine's time, nanoseconds since 1970 UTC; it may jump, either way.

    Examples
    --------
    >>> wall_clock() > 1_700_000_000_000_000_000
    True
    """
    return time.time_ns()
