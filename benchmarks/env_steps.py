"""Environment steps a CPU second, with all costs and fills.

Run ``python -m benchmarks.env_steps``. Published, same machine class: gym-anytrading 289,000,
gym-trading-env 52,100, FinRL 4,306, TensorTrade 1,979 steps/s, one episode at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import numpy as np

from envs.market import MarketEnv, MarketVectorEnv
from envs.planted import planted

LIMIT_VECTOR, LIMIT_SCALAR = 10e6, 200e3
ROUNDS, SECONDS = 5, 0.4


def rate(step: Callable[[int], object], per_call: int) -> float:
    """Best of some rounds: on a shared machine the others are somebody else's."""
    step(0)
    best = 0.0
    for _ in range(ROUNDS):
        calls, start = 0, process_time()
        while (spent := process_time() - start) < SECONDS:
            for _ in range(20):
                step(calls)
                calls += 1
        best = max(best, calls * per_call / spent)
    return best


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    tape = planted(20_000, 0.05, 0.98, 0.1, rng)
    print(f"{'what':<34}{'steps/CPU-s':>14}{'limit':>12}")
    for lanes in (64, 1024, 4096):
        env = MarketVectorEnv([tape], lanes)
        env.reset(seed=1)
        for kind in ("holding", "trading"):
            top = 1 if kind == "holding" else 6
            actions = rng.integers(0, top, (64, lanes))
            got = rate(lambda i, a=actions, e=env: e.step(a[i % 64]), lanes)
            print(f"{f'vector, {lanes} episodes, {kind}':<34}{got:>14,.0f}{LIMIT_VECTOR:>12,.0f}")
    alone = MarketEnv([tape])
    alone.reset(seed=1)
    singles = rng.integers(0, 6, 4096)

    def step(i: int) -> None:
        _, _, terminated, truncated, _ = alone.step(singles[i % 4096])
        if terminated or truncated:
            alone.reset()

    print(f"{'single episode, trading':<34}{rate(step, 1):>14,.0f}{LIMIT_SCALAR:>12,.0f}")


if __name__ == "__main__":
    main()
