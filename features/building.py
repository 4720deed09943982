"""From a recording of any length to a matrix on disk, day by day."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import msgspec
import numpy as np

import features
import market
from features.compiling import Report, compile_steps, unseen
from features.dataset import barren
from features.decisions import Carry, Decisions, Recipe, Stretch, joined, take
from features.layout import lay
from features.matrix import FORMAT, Matrix, MatrixWriter
from features.sourcecode import code_of
from features.sources import Day, Source
from market.beside import Beside
from market.errors import DataError
from market.place import Place
from market.series import Series
from market.tape import Tape

__all__ = [
    "LONGEST",
    "Built",
    "Parts",
    "Piece",
    "Pieces",
    "build_matrix",
    "in_turn",
    "key_of",
    "pieces",
    "work",
]

LONGEST = 1 << 15
"""Events of a stretch at most: of so few, what is computed takes the memory of those before, which
costs less than new memory does."""

_CODE = code_of(features, market)
"""Of every source that a value of a matrix can depend on, as it was imported."""

Recorded = TypeVar("Recorded", Series, Tape)
Pieces = tuple["Piece", ...]
Parts = Callable[[Source, Recipe, Pieces], Iterator[Decisions]]
"""Makes the decisions of all pieces, in order."""


@dataclass(frozen=True)
class Piece:
    """One unit of work: a day's stretch.

    Parameters
    ----------
    day
        Days since 1970, UTC.
    start, stop
        Its rows of the day's tape.
    final
        Whether the day ends with it.
    following
        Days after it that its labels reach into.
    """

    day: int
    start: int
    stop: int
    final: bool
    following: tuple[int, ...]

    @property
    def days(self) -> tuple[int, ...]:
        """All days that must be read for it."""
        return (self.day, *self.following)


@dataclass(frozen=True)
class Built:
    """A matrix, and whether it was there already."""

    matrix: Matrix
    cached: bool


def build_matrix(
    source: Source,
    recipe: Recipe,
    root: Path,
    parts: Parts | None = None,
    report: Report = unseen,
    compiling: Report = unseen,
) -> Built:
    """Make the matrix of a recording, or find it: ``<root>/<symbol>/<key>``.

    It equals what :func:`features.dataset.build` makes of the whole recording, byte for byte, and
    appears whole or not at all. One process of this machine builds a symbol at a time.

    Parameters
    ----------
    source
        The recording.
    recipe
        What is made of it.
    root
        Folder of matrices.
    parts
        Who does the work; by default :func:`in_turn`.
    report
        Called with events done and events there are.
    compiling
        Called with columns' families compiled and families there are, before any event.

    Raises
    ------
    DataError
        The recording is unusable, warms no features up, or changed while it was read; or its symbol
        can't be the name of a folder.
    StateError
        What lies in the matrix's place is none.
    """
    if not re.fullmatch(r"[\w.\-]+", source.symbol) or source.symbol.startswith("."):
        raise DataError(f"symbol must be letters, digits, _, - or ., was {source.symbol!r}")
    stamp = source.stamp()
    key = key_of(recipe, stamp)
    folder = root / source.symbol / key
    if folder.exists():
        return Built(Matrix(folder), True)
    with Place(root).locked(source.symbol):
        if folder.exists():
            return Built(Matrix(folder), True)
        began = perf_counter()
        compile_steps(recipe.features, compiling)
        layout = lay(recipe.features)
        plan = pieces(source.counts(), recipe.labels.horizon)
        total = sum(piece.stop - piece.start for piece in plan)
        writer = MatrixWriter(folder, len(layout.names))
        try:
            for made in (parts or in_turn)(source, recipe, plan):
                writer.add(made)
                report(writer.events, total)
            if not writer.decisions:
                counted = (writer.events, writer.gaps, writer.due, writer.unknown)
                raise barren(source.symbol, recipe, *counted)
            if source.stamp() != stamp:
                raise DataError(
                    f"the recording of {source.symbol} changed while it was read; build again, up "
                    "to a day that is over if it is being collected"
                )
            card = {
                "symbol": source.symbol,
                "key": key,
                "names": layout.names,
                "schema": layout.schema,
                "every": recipe.every,
                "horizon": recipe.labels.horizon,
                "recipe": recipe.model_dump(mode="json"),
                "seconds": round(perf_counter() - began, 3),
            }
            return Built(writer.finish(card), False)
        finally:
            writer.discard()


def in_turn(source: Source, recipe: Recipe, plan: Pieces) -> Iterator[Decisions]:
    """Do the work here, one piece after another; in memory are the days that one piece needs."""
    carry, held = Carry.of(recipe), dict[int, Day]()
    for piece in plan:
        held = {day: held[day] if day in held else source.day(day) for day in piece.days}
        made, carry = work(recipe, piece, carry, *held.values())
        yield made


def work(
    recipe: Recipe, piece: Piece, carry: Carry, today: Day, *following: Day
) -> tuple[Decisions, Carry]:
    """Do one piece of work.

    Parameters
    ----------
    carry
        What the piece before handed on.
    today, following
        Its :attr:`Piece.days`.
    """
    tape = today.tape.slice(piece.start, piece.stop)
    reach = max(recipe.labels.horizon, 1)
    rest = today.tape.slice(piece.stop, min(len(today.tape), piece.stop + reach))
    ahead = joined((rest, *(day.tape for day in following)))
    low = today.tape.times[piece.start - 1] if piece.start else None
    high = None if piece.final else today.tape.times[piece.stop - 1]
    return take(recipe, Stretch(tape, ahead.slice(0, reach), _cut(today.beside, low, high)), carry)


def pieces(counts: Mapping[int, int], horizon: int, longest: int = LONGEST) -> Pieces:
    """Cut a recording into units of work.

    Parameters
    ----------
    counts
        Events of each day, in order.
    horizon
        Events that labels reach ahead.
    longest
        Events of a piece at most.

    Examples
    --------
    >>> [(one.start, one.stop, one.following) for one in pieces({7: 3, 8: 1, 9: 5}, 2, longest=2)]
    [(0, 2, (8,)), (2, 3, (8, 9)), (0, 1, (9,)), (0, 2, ()), (2, 4, ()), (4, 5, ())]
    """
    found, days = [], list(counts)
    for i, day in enumerate(days):
        for start in range(0, max(counts[day], 1), longest):
            stop = min(start + longest, counts[day])
            missing, following = max(horizon, 1) - (counts[day] - stop), list[int]()
            for later in days[i + 1 :]:
                if missing <= 0:
                    break
                if counts[later]:
                    following.append(later)
                    missing -= counts[later]
            found.append(Piece(day, start, stop, stop == counts[day], tuple(following)))
    return tuple(found)


def key_of(recipe: Recipe, stamp: str) -> str:
    """Return sixteen hex digits that stand for recording, recipe, code and what it runs on."""
    told = {
        "format": FORMAT,
        "recipe": recipe.model_dump(mode="json"),
        "stamp": stamp,
        "code": _CODE,
        "versions": [version(name) for name in ("numpy", "numba", "llvmlite")],
    }
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()[:16]


def _cut(beside: Beside, low: int | None, high: int | None) -> Beside:
    """Return what happened after ``low`` up to ``high``; at one time it comes before the tape."""

    def part(one: Recorded) -> Recorded:
        first = 0 if low is None else int(np.searchsorted(one.times, low, "right"))
        stop = len(one) if high is None else int(np.searchsorted(one.times, high, "right"))
        return one.slice(first, stop)

    trades, book, peer = beside.trades, beside.book, beside.peer
    return Beside(
        None if trades is None else part(trades),
        None if book is None else part(book),
        beside.tick,
        None if peer is None else part(peer),
    )
