"""What the registry holds: entries, trials, and the moves of the champion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from models.registry.lineage import Lineage

__all__ = ["ALIASES", "Alias", "Entry", "Move", "Trial", "line_of"]

Alias = Literal["champion", "challenger", "shadow"]
ALIASES: tuple[Alias, ...] = ("champion", "challenger", "shadow")


class Entry(msgspec.Struct, frozen=True):
    """One registration.

    Parameters
    ----------
    symbol
        It was fitted on.
    number
        MLflow's, from 1 for each symbol.
    version
        Hash of the ensemble's card, which holds those of its files.
    run
        MLflow's, which has the files.
    schema
        Of the features it takes.
    metrics
        Of its fit.
    verdict
        Of the gate; empty until there is one.
    lineage
        What it was made of.
    trials
        Trials of the symbol when it was registered.
    aliases
        It goes by.
    """

    symbol: str
    number: int
    version: str
    run: str
    schema: str
    metrics: dict[str, float]
    verdict: dict[str, Any]
    lineage: Lineage
    trials: int
    aliases: tuple[str, ...] = ()

    @property
    def promoted(self) -> bool:
        """Whether the gate let it pass."""
        return self.verdict.get("promoted") is True

    @property
    def judged(self) -> str:
        """What the gate said, in two words."""
        return str(self.verdict.get("headline", "")) or (
            "unnamed" if self.verdict else "not judged"
        )


class Trial(msgspec.Struct, frozen=True):
    """Something that could have been promoted.

    Parameters
    ----------
    what
        Its settings, in a few words.
    figures
        What came of it; empty if nobody said.
    """

    what: str
    figures: dict[str, float]


class Move(msgspec.Struct, frozen=True, array_like=True):
    """One change of the champion.

    Parameters
    ----------
    act
        Why.
    number
        Who it is now.
    before
        Who it was; 0 for nobody.
    """

    act: Literal["promote", "rollback"]
    number: int
    before: int


def line_of(moves: Sequence[Move]) -> list[int]:
    """Return the champions that a rollback may go back to, and the one there is; oldest first.

    A move that was noted and, by a crash, never made is left out: the next one tells who really
    was champion before it.

    Examples
    --------
    >>> first, second = Move("promote", 3, 0), Move("promote", 5, 3)
    >>> line_of([first, second])
    [3, 5]
    >>> line_of([first, second, Move("rollback", 3, 5)])
    [3]
    >>> line_of([first, second, Move("promote", 7, 3)])
    [3, 7]
    """
    line: list[int] = []
    for move in moves:
        line = cut(line, move.before)
        if move.act == "rollback":
            line = cut(line, move.number)
        if not line or line[-1] != move.number:
            line.append(move.number)
    return line


def cut(line: list[int], champion: int) -> list[int]:
    """Return the line up to its last ``champion``; all of it if they are not of it."""
    places = [place for place, number in enumerate(line) if number == champion]
    return line[: places[-1] + 1] if places else line
