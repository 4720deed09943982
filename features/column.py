"""What a column is, and what a family of columns offers besides its compiled step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

__all__ = ["Args", "Column", "Family", "Need", "Stream"]

Args = tuple[int, ...]
"""The whole numbers in a column's name, in order: ``(14,)`` of ``rsi_14``."""

Stream = Literal["prices", "trades", "book"]
"""Which events step a family: ticks and bars, trades, or book updates."""

Need = Literal["price", "range", "volume", "sides", "trades", "book", "peer"]
"""What must be known for a family's columns not to be ``nan``: any price; bars, whose high and low
differ from the close; volume; volume bought by aggressors; trades; the order book; a second symbol.
"""


@dataclass(frozen=True)
class Column:
    """One column of a family.

    Parameters
    ----------
    name
        Template: ``rsi_{n}``. The fields are the family's :attr:`Family.fields`.
    formula
        How it is computed, in one line.
    unit
        What one means: ``1`` for a ratio, ``price``, ``%``, ``log return``, ``events``, ``1/s`` …
    low, high
        Bounds it never leaves.
    scale_free
        Whether it stays what it is when prices, volumes and trades are told in other units.
    """

    name: str
    formula: str
    unit: str = "1"
    low: float = -inf
    high: float = inf
    scale_free: bool = True


def _nothing(args: Args) -> tuple[float, ...]:
    return ()


@dataclass(frozen=True)
class Family:
    """Columns that are computed together, from one memory, by one compiled step.

    Parameters
    ----------
    step
        ``step(h, state, param, out)``, compiled: takes the event that ``h`` (of its stream) holds,
        and writes every column to ``out``. All four are pointers to floats. ``state`` is the
        instance's own and all zero at the start and after a gap.
    columns
        In the order of ``out``.
    source
        Where the formula is from.
    fields
        Names of the numbers in the columns' names: ``("n",)``.
    defaults
        The instances that the sets of columns hold; ``((),)`` for a family without numbers.
    stream
        Which events step it.
    need
        What must be known for it to say anything.
    params
        Numbers that the step takes, from the name's.
    size
        Floats of state.
    lookback
        How many events back the step reads the history's rings.
    warmup
        Events (of its stream) until its columns are given; from then on they are finite wherever
        what they need is known.
    least
        Smallest allowed value of each field; 1 if left out.
    """

    step: Callable[..., Any]
    columns: tuple[Column, ...]
    source: str
    fields: tuple[str, ...] = ()
    defaults: tuple[Args, ...] = ((),)
    stream: Stream = "prices"
    need: Need = "price"
    params: Callable[[Args], tuple[float, ...]] = _nothing
    size: Callable[[Args], int] = lambda args: 0
    lookback: Callable[[Args], int] = lambda args: 0
    warmup: Callable[[Args], int] = lambda args: 1
    least: Args = ()

    @property
    def instances(self) -> tuple[Args, ...]:
        """Those of the sets, or the only one there is of a family that no set holds."""
        return self.defaults or (() if self.fields else ((),))

    def names(self, args: Args) -> tuple[str, ...]:
        """Return the names of an instance's columns."""
        told = dict(zip(self.fields, args, strict=True))
        return tuple(column.name.format(**told) for column in self.columns)
