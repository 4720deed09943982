"""Searches for the tests: quick ones, and who counts their trials.

Run as a program it is one search in Ray Tune, to be killed:
``python -m tests.search_cases ADDRESS FOLDER``.
"""

import sys
import time
from pathlib import Path

from models.config import EnsembleConfig
from models.search.config import SearchConfig
from models.search.material import Material
from models.search.nested import nested
from models.search.search import one_by_one
from tests.model_data import dataset

BASE = EnsembleConfig(folds=3, embargo=8)
TREES = {"trees": 30, "patience": 8, "min_leaf": 40, "window": 1}
SEARCH = SearchConfig(members=("logistic",), trials=7, startup=3, outer=0)


class Count:
    """Counts trials as the registry does, and keeps what was said of them."""

    def __init__(self):
        self.what, self.figures = [], {}

    def tried(self, symbol, what):
        self.what.append(what)
        return len(self.what)

    def found(self, symbol, number, figures):
        assert number <= len(self.what)
        self.figures[number] = figures


def unseen(name, search):
    """Take no notice."""


def searched(
    folder, search=SEARCH, data=None, count=None, now=None, engine=one_by_one, watch=unseen
):
    """Search in a folder; what it holds isn't done again."""
    material = data if isinstance(data, Material) else Material.alone(data or dataset(900, ic=0.3))
    clock = now or time.monotonic
    return nested(
        material,
        search,
        BASE,
        1,
        Path(folder) / "own",
        "code",
        count or Count(),
        clock,
        watch,
        engine,
    )


def plain(found):
    """Return everything of a search but the time it took."""
    rows = [
        (row.number, row.state, row.folds, row.outcome, row.proposal, row.params, row.reason)
        for row in found.rows
    ]
    return rows, found.best.number, [(step.best.number, step.worth) for step in found.steps]


if __name__ == "__main__":
    import os

    os.environ["RAY_AUTH_MODE"] = "token"
    import ray

    from models.search.tuning import in_tune

    ray.init(address=sys.argv[1], log_to_driver=False)

    def told(name, search):
        ended = sum(row.state != "running" for row in search.book.rows)
        sys.stdout.write(f"{ended}\n")
        sys.stdout.flush()

    one = SEARCH.model_copy(update={"workers": 1})
    searched(sys.argv[2], one, engine=in_tune, watch=told)
