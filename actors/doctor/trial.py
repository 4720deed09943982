"""A Ray started on trial, and the file a cluster would be started from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from actors.clusterfile import faults
from actors.doctor.finding import Finding

__all__ = ["cluster_file", "ray_starts"]

_SECONDS = 60.0

# Runs in the checkout's root, so that it is this checkout's code, whatever is installed.
_TRIAL = """
from actors.cluster import RayConfig, joined
import ray
with joined(RayConfig(), watched=False):
    assert ray.get(ray.remote(lambda: 7).remote(), timeout=45) == 7
"""


def cluster_file(path: Path) -> Finding:
    """Check the cluster file; a floor on one machine runs without it."""
    found = faults(path)
    if found:
        return Finding("cluster.yaml", "note", "; ".join(found), "mend it before `ray up`")
    return Finding("cluster.yaml", "fine", "valid")


def ray_starts(root: Path) -> Finding:
    """Start a Ray as the floor does, run one task in it, stop it."""
    begun = perf_counter()
    # A process of its own: a Ray that hangs can be ended with all it has started.
    with subprocess.Popen(
        [sys.executable, "-c", _TRIAL],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as trial:
        try:
            said, _ = trial.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(trial.pid, signal.SIGKILL)
            return Finding(
                "Ray",
                "fault",
                f"no start within {_SECONDS:g} s",
                "`ray stop` if an old one is in the way (it ends every Ray of yours); "
                "the reason is in /tmp/ray/session_latest/logs",
            )
    if trial.returncode:
        last = said.strip().splitlines()[-1] if said.strip() else f"exit code {trial.returncode}"
        return Finding("Ray", "fault", last, "the reason is in /tmp/ray/session_latest/logs")
    seen = f"started, answered and stopped in {perf_counter() - begun:.0f} s"
    return Finding("Ray", "fine", seen)
