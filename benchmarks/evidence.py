"""The out-of-sample table: every member, the vote and the stack on twelve real markets.

Run ``PREGAO_DATA=… python -m benchmarks.evidence`` with ``OMP_NUM_THREADS=1``; ``--market wdo`` for
one of them. Each symbol's history but its hold-out is walked forward in two steps. What was done
is kept in ``--folder``; a run that broke off goes on where it was.

There is no bar: the table says what is there. ``docs/evidence.md`` shows it, and what it means.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path
from time import perf_counter

from rich.console import Console

from actors.cluster import RayConfig
from actors.config import FloorConfig
from actors.validating import run
from market.config import load
from serve.settings import FileConfig

ROOT = Path(__file__).resolve().parents[1]
MARKETS = {
    "crypto_5m": ("crypto_5m", "binance_klines_5m", ()),
    "futures_1m": ("futures_1m", "binance_futures_1m", ()),
    "wdo": ("wdo", "wdo", ("WDO",)),
    "deriv_ticks": ("deriv_ticks", "deriv_ticks", ()),
}
"""Config, folder of recordings, symbols (all that the config knows if none are told)."""

STEPS = 2


def settings(name: str, folder: Path, cpus: int) -> FloorConfig:
    """Return a market's floor; the mini dollar's is made to learn like the others."""
    own = load(ROOT / "configs" / f"{name}.yaml", FileConfig).floor
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    changed = {"folder": folder / name, "ray": RayConfig(cpus=cpus, metrics_port=port)}
    if name == "wdo":
        like = load(ROOT / "configs" / "crypto_5m.yaml", FileConfig).floor
        slower = tuple(one.model_copy(update={"every": 3}) for one in own.symbols)
        breakers = {key: getattr(like.risk, key) for key in ("symbol", "portfolio")}
        changed |= {
            "symbols": slower,
            "ensemble": like.ensemble,
            "features": like.features,
            "risk": own.risk.model_copy(update=breakers),
        }
    return own.model_copy(update=changed)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--market", action="append", choices=sorted(MARKETS))
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "evidence")
    parser.add_argument("--cpus", type=int, default=2)
    asked = parser.parse_args()
    if "PREGAO_DATA" not in os.environ:
        sys.exit("PREGAO_DATA is not set; it is the folder that holds binance_klines_5m, wdo, …")
    console, began, found = Console(width=100), perf_counter(), []
    for market in asked.market or MARKETS:
        name, folder, symbols = MARKETS[market]
        data = Path(os.environ["PREGAO_DATA"]) / folder
        config = settings(name, asked.folder, asked.cpus)
        console.rule(market)
        found += run(config, data, symbols, STEPS, console)
    judged = [one for outcome in found for one in outcome.variants]
    knows = sum(one.gain.low > 0.0 for one in judged)
    whither = sum(one.direction.low > 0.0 for one in judged)
    earns = sum(one.performance.total.low > 0.0 for one in judged)
    edges = sum(one.verdict.headline == "edge" for one in judged)
    console.print(
        f"{len(judged)} variants of {len(found)} markets: {knows} surely know more than the base "
        f"rate, {whither} whither; {earns} surely earn after costs; the gate calls {edges} an "
        "edge. "
        f"Of these many, chance alone puts {len(judged) * 0.025:.0f} above each 95 % interval. "
        f"{perf_counter() - began:,.0f} s."
    )


if __name__ == "__main__":
    main()
