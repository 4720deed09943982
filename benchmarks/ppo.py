"""Training speed of the policy, and how near it comes to the exact optimum of planted markets.

Run ``python -m benchmarks.ppo [steps]``. Published on this class of machine, same network and a
like environment: RLlib's default 18,000 steps/s, a single-file PPO 80,000. The optimum is dynamic
programming's (``envs.planted.OPTIMUM``); published for a learnt policy on such a problem: .979.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import ray

from envs.planted import OPTIMUM, planted
from policies.baselines import Follow
from policies.evaluate import evaluate
from policies.export import export
from policies.exported import OnnxPolicy
from policies.rllib import train
from policies.training import Training
from policies.world import MarketWorld

VOLATILITY, ROWS = 1e-4, 40_000
MARKETS = ((0.2, 0.9, 0.5), (0.05, 0.98, 0.1), (0.0, 0.95, 0.3))
THRESHOLDS = (0.02, 0.05, 0.1, 0.2)


def main() -> None:
    """Print the table."""
    config = Training(steps=int(sys.argv[1]) if len(sys.argv) > 1 else 400_000)
    ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
    print(f"{config.steps:,} steps; published: RLlib 18,000 steps/s, single-file PPO 80,000")
    print(f"{'ic':>5}{'rho':>6}{'cost':>6}{'steps/s':>9}{'gain':>9}{'best':>9}{'ratio':>7}", end="")
    print(f"{'exposed':>9}{'trades':>8}{'best threshold':>16}")
    with tempfile.TemporaryDirectory() as name:
        for ic, persistence, cost in MARKETS:
            tapes = [
                planted(ROWS, ic, persistence, cost, np.random.default_rng(seed), VOLATILITY)
                for seed in (0, 1)
            ]
            result = train(
                MarketWorld((tapes[0],), config.env), config, 1, Path(name), lambda told: None
            )
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
