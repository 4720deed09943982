"""Datasets from a tick store, beside limits of time and memory: ``python -m benchmarks.building``.

Each figure is that of a process of its own, whose peak memory the system tells.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np

from features.batch import compute
from features.building import build_matrix
from features.config import FeatureConfig
from features.decisions import Recipe
from features.sources import Stored
from market.events import SECOND
from market.series import Series
from market.store import TickStore

LARGE = 10_000_000
SMALL = 1_000_000
COLUMNS = ("ticks",)
GIB = 1 << 20
"""In the system's unit of memory, KiB."""


def ticks(n: int) -> Series:
    """Return a random walk of ticks, one a second, with a hole each 700,000."""
    rng = np.random.default_rng(0)
    times = 1_700_006_400 * SECOND + np.arange(n) * SECOND
    prices = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, n))), 4)
    fresh = np.zeros(n, np.bool_)
    fresh[700_000::700_000] = True
    return Series.ticks("X", times, prices, fresh=fresh)


def built(store: str, out: str, every: int) -> None:
    """Build a dataset and print what it took, in a process of its own."""
    recipe = Recipe(features=FeatureConfig(columns=COLUMNS), every=every)
    build_matrix(Stored(_warmed(store), "X", recipe.features), recipe, Path(out) / "warm")
    before = _peak()
    begin, cpu = perf_counter(), process_time()
    made = build_matrix(Stored(store, "X", recipe.features), recipe, Path(out))
    spent, used = perf_counter() - begin, process_time() - cpu
    peak = _peak()
    card = made.matrix.card
    size = sum(file.stat().st_size for file in made.matrix.folder.iterdir())
    begin = perf_counter()
    again = build_matrix(Stored(store, "X", recipe.features), recipe, Path(out))
    found = perf_counter() - begin
    assert again.cached
    bar = 2.5 * card.events / 1e6
    print(f"{card.events:,} events -> {card.decisions:,} x {len(card.names)}, {size / 1e9:.2f} GB")
    print(f"  built             {used:7.1f} CPU s    bar {bar:.1f}   ({spent:.1f} s)")
    if card.events == SMALL:
        tape = TickStore(store).tape("X")
        begin = process_time()
        compute(recipe.features, tape)
        print(f"  columns alone     {process_time() - begin:7.1f} CPU s    at once, in memory")
    print(f"  peak memory       {peak / GIB:7.2f} GiB      bar 4   ({before / GIB:.2f} before)")
    print(f"  found again       {found:7.2f} s        bar 1")


def _peak() -> int:
    """Return the most memory this process has held; the other count is the parent's too."""
    told = Path("/proc/self/status").read_text()
    return int(told.partition("VmHWM:")[2].split()[0])


def _warmed(store: str) -> Path:
    """Make a store of two thousand ticks: what is compiled is compiled on them."""
    small = Path(store).parent / "small"
    TickStore(small).append(ticks(2000), live=True)
    return small


def main() -> None:
    """Print what datasets of one and ten million ticks take."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    for n, every in ((SMALL, 1), (LARGE, 1), (LARGE, 5)):
        with TemporaryDirectory() as folder:
            store = Path(folder) / "store"
            TickStore(store).append(ticks(n), live=True)
            arguments = ["--one", str(store), str(Path(folder) / "out"), str(every)]
            subprocess.run(
                [sys.executable, "-m", "benchmarks.building", *arguments],
                env=environment,
                check=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        built(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
