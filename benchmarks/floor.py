"""The demo's own bars: start, decision latency, memory, and a killed actor's return.

``python -m benchmarks.floor`` runs ``pregao demo`` on ports of its own and looks at it through its
HTTP API, as a user would. It takes about three minutes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

SERVE, EXCHANGE, METRICS = 18000, 18765, 19464
LIVE_SECONDS = 90.0
START_SECONDS = 600.0


def _symbols() -> dict[str, dict[str, Any]]:
    """Return what the API says of every symbol; nothing while it doesn't answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{SERVE}/v1/symbols", timeout=5) as answer:
            return {one["symbol"]: one for one in json.load(answer)["symbols"]}
    except OSError:
        return {}


def _wait(
    process: subprocess.Popen[str], met: Callable[[dict[str, dict[str, Any]]], bool]
) -> float:
    """Wait until the floor's state meets a condition; return the seconds it took."""
    began = time.perf_counter()
    while not met(_symbols()):
        if process.poll() is not None or time.perf_counter() - began > START_SECONDS:
            raise SystemExit("the demo ended or hangs; run `pregao demo` to see why")
        time.sleep(0.02)
    return time.perf_counter() - began


def _config(folder: Path) -> Path:
    """Write the demo's configuration with other ports and another folder."""
    settings = yaml.safe_load(Path("configs/demo.yaml").read_text())
    settings["folder"] = str(folder / "demo")
    settings["exchange"]["deriv"]["port"] = EXCHANGE
    settings["serve"]["port"] = SERVE
    settings["ray"]["metrics_port"] = METRICS
    path = folder / "demo.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def main() -> None:
    """Run the demo, measure, kill an actor, measure, stop."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "pregao.py", "demo", "--config", str(_config(Path(name)))]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True) as process:
            try:
                started = _wait(
                    process, lambda all_: bool(all_) and all(s["decisions"] for s in all_.values())
                )
                print(f"start to live decisions of all symbols {started:7.1f} s     limit 300")
                time.sleep(LIVE_SECONDS)
                before = _symbols()
                for symbol, one in before.items():
                    print(
                        f"{symbol:<9} decision p50 {one['latency_p50_ms']:5.2f} "
                        f"p99 {one['latency_p99_ms']:5.2f} ms of {one['decisions']}   limit 10"
                        f"     memory {one['memory_mb']:4.0f} MB   limit 130"
                    )
                symbol, held = next((s, one) for s, one in before.items() if one["units"])
                os.kill(held["pid"], signal.SIGKILL)
                back = _wait(
                    process, lambda all_: all_.get(symbol, held)["pid"] not in (0, held["pid"])
                )
                now = _symbols()[symbol]
                print(
                    f"{symbol} killed, back with its position after {back:.2f} s   limit 3"
                    f"     (units {held['units']:.6f} before, {now['units']:.6f} after)"
                )
            finally:
                process.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
