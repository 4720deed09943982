"""Answers to ``ticks_history``: past ticks, and candles made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.record import Record

__all__ = ["LIMIT", "candle_of", "candles", "ticks"]

LIMIT = 5000
"""Most ticks or candles in one answer, whatever ``count`` asks for."""

_COUNT = 1000
_DAY = 86_400


def ticks(record: Record, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{"prices", "times"}``: the last ``count`` ticks from ``start`` to ``end``.

    Both ends are included. More than :data:`LIMIT` are never given, and where more would fit the
    **latest** are kept: to page through the past, move ``end`` backwards. A ``start`` before the
    first tick gives what there is.
    """
    start, end = _span(record, request, 0)
    rows = record.rows(start, end)[-_count(request) :]
    return {
        "prices": record.prices(rows).tolist(),
        "times": (record.origin + record.interval * rows).tolist(),
    }


def candles(record: Record, request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the last ``count`` candles that open from ``start`` (a day before ``end``) on.

    ``epoch`` is the time a candle **opens**. The last one is unfinished unless ``end`` is the last
    second of it. A candle without ticks is left out.
    """
    length = int(request.get("granularity", 60))
    start, end = _span(record, request, _DAY)
    return _candles(record, start // length * length, end, length)[-_count(request) :]


def candle_of(record: Record, i: int, length: int) -> dict[str, Any]:
    """Return the candle that tick ``i`` is in, as far as that tick."""
    epoch = record.epoch(i)
    return _candles(record, epoch // length * length, epoch, length)[-1]


def _candles(record: Record, start: int, end: int, length: int) -> list[dict[str, Any]]:
    rows = record.rows(start, end)
    if not len(rows):
        return []
    prices = record.prices(rows)
    opens = (record.origin + record.interval * rows) // length * length
    first = np.flatnonzero(np.diff(opens, prepend=-1))
    last = np.append(first[1:], len(rows)) - 1
    columns = {
        "close": prices[last],
        "epoch": opens[first],
        "high": np.maximum.reduceat(prices, first),
        "low": np.minimum.reduceat(prices, first),
        "open": prices[first],
    }
    values = [column.tolist() for column in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def _count(request: Mapping[str, Any]) -> int:
    return min(LIMIT, int(request.get("count", LIMIT if "start" in request else _COUNT)))


def _span(record: Record, request: Mapping[str, Any], past: int) -> tuple[int, int]:
    """Return the epochs asked for; ``past`` seconds before the end where no start is given."""
    latest = record.epoch(record.latest())
    end = latest if request["end"] == "latest" else int(request["end"])
    start = int(request.get("start", end - past if past else min(record.origin, end)))
    if start > end:
        raise Refusal("InvalidStartEnd", f"Start time {start} must be before end time {end}.")
    return max(start, 0), end
