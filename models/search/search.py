"""One search: what is tried, in which order, and what is given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import NamedTuple, Protocol

import numpy as np

from market.errors import PregaoError
from models.search.asking import propose
from models.search.book import Book, Outcome, Param, Row
from models.search.config import SearchConfig
from models.search.judging import Judge, Pruned
from models.search.proposal import Proposal

__all__ = ["Clock", "Counter", "Engine", "Search", "combinations", "one_by_one"]

_ALONE = 0.8
"""Share of a search's time for members alone; combinations have the rest."""


class Counter(Protocol):
    """Who counts every trial there ever was: :class:`models.registry.Registry`."""

    def tried(self, symbol: str, what: str) -> int:
        """Note a trial before it is judged; return its number."""

    def found(self, symbol: str, number: int, figures: dict[str, float]) -> None:
        """Say what came of it."""


class Clock(NamedTuple):
    """Time.

    Parameters
    ----------
    now
        Seconds since anything.
    limit
        Seconds that a search may take.
    """

    now: Callable[[], float]
    limit: float = inf


class Search:
    """Hands out trials and takes their results; whoever runs them is an :data:`Engine`.

    Everything it decides follows from the book: what to try next, and what to give up. With one
    worker a search that broke off therefore ends as it would have; a trial under way is done again,
    from the members that were fitted. With several, which trials end before another begins is a
    matter of time, and so is what is learned from them.

    Parameters
    ----------
    symbol
        Searched on.
    search
        The space and its limits.
    book
        Of this search, perhaps of an earlier life.
    seed
        Of what is proposed.
    folds
        By which a trial is judged.
    clock
        How long it may go on.
    counter
        Is told of each trial before it begins.
    watch
        Is told whenever something changed.
    """

    def __init__(
        self,
        symbol: str,
        search: SearchConfig,
        book: Book,
        seed: int,
        folds: int,
        clock: Clock,
        counter: Counter,
        watch: Callable[[Search], None],
    ) -> None:
        self.symbol, self.search, self.book = symbol, search, book
        self._seed, self._clock, self._counter, self._watch = seed, clock, counter, watch
        self._folds = folds
        self._began = clock.now() - book.spent
        self._started: dict[int, float] = {}

    @property
    def spent(self) -> float:
        """Seconds so far, in all lives."""
        return self._clock.now() - self._began

    @property
    def limit(self) -> float:
        """Seconds that it may take."""
        return self._clock.limit

    @property
    def best(self) -> Row | None:
        """The best trial that is done; the earlier of equals."""
        return _best(self.book.rows)

    def ask(self) -> Row | None:
        """Return the next trial; ``None``: nothing else shall begin now.

        One that was under way when the search broke off comes first.
        """
        for row in self.book.rows:
            if row.state == "running" and row.number not in self._started:
                row.folds = []
                return self._start(row)
        proposed = self._next()
        if proposed is None:
            return None
        proposal, params = proposed
        number = len(self.book.rows)
        known = self._counter.tried(self.symbol, f"search: {proposal.told(self.search)}")
        row = Row(number, proposal, params, known)
        self.book.begin(row, self.spent)
        return self._start(row)

    def reported(self, number: int, folds: int, value: float) -> bool:
        """Take the objective over a trial's first folds; say whether to go on.

        A trial goes on if it is among the best of those that came as far, over the same folds.
        """
        row = self.book.rows[number]
        row.folds = [*row.folds[: folds - 1], value]
        self._watch(self)
        others = [
            one.folds[folds - 1]
            for one in self.book.rows
            if one.state in ("done", "pruned") and len(one.folds) >= folds
        ]
        whole = folds >= self._folds or not row.params  # nothing is left to save; a combination
        if whole or len(others) < self.search.startup:
            return True
        return bool(value >= np.quantile(others, 1.0 - self.search.keep))

    def done(self, number: int, outcome: Outcome) -> None:
        """Take a trial's outcome."""
        row = self.book.rows[number]
        row.state, row.outcome = "done", outcome
        self._end(
            row,
            {"score": outcome.score, "low": outcome.low, "high": outcome.high} | outcome.figures,
        )

    def pruned(self, number: int) -> None:
        """Note that a trial was given up."""
        row = self.book.rows[number]
        row.state = "pruned"
        self._end(row, {"score_so_far": row.folds[-1], "folds": float(len(row.folds))})

    def failed(self, number: int, reason: str) -> None:
        """Note that a trial could not be judged."""
        row = self.book.rows[number]
        row.state, row.reason = "failed", reason
        self._end(row, {})

    def judge(self, outcome: Outcome) -> None:
        """Note what the search itself was worth."""
        self.book.judge(outcome, self.spent)

    def _start(self, row: Row) -> Row:
        self._started[row.number] = self._clock.now()
        self._watch(self)
        return row

    def _end(self, row: Row, figures: dict[str, float]) -> None:
        row.seconds = self._clock.now() - self._started[row.number]
        numbers = {
            name: float(value)
            for name, value in row.params.items()
            if isinstance(value, int | float)
        }
        self._counter.found(self.symbol, row.registered, numbers | figures)
        self.book.end(row, self.spent)
        self._watch(self)

    def _next(self) -> tuple[Proposal, dict[str, Param]] | None:
        rows, limit = self.book.rows, self._clock.limit
        alone = [row for row in rows if row.params]
        rest = len(_sizes(self.search)) * 2
        late = bool(rows) and self.spent >= _ALONE * limit
        if len(alone) == len(rows) and not late and len(rows) < max(1, self.search.most - rest):
            return propose(self.search, rows, len(rows), self._seed)
        if any(row.state == "running" for row in alone):
            return None  # combinations are of what was best: of all that was tried
        if self.spent >= limit:
            return None
        tried = len(rows) - len(alone)
        left = combinations(self.search, alone)[tried:]
        return (left[0], {}) if left and len(rows) < self.search.most else None


def combinations(search: SearchConfig, rows: Sequence[Row]) -> list[Proposal]:
    """Return what is tried of several families: their best, under the columns and labels of all.

    The best two, three and so on, stacked and in an equal vote.
    """
    best = _best(rows)
    if best is None:
        return []
    of: dict[str, Row] = {}
    for row in sorted(rows, key=lambda one: one.outcome.score if one.outcome else -np.inf):
        if row.outcome is not None:
            of[row.proposal.kind] = row
    ranked = sorted(of.values(), key=lambda row: (-_score(row), row.number))
    members = [dict(row.proposal.members[0]) for row in ranked]
    one = best.proposal
    return [
        Proposal(tuple(members[:size]), how, one.columns, one.selection, one.labels)
        for size in _sizes(search)
        if size <= len(members)
        for how in ("stack", "vote")
    ]


def _sizes(search: SearchConfig) -> range:
    return range(2, min(search.together, len(search.members)) + 1)


def _score(row: Row) -> float:
    return -np.inf if row.outcome is None else row.outcome.score


def _best(rows: Sequence[Row]) -> Row | None:
    finished = [row for row in rows if row.outcome is not None]
    return max(finished, key=lambda row: (_score(row), -row.number), default=None)


Engine = Callable[[Search, Judge], None]
"""Runs the trials of a search until it hands out no more."""


def one_by_one(search: Search, judge: Judge) -> None:
    """Run one trial after the other, here."""
    while (row := search.ask()) is not None:
        number = row.number

        def report(folds: int, value: float, number: int = number) -> bool:
            return search.reported(number, folds, value)

        try:
            outcome = judge(row.proposal, report)
        except Pruned:
            search.pruned(number)
        except PregaoError as error:
            search.failed(number, str(error))
        else:
            search.done(number, outcome)
