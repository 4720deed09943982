"""Walk-forward: train on a stretch of the past, test on what follows it, step on.

The only split in which every model is judged on data later than all it was trained on, as it will
be used.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count, takewhile
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from market.config import Config
from market.errors import DataError
from validation.splits.spans import Ints, check

__all__ = ["WalkForwardConfig", "walk_forward"]

Count = Annotated[int, Field(ge=1)]

_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND


class WalkForwardConfig(Config):
    """How long to train, how long to test, and how far to step.

    Parameters
    ----------
    unit
        Of ``train``, ``test`` and ``step``. ``months``: calendar months in UTC, counted from the
        day of the first decision; one that begins on a 31st ends on the last day of shorter ones.
        ``decisions``: so many rows of the dataset. ``events``: so many events of the tape, whether
        a decision was made on them or not; ``bars`` and ``ticks`` are other words for them.
    train, test
        Lengths of the two spans.
    step
        Distance from a step to the next; less than ``test`` tests some decisions more than once,
        more leaves some untested.
    anchored
        Train on everything from the start (expanding), not on the latest ``train`` only (rolling).
    reduce_test
        Keep the last test though history ends within it.
    embargo
        Events that the last outcome trained on must lie before the first tested decision.

    Examples
    --------
    >>> WalkForwardConfig(unit="bars", train=500, test=100, step=100).unit
    'events'
    """

    unit: Literal["months", "decisions", "events"] = "months"
    train: Count = 3
    test: Count = 1
    step: Count = 1
    anchored: bool = False
    reduce_test: bool = False
    embargo: Annotated[int, Field(ge=0)] = 0

    @field_validator("unit", mode="before")
    @classmethod
    def _events(cls, unit: object) -> object:
        return "events" if unit in ("bars", "ticks") else unit


def walk_forward(
    label_end: Ints, rows: Ints, config: WalkForwardConfig, times: Ints | None = None
) -> Iterator[tuple[Ints, Ints]]:
    """Step through history; train on a span, test on the one that follows.

    From the training span are purged decisions whose label is settled less than ``embargo`` events
    before the test's first decision, so no outcome is shared. Steps in which a hole of the history
    swallowed either span are passed over.

    Parameters
    ----------
    label_end
        ``int64[m]``: event that settles each label.
    rows
        ``int64[m]``: event of each decision, increasing.
    config
        Lengths and steps.
    times
        ``int64[m]``: venue time of each decision, nanoseconds; only months need it.

    Yields
    ------
    train, test : int64 arrays of indices into ``rows``

    Raises
    ------
    DataError
        The history is too short for one step, or purging leaves nothing to train on.

    Examples
    --------
    >>> rows = np.arange(10)
    >>> config = WalkForwardConfig(unit="decisions", train=4, test=2, step=3)
    >>> for train, test in walk_forward(rows + 1, rows, config):
    ...     print(train.tolist(), test.tolist())
    [0, 1, 2] [4, 5]
    [3, 4, 5] [7, 8]
    """
    check(label_end, rows)
    if not len(rows):
        raise DataError("walk-forward needs decisions, history holds none; bring more of it")
    place, border, past = _axis(rows, times, config.unit)
    need = config.train + (1 if config.reduce_test else config.test)
    if border(config.train) >= past or (border(need) > past and not config.reduce_test):
        have = sum(1 for _ in takewhile(lambda k: border(k) <= past, count(1)))
        raise DataError(
            f"walk-forward needs {need} {config.unit} ({config.train} to train on, then "
            f"{need - config.train} to test), history holds {have}; bring more of it, or shorten "
            "train or test"
        )
    everything = np.arange(len(rows))
    for step, first in enumerate(count(0, config.step)):
        cut, stop = border(first + config.train), border(first + config.train + config.test)
        if cut >= past or (stop > past and not config.reduce_test):
            return
        start, cut_at, stop_at = np.searchsorted(
            place, (border(0 if config.anchored else first), cut, stop)
        )
        train, test = everything[start:cut_at], everything[cut_at:stop_at]
        if len(train) and len(test):
            kept = train[label_end[train] + config.embargo < rows[test[0]]]
            if not len(kept):
                raise DataError(
                    f"walk-forward step {step + 1} has nothing to train on: none of its "
                    f"{len(train)} decisions has its outcome more than {config.embargo} events "
                    "before the test; lengthen train, or shorten the labels' horizon or embargo"
                )
            yield kept, test
        if stop > past:
            return


def _axis(rows: Ints, times: Ints | None, unit: str) -> tuple[Ints, Callable[[int], int], int]:
    """Return where each decision stands, where the k-th unit begins, and where history ends."""
    if unit == "decisions":
        return np.arange(len(rows)), lambda k: k, len(rows)
    if unit == "events":
        begin = int(rows[0])
        return rows, lambda k: begin + k, int(rows[-1]) + 1
    if times is None:
        raise ValueError("times must be given to step by months; pass each decision's venue time")
    if len(times) != len(rows):
        raise ValueError(f"times must match rows, were {len(times)} and {len(rows)}")
    if (np.diff(times) < 0).any():
        raise ValueError("times must not decrease; sort the decisions by time")
    day = datetime.fromtimestamp(int(times[0]) // _SECOND, UTC)
    return times, lambda k: _months_later(day, k), (int(times[-1]) // _DAY + 1) * _DAY


def _months_later(day: datetime, months: int) -> int:
    """Return the first nanosecond of the day that is so many calendar months after ``day``."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    then = datetime(year, month + 1, min(day.day, last), tzinfo=UTC)
    return int(then.timestamp()) * _SECOND
