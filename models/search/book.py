"""The book of a search: every trial, durable before it begins and when it ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import msgspec

from market.errors import StateError
from models.search.proposal import Proposal

__all__ = ["Book", "Outcome", "Row"]

Param = float | int | str


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a proposal was worth.

    Parameters
    ----------
    score, low, high
        Mean of the objective, and its 95 % interval.
    figures
        Everything else that was measured.
    """

    score: float
    low: float
    high: float
    figures: dict[str, float]


class Row(msgspec.Struct, forbid_unknown_fields=True):
    """A trial.

    Parameters
    ----------
    number
        From 0.
    proposal
        What is tried.
    params
        How the sampler calls it; empty for combinations, which it has no say in.
    registered
        Its number among all trials on this symbol.
    state
        ``done``: judged by every fold. ``pruned``: given up after some. ``failed``: see ``reason``.
    folds
        The objective over the first fold, the first two, and so on.
    outcome
        Of one that is done.
    seconds
        It took.
    """

    number: int
    proposal: Proposal
    params: dict[str, Param]
    registered: int
    state: Literal["running", "done", "pruned", "failed"] = "running"
    folds: list[float] = []
    outcome: Outcome | None = None
    reason: str = ""
    seconds: float = 0.0


class _Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    spent: float
    row: Row | None = None
    judged: Outcome | None = None
    closed: bool = False


class Book:
    """A file of lines, each a trial as it was then; the last one of a number counts.

    A line that a crash cut short is none. Only one process may write.

    Parameters
    ----------
    path
        Made when first written to.

    Raises
    ------
    StateError
        A line in the middle can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Row] = []
        self.judged: Outcome | None = None
        """What the search itself was worth, on what lies behind."""
        self.closed = False
        """Whether nothing else will be tried."""
        self.spent = 0.0
        """Seconds, in all its lives."""
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            self._take(line, number)
        if len(whole) < len(content):
            os.truncate(path, len(whole))

    def begin(self, row: Row, spent: float) -> None:
        """Note a trial before it begins."""
        self.rows.append(row)
        self._write(_Line(spent, row=row))

    def end(self, row: Row, spent: float) -> None:
        """Note what came of it."""
        self._write(_Line(spent, row=row))

    def judge(self, outcome: Outcome, spent: float) -> None:
        """Note what the search was worth."""
        self.judged = outcome
        self._write(_Line(spent, judged=outcome))

    def close(self, spent: float) -> None:
        """Note that the search is over."""
        self.closed = True
        self._write(_Line(spent, closed=True))

    def _take(self, line: bytes, number: int) -> None:
        try:
            found = msgspec.json.decode(line, type=_Line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StateError(
                f"{self.path}:{number}: no trial can be read ({error}); delete the file to search "
                "anew"
            ) from None
        self.spent = found.spent
        self.closed |= found.closed
        if found.judged is not None:
            self.judged = found.judged
        if found.row is not None:
            if not 0 <= found.row.number <= len(self.rows):
                raise StateError(
                    f"{self.path}:{number}: trial {found.row.number} follows on {len(self.rows)} "
                    "trials, so lines are lost; delete the file to search anew"
                )
            if found.row.number == len(self.rows):
                self.rows.append(found.row)
            else:
                self.rows[found.row.number] = found.row

    def _write(self, line: _Line) -> None:
        self.spent = line.spent
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
