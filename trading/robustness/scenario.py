"""The port of scenarios, and what they are made of.

A scenario puts one thing into tapes at a given moment. Rows up to the moment are left as they are,
so whatever a strategy did until then it does again, and what it holds there is what is hit. Moves
go ``way``: down (-1) or up (1). Prices are not rounded to the instrument's steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from market.tape import CLOSE, HIGH, LOW, OPEN, VOLUME, Tape

__all__ = ["Scenario", "Stressed", "Tapes", "during", "each", "scaled"]

Floats = npt.NDArray[np.float64]
Tapes = Mapping[str, Tape]


@dataclass(frozen=True)
class Stressed:
    """Tapes of a stressed market.

    Parameters
    ----------
    tapes
        By symbol.
    widen
        By symbol, ``float64[n]``: what spread and slippage are multiplied by at each event; ``inf``
        where nothing fills.
    """

    tapes: dict[str, Tape]
    widen: dict[str, Floats]


class Scenario(Protocol):
    """Something that can befall a market."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def told(self) -> str:
        """What happens, in a line."""
        ...

    def apply(self, tapes: Tapes, when: int, way: int, rng: np.random.Generator) -> Stressed:
        """Put it into tapes.

        Parameters
        ----------
        tapes
            By symbol.
        when
            Venue time, nanoseconds; rows after it change.
        way
            -1 or 1: where prices go, if they do.
        rng
            Draws what isn't fixed.
        """
        ...


def each(tapes: Tapes, when: int, change: Callable[[Tape, int], tuple[Tape, Floats]]) -> Stressed:
    """Change every tape from its first row after ``when``."""
    found = Stressed({}, {})
    for symbol, tape in tapes.items():
        first = int(np.searchsorted(tape.times, when, side="right"))
        found.tapes[symbol], found.widen[symbol] = change(tape, first)
    return found


def during(tape: Tape, first: int, events: int, factor: float) -> Floats:
    """Widen spreads by ``factor`` for ``events`` from row ``first``."""
    widen = np.ones(len(tape))
    widen[first : first + events] = factor
    return widen


def scaled(tape: Tape, factor: Floats, at_once: bool = False) -> Tape:
    """Multiply prices; a bar opens at the factor that the one before closed at, or ``at_once``."""
    values = tape.values.copy()
    values[:, :VOLUME] *= factor[:, None]
    if tape.bars and not at_once:
        values[1:, OPEN] = tape.values[1:, OPEN] * factor[:-1]
        both = values[:, (OPEN, CLOSE)]
        values[:, HIGH] = np.maximum(values[:, HIGH], both.max(axis=1))
        values[:, LOW] = np.minimum(values[:, LOW], both.min(axis=1))
    return replace(tape, values=values)
