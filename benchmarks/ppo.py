"""Training speed of the policy beside a single-file PPO, and how near it comes to the optimum.

Run ``python -m benchmarks.ppo [steps]``; 0 steps: the speed alone.

First the speed: same network, environment, batch, minibatches and epochs, ours (RLlib's Algorithm
on the fast path of ``policies.rllib``) and the peer (``benchmarks/_single_file_ppo.py``) taking
turns; CPU seconds of an iteration, medians. Then planted markets whose optimum is dynamic
programming's (``envs.planted.OPTIMUM``); published for a learnt policy on such a problem: .979.
"""

from __future__ import annotations

import os
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from time import process_time

os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import ray
import torch

from benchmarks._single_file_ppo import train as single_file
from envs.planted import OPTIMUM, planted
from policies.baselines import Follow
from policies.evaluate import evaluate
from policies.export import export
from policies.exported import OnnxPolicy
from policies.rllib import train
from policies.training import Training
from policies.world import MarketWorld

VOLATILITY, ROWS, ROUNDS = 1e-4, 40_000, 3
MARKETS = ((0.2, 0.9, 0.5), (0.05, 0.98, 0.1), (0.0, 0.95, 0.3))
THRESHOLDS = (0.02, 0.05, 0.1, 0.2)


def speed(world: MarketWorld, **settings: object) -> None:
    """Print steps a CPU second of both, taking turns."""
    config = Training.model_validate({"steps": 10 * 64 * 128, "masks": False} | settings)
    taken: dict[str, list[float]] = {"ours": [], "peer": []}
    for seed in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            marks: list[tuple[float, float]] = []
            train(
                world, config, seed, Path(name),
                lambda told, at=marks: at.append((process_time(), told["steps"])),
            )  # fmt: skip
            taken["ours"] += per_step(marks)
        if config.network == "mlp":
            marks = []
            lanes = world.make(config.envs)
            single_file(
                lanes, config, seed, lambda steps, at=marks: at.append((process_time(), steps))
            )
            taken["peer"] += per_step(marks)
    ours = 1.0 / np.median(taken["ours"])
    told = f"{config.network} {config.hidden}, masks {config.masks}"
    line = f"{told:<28}{ours:>10,.0f}"
    if taken["peer"]:
        peer = 1.0 / np.median(taken["peer"])
        line += f"{peer:>12,.0f}{ours / peer:>9.2f}"
    print(line, flush=True)


def per_step(marks: list[tuple[float, float]]) -> list[float]:
    """Return CPU seconds a decision of each iteration but the first."""
    return [(after[0] - before[0]) / (after[1] - before[1]) for before, after in pairwise(marks)]


def main() -> None:
    """Print the tables."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000
    config = Training(steps=max(1, steps))
    torch.set_num_threads(1)
    ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
    tape = planted(ROWS, *MARKETS[0], np.random.default_rng(0), VOLATILITY)
    print(f"{'decisions / CPU second':<28}{'ours':>10}{'single file':>12}{'ratio':>9}")
    for settings in ({}, {"masks": True}, {"network": "gru"}, {"network": "lstm"}):
        speed(MarketWorld((tape,), config.env), **settings)
    if steps == 0:
        return
    print(f"{config.steps:,} steps:")
    print(f"{'ic':>5}{'rho':>6}{'cost':>6}{'steps/s':>9}{'gain':>9}{'best':>9}{'ratio':>7}", end="")
    print(f"{'exposed':>9}{'trades':>8}{'best threshold':>16}")
    with tempfile.TemporaryDirectory() as name:
        for ic, persistence, cost in MARKETS:
            tapes = [
                planted(ROWS, ic, persistence, cost, np.random.default_rng(seed), VOLATILITY)
                for seed in (0, 1)
            ]
            world = MarketWorld((tapes[0],), config.env)
            result = train(world, config, 1, Path(name), lambda told: None)
            path = Path(name) / "policy.onnx"
            export(result.module, path, "ppo")
            played = evaluate(OnnxPolicy.load(path), tapes[1])
            gain = played.net_returns.mean() / VOLATILITY
            rivals = [evaluate(Follow(at, at), tapes[1]).net_returns.mean() for at in THRESHOLDS]
            best = OPTIMUM.get((ic, persistence, cost), 0.0)
            ratio = f"{gain / best:.3f}" if best else "-"
            print(
                f"{ic:>5}{persistence:>6}{cost:>6}{result.speed:>9,.0f}{gain:>9.4f}{best:>9.4f}"
                f"{ratio:>7}{np.abs(played.exposures).mean():>9.3f}{played.trades:>8}"
                f"{max(rivals) / VOLATILITY:>16.4f}",
                flush=True,
            )
    ray.shutdown()


if __name__ == "__main__":
    main()
