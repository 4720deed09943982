"""A search, and what the search is worth.

::

    training span  ├──────────── first ────────────┬─── step 1 ───┬─── step 2 ───┤ hold-out
    search 1       └ purged folds: choose ─────────┘ judge
    search 2       └ purged folds: choose ────────────────────────┘ judge
    final search   └ purged folds: choose ───────────────────────────────────────┘

The best of many trials looks better than it is: it is the best by luck as well. So the search is
done as a whole on what lies before each step, and its answer is judged on the step, which nothing
in it has seen. What is lost between the two is what the search fooled itself by. The final search
sees all of the training span, and nobody can say what its own answer is worth but the hold-out, at
the gate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import inf
from pathlib import Path

import numpy as np

from market.errors import DataError
from models.config import EnsembleConfig
from models.fitting.study import Runner, serial
from models.search.book import Book, Outcome, Row
from models.search.config import SearchConfig
from models.search.judging import Judge
from models.search.material import Material
from models.search.search import Clock, Counter, Engine, Search, one_by_one

__all__ = ["Found", "Step", "nested"]


@dataclass(frozen=True)
class Step:
    """What one search chose, what it thought of it, and what it was worth behind it."""

    best: Row
    worth: Outcome
    trials: int


@dataclass(frozen=True)
class Found:
    """What was found.

    Parameters
    ----------
    rows
        The trials of the final search.
    best
        The best of them.
    steps
        Searches that were judged.
    """

    rows: tuple[Row, ...]
    best: Row
    steps: tuple[Step, ...]

    @property
    def trials(self) -> int:
        """Of all searches."""
        return len(self.rows) + sum(step.trials for step in self.steps)


def nested(
    material: Material,
    search: SearchConfig,
    base: EnsembleConfig,
    seed: int,
    folder: Path,
    code: str,
    counter: Counter,
    now: Callable[[], float],
    watch: Callable[[str, Search], None],
    engine: Engine = one_by_one,
    runner: Runner = serial,
) -> Found:
    """Search on the training span, and judge the search on steps inside.

    Parameters
    ----------
    material
        Of the training span alone.
    search
        What is searched.
    base
        The floor's ensemble.
    seed
        Of everything drawn.
    folder
        Of this search: its books; and beside it, ``pieces``, the members that were fitted. What
        they hold isn't done again.
    code
        Digest of the code.
    counter
        Is told of each trial before it begins.
    now
        Seconds since anything.
    watch
        Is told what is searched now, whenever something changed.
    engine
        Runs the trials.
    runner
        Fits what is judged behind the search.

    Raises
    ------
    DataError
        There is too little, or no trial could be judged.
    """
    parts = list(_steps(material, search))
    steps: list[Step] = []
    left = search.seconds or inf
    for number, (known, later) in enumerate([*parts, (material, None)]):
        share = left if later is None else left / (len(parts) + 2 - number)
        name = "final" if later is None else f"step_{number + 1}"
        book = Book(folder / f"{name}.jsonl")
        judge = Judge(known, search, base, seed, folder.parent / "pieces", code)
        own = Search(
            material.symbol, search, book, seed + number, base.folds, Clock(now, share), counter,
            partial(watch, name.replace("_", " ")),
        )  # fmt: skip
        if not book.closed:
            engine(own, judge)
            book.close(own.spent)
        best = own.best
        if best is None:
            raise DataError(f"{material.symbol}: {_reason(book, search)}")
        if later is None:
            return Found(tuple(book.rows), best, tuple(steps))
        if book.judged is None:
            own.judge(judge.behind(best.proposal, later, runner))
        assert book.judged is not None
        steps.append(Step(best, book.judged, len(book.rows)))
        left = max(0.0, left - book.spent)
    raise AssertionError("the final search comes last")


def _steps(material: Material, search: SearchConfig) -> list[tuple[Material, Material]]:
    """Return what each step's search may see, and what it is judged on."""
    if not search.outer:
        return []
    rows = material.rows
    end = int(rows[-1]) + 1 + material.horizon
    places = np.linspace(search.first, 1.0, search.outer + 1)[:-1] * len(rows)
    borders = [*(int(rows[round(place)]) for place in places), end]
    return [
        (material.between(0, cut), material.between(cut, stop)) for cut, stop in pairwise(borders)
    ]


def _reason(book: Book, search: SearchConfig) -> str:
    failed = [row.reason for row in book.rows if row.reason]
    if failed:
        return f"none of {len(book.rows)} trials could be judged; the first: {failed[0]}"
    return f"no trial was done in {search.seconds:.0f} s; give more time, or fewer outer steps"
