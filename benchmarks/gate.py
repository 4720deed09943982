"""What the gate lets through: ``python -m benchmarks.gate``; ``--without-ticks`` for the rest.

Two hundred markets nobody can foresee, sixty with an edge planted, leaks, and recorded ticks (where
``PREGAO_DATA`` names their folder), each taken through members, a rule chosen on the training part,
costs and a hold-out. Ends with status 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import TypeVar

import numpy as np

from benchmarks._gate_markets import (
    COST,
    IC,
    NULLS,
    RHO,
    Market,
    bouncing,
    foretelling,
    null,
    optimum,
    planted,
)
from benchmarks._gate_pipeline import Outcome, outcome
from benchmarks._gate_ticks import ticks
from validation.verdict import Verdict
from venues.files import find

SHARES = {"gbm": 60, "step": 60, "crash": 30, "boom": 30, "crash, rare": 20}
EDGES, TRAIN = 60, 20_000
NULL_TRAIN, NULL_HOLD = 8_000, 12_000
LEAKS = 5
MOST_NULLS, LEAST_EDGES = 4, 54
WORKERS = 2

Result = TypeVar("Result")
Timed = tuple[Result, float]


def main() -> None:
    """Print the table; the status tells whether the bars are kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-ticks", action="store_true")
    parser.add_argument("--workers", type=int, default=WORKERS)
    asked = parser.parse_args()
    os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    gain, best = optimum()
    hold = math.ceil((6.0 / best) ** 2)
    # Half of the nulls cost nothing to trade: without costs luck is worth more.
    nulls = [
        partial(null, kind, NULL_TRAIN, NULL_HOLD, COST * (seed % 2), seed)
        for kind, count in SHARES.items()
        for seed in range(count)
    ]
    edges = [partial(planted, TRAIN, hold, seed) for seed in range(EDGES)]
    leaks = [
        partial(make, NULL_TRAIN, NULL_HOLD, seed, how)
        for make, how in ((foretelling, 0.3), (foretelling, 0.9), (bouncing, True))
        for seed in range(LEAKS)
    ]
    # Processes of their own, not copies of this one: training libraries don't survive a fork.
    with ProcessPoolExecutor(asked.workers, get_context("spawn")) as pool:
        kept = [
            _nulls(list(pool.map(_take, nulls, chunksize=4))),
            _edges(list(pool.map(_take, edges)), gain, best, hold),
            _leaks(list(pool.map(_take, leaks))),
        ]
        if not asked.without_ticks:
            kept.append(_ticks(pool))
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"\n{children.ru_utime + children.ru_stime + process_time():.0f} CPU seconds in all")
    sys.exit(0 if all(kept) else 1)


def _take(make: Callable[[], Market]) -> Timed[Outcome]:
    """Take a market through it all; beside what came of it, CPU seconds."""
    start = process_time()
    market = make()
    seed = int(market.known.X[0, 0] * 1e6) % 2**31
    return outcome(market, seed), process_time() - start


def _timed_ticks(symbol: str, path: Path) -> Timed[tuple[str, Verdict]]:
    start = process_time()
    return ticks(symbol, path, 1), process_time() - start


def _nulls(found: Sequence[Timed[Outcome]]) -> bool:
    print(f"{'markets without an edge':34} {'promoted':>10} {'naive':>10} {'CPU s':>8}")
    promoted = 0
    for kind in NULLS:
        promoted += _row(kind, [one for one in found if one[0].kind == kind])
    passed = promoted <= MOST_NULLS
    _row(f"all   bar <= {MOST_NULLS}: {_word(passed)}", found)
    return passed


def _edges(found: Sequence[Timed[Outcome]], gain: float, best: float, hold: int) -> bool:
    print(
        f"\nplanted edge: IC {IC}, persistence {RHO}, cost {COST}. Optimum by dynamic programming "
        f"over (signal, position): gain {gain:.5f}, Sharpe ratio {best:.5f} a step, "
        f"t = 6 over {hold:,} steps"
    )
    promoted = sum(one.verdict.promoted for one, _ in found)
    passed = promoted >= LEAST_EDGES
    _row(f"planted   bar >= {LEAST_EDGES}: {_word(passed)}", found)
    reached = np.array([one.sharpe for one, _ in found]) / best
    print(
        f"efficiency: {reached.mean():.3f} of the optimum's Sharpe ratio on average, one market in "
        f"ten below {np.quantile(reached, 0.1):.2f}"
    )
    lost = [check.name for one, _ in found for check in one.verdict.checks if not check.passed]
    print("refused by " + (", ".join(f"{n} {lost.count(n)}x" for n in sorted(set(lost))) or "none"))
    return passed


def _leaks(found: Sequence[Timed[Outcome]]) -> bool:
    print("\nleaks: the next return in a column; fills at the price that was decided on")
    for kind in ("leak", "own price"):
        part = [one for one in found if one[0].kind == kind]
        _row(kind, part)
        words = [one.verdict.headline for one, _ in part]
        print("  " + ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words))))
    return all(one.verdict.headline == "suspicious" for one, _ in found)


def _ticks(pool: ProcessPoolExecutor) -> bool:
    folder = os.environ.get("PREGAO_DATA")
    if not folder:
        print("\nrecorded ticks: left out, PREGAO_DATA names no folder")
        return True
    files = find(Path(folder) / "deriv_ticks")
    print(f"\n{'recorded ticks':10} {'verdict':14} {'t':>7} {'net':>8} {'trips':>6} {'CPU s':>6}")
    promoted = 0
    for (symbol, verdict), spent in pool.map(_timed_ticks, files.keys(), files.values()):
        promoted += verdict.promoted
        figures = verdict.figures
        failed = " ".join(check.name for check in verdict.checks if not check.passed)
        print(
            f"{symbol:14} {verdict.headline:14} {figures.get('t', math.nan):7.2f} "
            f"{figures.get('net_return', math.nan):8.2%} {figures.get('trades', 0):6.0f} "
            f"{spent:6.1f}  {failed}"
        )
    return not promoted


def _row(name: str, found: Sequence[Timed[Outcome]]) -> int:
    promoted = sum(one.verdict.promoted for one, _ in found)
    naive = sum(one.naive for one, _ in found)
    spent = sum(seconds for _, seconds in found)
    of = len(found)
    print(f"{name:34} {promoted:4d} / {of:<3d} {naive:4d} / {of:<3d} {spent:8.1f}", flush=True)
    return promoted


def _word(passed: bool) -> str:
    return "kept" if passed else "MISSED"


if __name__ == "__main__":
    main()
