"""How a span of time is written: ``1m``, ``5m``, ``1h``; one notation for settings and folders."""

from __future__ import annotations

import re

from market.errors import DataError

__all__ = ["span", "span_text"]

_UNITS = {
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}


def span(text: str) -> int:
    """Return the nanoseconds of a span such as ``5m``.

    Raises
    ------
    DataError
        It is not a positive whole number and one of d, h, m, s, ms, us, ns.

    Examples
    --------
    >>> span("5m"), span("250ms")
    (300000000000, 250000000)
    """
    match = re.fullmatch(r"([1-9]\d*)(d|h|m|s|ms|us|ns)", text)
    if match is None:
        raise DataError(f"a span must be a number and d, h, m, s, ms, us or ns, was {text!r}")
    return int(match[1]) * _UNITS[match[2]]


def span_text(nanoseconds: int) -> str:
    """Return the shortest exact notation of a positive span.

    Examples
    --------
    >>> [span_text(span(text)) for text in ("300s", "90s", "24h", "1500ms")]
    ['5m', '90s', '1d', '1500ms']
    """
    unit = next(name for name, length in _UNITS.items() if nanoseconds % length == 0)
    return f"{nanoseconds // _UNITS[unit]}{unit}"
