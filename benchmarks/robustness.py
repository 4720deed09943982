"""Trades drawn again: paths a CPU second, beside the same with whole arrays.

Run ``python -m benchmarks.robustness``. The peer is what one writes with numpy: all indices drawn,
gathered, compounded and accumulated as arrays. Both walk 2,000 stationary-bootstrap paths of 4,112
trades, and find the end, the largest drawdown and a fan of a hundred points of each. They draw in
another order, so what they find differs by chance; their mean ends are printed beside.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np
import numpy.typing as npt

from trading.robustness.paths import ENDS, walked

TRADES, PATHS, BLOCK, ROUNDS = 4112, 2000, 16.0, 5

Floats = npt.NDArray[np.float64]


def with_arrays(steps: Floats, marks: npt.NDArray[np.int64], seed: int) -> tuple[Floats, Floats]:
    """Draw and walk with whole arrays."""
    rng = np.random.default_rng(seed)
    n = len(steps)
    begins = rng.random((PATHS, n)) < 1.0 / BLOCK
    begins[:, 0] = True
    starts = rng.integers(0, n, (PATHS, n))
    place = np.arange(n)
    begun = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    order = (np.take_along_axis(starts, begun, axis=1) + place - begun) % n
    worth = np.cumprod(1.0 + steps[order], axis=1)
    worth = np.concatenate((np.ones((PATHS, 1)), worth), axis=1)
    fall = 1.0 - worth / np.maximum.accumulate(worth, axis=1)
    return np.column_stack((worth[:, -1], fall.max(axis=1))), worth[:, marks]


def compiled(steps: Floats, marks: npt.NDArray[np.int64], seed: int) -> tuple[Floats, Floats]:
    """Ours."""
    figures, levels = walked(steps, marks, BLOCK, PATHS, np.random.default_rng(seed))
    return figures[1:, [ENDS["end"], ENDS["drawdown"]]], levels[1:]


def spent(run: Callable[[], object]) -> float:
    """Return the median of CPU seconds."""
    seconds = []
    for _ in range(ROUNDS):
        start = process_time()
        run()
        seconds.append(process_time() - start)
    return median(seconds)


def main() -> None:
    """Print the table."""
    steps = np.random.default_rng(42).normal(-1e-4, 1e-3, TRADES)
    marks = np.linspace(0, TRADES, 101).round().astype(np.int64)
    walked(steps, marks, BLOCK, 1, np.random.default_rng(0))
    print(f"{'what':<28}{'CPU-s':>8}{'paths/CPU-s':>14}{'mean end':>10}")
    for name, one in (("compiled walk", compiled), ("numpy, whole arrays", with_arrays)):
        seconds = spent(lambda one=one: one(steps, marks, 1))  # type: ignore[misc]
        mean = float(one(steps, marks, 1)[0][:, 0].mean())
        print(f"{name:<28}{seconds:>8.3f}{PATHS / seconds:>14,.0f}{mean:>10.3f}")


if __name__ == "__main__":
    main()
