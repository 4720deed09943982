"""Speed of the tick store, beside bare Parquet and the bar: ``python -m benchmarks.store``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np
import pyarrow.parquet as parquet

from market.events import SECOND
from market.series import Series
from market.store import TickStore

N = 1_000_000
TURNS = 5


def main() -> None:
    """Print one line per figure."""
    rng = np.random.default_rng(0)
    times = 1_775_001_600 * SECOND + np.arange(N) * 2 * SECOND
    prices = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, N))), 4)
    quoted = Series.ticks("X", times, prices, prices - 0.01, prices + 0.01)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        store = TickStore(root / "store")
        start = process_time()
        store.append(quoted)
        written = process_time() - start
        files = sorted((root / "store").rglob("*.parquet"))
        table = parquet.read_table(files)
        parquet.write_table(table, root / "one.parquet")

        ours = least(lambda: store.read("X"))
        tape = least(lambda: store.tape("X"))
        bare = least(lambda: [parquet.read_table(one, use_threads=False) for one in files])
        one = least(lambda: parquet.read_table(root / "one.parquet", use_threads=False))
        figures = least(lambda: store.stats("X"))
        read = store.read("X")
        equal = np.array_equal(read.times, times) and np.array_equal(read.columns["price"], prices)
        size = sum(path.stat().st_size for path in files)

        # A collector's flushes: what each costs, its two waits for the disk included.
        live = TickStore(root / "live")
        flushes, each = 200, 50
        begin = perf_counter()
        for k in range(flushes):
            live.append(quoted.slice(k * each, (k + 1) * each))
        elapsed = perf_counter() - begin
        mixed = least(lambda: live.read("X"))

    print(f"1 M ticks with bid and ask, {len(files)} days, {size / N:.1f} bytes a tick")
    print(f"what was written is read: {equal}")
    print(f"read, columns checked         {ours:6.3f} CPU s   bar 0.2")
    print(f"read as a tape                {tape:6.3f} CPU s")
    print(f"pyarrow.read_table, same files{bare:6.3f} CPU s   unchecked, not joined")
    print(f"pyarrow.read_table, one file  {one:6.3f} CPU s   unchecked, pyarrow's own settings")
    print(f"append, {len(files)} days at once       {written:6.3f} CPU s")
    print(f"figures of all columns        {figures:6.3f} CPU s   no row is read")
    print(f"flush of {each} ticks             {elapsed / flushes * 1e3:6.2f} ms      on the disk")
    print(f"read {flushes * each:,} ticks so written  {mixed:6.3f} CPU s   segments and day")


def least(work: object) -> float:
    """Return the CPU seconds of the best of a few turns; the first warms the page cache."""
    assert callable(work)
    taken = []
    for _ in range(TURNS):
        start = process_time()
        work()
        taken.append(process_time() - start)
    return min(taken)


if __name__ == "__main__":
    main()
