"""High and low: whether the price was reached, ``high_030_4``: .30 % above within 4 bars."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numba as nb
import numpy as np

from features.labels.classes import DOWN, FLAT, NO, NONE, UP, YES, Floats, Ints, Labels
from features.labels.future import block_extremes, first_beyond, known_until
from market.tape import CLOSE, HIGH, LOW, Tape

__all__ = ["HighLow", "Rule", "binary", "highlow"]

_NAME = re.compile(r"(high|low)_([0-9]{2,3})_([0-9]{1,7})")

Rule = Literal["touch", "first"]


@dataclass(frozen=True)
class HighLow:
    """What a name such as ``high_030_4`` asks.

    Parameters
    ----------
    side
        ``high``: is the price reached from below? ``low``: from above?
    threshold
        Distance of that price, as a fraction of the close at the decision.
    horizon
        Bars, or ticks, that may pass.

    Examples
    --------
    >>> HighLow.parse("low_030_4")
    HighLow(side='low', threshold=0.003, horizon=4)
    >>> HighLow.parse("high_3_4")
    Traceback (most recent call last):
    ...
    ValueError: must be like high_030_4 (.30 % above within 4 bars) or low_030_4, was 'high_3_4'
    """

    side: Literal["high", "low"]
    threshold: float
    horizon: int

    @classmethod
    def parse(cls, name: str) -> HighLow:
        """Read a name: side, hundredths of a per cent, bars."""
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError(
                f"must be like high_030_4 (.30 % above within 4 bars) or low_030_4, was {name!r}"
            )
        hundredths, horizon = int(found[2]), int(found[3])
        if not hundredths or not 1 <= horizon <= 1_000_000:
            raise ValueError(f"{name!r} must look for a move, 1 to 1000000 bars ahead")
        return cls("high" if found[1] == "high" else "low", hundredths / 10_000, horizon)


def binary(
    asked: HighLow, tape: Tape, rows: Ints, rule: Rule = "touch", tolerance: float = 1.0
) -> Labels:
    """Say of each decision whether the price was reached.

    With ``x`` the threshold and ``p = close[t]``, ``high`` asks whether the high of an event
    *t + 1* to *t + h* is at or above ``p * (1 + x)``. By the rule ``touch`` that is all; by
    ``first`` no event up to and with that one may have a low at or below
    ``p * (1 - x * tolerance)``: where one bar holds both nobody knows which came first, and it is
    no win. ``low`` mirrors both.

    Parameters
    ----------
    asked
        Side, threshold and horizon.
    rows
        ``int64[m]``: event of each decision.
    rule, tolerance
        See above.

    Returns
    -------
    label
        ``int8[m]``: ``YES``, ``NO``, or ``NONE`` where the tape ends or has a gap before that is
        known.
    end
        ``int64[m]``: the event that settled it: the one that reached the price (or, by ``first``,
        the other one), else *t + h*; the decision's own where there is none.

    Notes
    -----
    ``first`` is highlow2 of intelligent-trading-bot, which takes the tie inside a bar for a win.
    """
    adverse = asked.threshold * tolerance if rule == "first" else np.inf
    return _reach(
        tape.values, *block_extremes(tape), rows, known_until(tape, rows), asked.side == "high",
        asked.threshold, asked.horizon, adverse,
    )  # fmt: skip


def highlow(
    names: tuple[str, ...], tape: Tape, rows: Ints, rule: Rule = "touch", tolerance: float = 1.0
) -> Labels:
    """Label decisions by the prices that were reached, see :func:`binary`.

    ``UP`` if only the high one was, ``DOWN`` if only the low one was, else ``FLAT``; a side without
    a name is never reached.

    Parameters
    ----------
    names
        One ``high_…``, one ``low_…``, or both.

    Returns
    -------
    label
        ``int8[m]``; ``NONE`` where either answer is unknown.
    end
        ``int64[m]``: the event that settled the later answer; the decision's own where there is
        none.
    """
    reached = {"high": np.zeros(len(rows), np.bool_), "low": np.zeros(len(rows), np.bool_)}
    known, ends = np.ones(len(rows), np.bool_), rows
    for name in names:
        asked = HighLow.parse(name)
        answer, end = binary(asked, tape, rows, rule, tolerance)
        reached[asked.side] = answer == YES
        known &= answer != NONE
        ends = np.maximum(ends, end)
    up, down = reached["high"] & ~reached["low"], reached["low"] & ~reached["high"]
    labels = np.where(known, np.where(up, UP, np.where(down, DOWN, FLAT)), NONE)
    return labels.astype(np.int8), np.where(known, ends, rows)


@nb.njit(cache=True)
def _reach(
    values: Floats,
    tops: Floats,
    bottoms: Floats,
    rows: Ints,
    walls: Ints,
    above: bool,
    threshold: float,
    horizon: int,
    adverse: float,
) -> Labels:
    """Look for the price, and for the adverse one."""
    labels = np.full(len(rows), NONE, np.int8)
    ends = rows.copy()
    for k in range(len(rows)):
        price, last = values[rows[k], CLOSE], rows[k] + horizon
        upper = price * (1.0 + (threshold if above else adverse))
        lower = price * (1.0 - (adverse if above else threshold))
        stop = min(last + 1, walls[k])
        i = first_beyond(values, tops, bottoms, rows[k] + 1, stop, lower, upper)
        if i < stop:
            up, down = values[i, HIGH] >= upper, values[i, LOW] <= lower
            labels[k], ends[k] = YES if (up > down if above else down > up) else NO, i
        elif last < walls[k]:
            labels[k], ends[k] = NO, last
    return labels, ends
