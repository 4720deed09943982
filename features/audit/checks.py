"""Columns held against data: none looks ahead, each warms up as it says and keeps its range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.audit.watched import Watched, watch
from features.batch import compute
from features.catalogue import Found, expand
from features.config import FeatureConfig
from market.beside import Beside
from market.tape import Tape

__all__ = ["Audited", "able", "audit"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Audited:
    """What became of one column.

    Parameters
    ----------
    found
        The column.
    warmup
        Events of its stream after which it was first known; 0 if it never was.
    unknown
        Share of rows on which it is nan.
    quartiles
        Smallest, median and largest value; nan if it never was known.
    faults
        What it did that no column may.
    """

    found: Found
    warmup: int
    unknown: float
    quartiles: tuple[float, float, float]
    faults: tuple[str, ...]


def able(names: tuple[str, ...], beside: Beside) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns that there are recordings for, and those that lack one.

    Parameters
    ----------
    names
        Columns and sets.
    beside
        What is recorded.
    """
    there = {
        "trades": beside.trades is not None,
        "book": beside.book is not None and bool(beside.tick),
        "peer": beside.peer is not None,
        "prices": True,
    }
    can: list[str] = []
    can_not: list[str] = []
    for one in expand(names):
        needs = {one.of.stream, *({one.of.need} & {"peer", "book"})}
        (can if all(there[need] for need in needs) else can_not).append(one.name)
    return tuple(can), tuple(can_not)


def audit(
    config: FeatureConfig, tape: Tape, beside: Beside, rng: np.random.Generator, cuts: int = 8
) -> tuple[Audited, ...]:
    """Audit every column of a configuration on a recording.

    A column is at fault where

    * it changes when the data ends at a random time after it: it has seen what came later;
    * streaming gives other bits than batch, or a snapshot taken at one of those times goes on to
      other bits;
    * it is known before its warm-up, or unknown after it although what it needs always was known;
    * it leaves its range, or its family writes an infinity.

    Parameters
    ----------
    config
        Which columns; of what is recorded alone, see :func:`able`.
    tape, beside
        The recording.
    rng
        Where to cut.
    cuts
        How often.
    """
    whole = compute(config, tape, beside)
    rows = np.sort(rng.choice(np.arange(1, len(tape)), min(cuts, len(tape) - 1), replace=False))
    faults: list[list[str]] = [[] for _ in config.found]
    for row in rows.tolist():
        part = tape.slice(0, row)
        seen = compute(config, part, beside.until(int(part.times[-1])))
        _differ(faults, seen, whole[:row], f"looks ahead: changes when the data ends at row {row}")
    watched = watch(config, tape, beside)
    _differ(faults, watched.values, whole, "streaming differs from batch")
    again = watch(config, tape, beside, rows.tolist())
    _differ(faults, again.values, watched.values, "a restart in the middle differs")
    return tuple(
        _audited(one, tape, whole[:, i], watched, i, faults[i])
        for i, one in enumerate(config.found)
    )


def _differ(faults: list[list[str]], these: Floats, those: Floats, told: str) -> None:
    """Note the columns that aren't bit-equal, each fault once."""
    other = these.view(np.int64) != np.ascontiguousarray(those).view(np.int64)
    for i in np.flatnonzero(other.any(axis=0)).tolist():
        if not any(fault.startswith(told.split(":")[0]) for fault in faults[i]):
            faults[i].append(f"{told}, first at row {int(other[:, i].argmax())}")


def _audited(
    one: Found, tape: Tape, values: Floats, watched: Watched, i: int, faults: list[str]
) -> Audited:
    counts = watched.counts[one.of.stream]
    due, known = counts >= one.warmup, np.isfinite(values)
    complete = watched.complete(one.of, tape)
    faults += _told(known & ~due, "known before its warm-up")
    faults += _told(due & complete & ~known, "unknown though what it needs is known")
    faults += _told(known & ~(values >= one.column.low), f"below {one.column.low:g}")
    faults += _told(known & ~(values <= one.column.high), f"above {one.column.high:g}")
    faults += _told(watched.infinite[:, i], "infinite")
    if not known.any():
        return Audited(one, 0, 1.0, (np.nan,) * 3, tuple(faults))
    first = int(known.argmax())
    # Several trades or updates may come between two rows: the row on which it was due counts.
    due &= watched.told[one.of.stream]
    warmup = one.warmup if first == int(due.argmax()) else int(counts[first])
    low, middle, high = np.quantile(values[known], (0.0, 0.5, 1.0)).tolist()
    return Audited(one, warmup, 1.0 - float(known.mean()), (low, middle, high), tuple(faults))


def _told(wrong: Bools, told: str) -> Iterator[str]:
    if wrong.any():
        yield f"{told}, first at row {int(wrong.argmax())}"
