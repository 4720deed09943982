"""Is this machine fit to run the floor, and what to do about each thing that is not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from actors.doctor.finding import Finding, Level
from actors.doctor.machine import memory_and_disk, port_free, ray_address
from actors.doctor.packages import accelerator, loads, locked, python
from actors.doctor.trial import cluster_file, ray_starts

__all__ = ["Finding", "examine", "report"]

_ROOT = Path(__file__).resolve().parents[2]

# Packages with compiled parts, or with another reason to be installed and yet not to load.
_LOADED = (
    "numpy",
    "numba",
    "pyarrow",
    "onnxruntime",
    "lightgbm",
    "torch",
    "websockets",
    "deriv_api",
)

_MARKS: Mapping[Level, str] = {"fine": "[green]✓[/]", "note": "[yellow]![/]", "fault": "[red]✗[/]"}


def examine(ports: Mapping[str, int], ray: bool = True) -> Iterator[Finding]:
    """Look at everything, the slow last; each finding is given as soon as it is known.

    Parameters
    ----------
    ports
        Ports the floor will listen on, by the config key that sets each. 0 lets the system choose.
    ray
        Whether to start a Ray and stop it again, which takes some seconds.
    """
    yield python()
    yield locked(_ROOT / "requirements.lock")
    yield from memory_and_disk(_ROOT)
    for key, port in ports.items():
        yield port_free(key, port)
    yield ray_address(os.environ)
    yield cluster_file(_ROOT / "cluster.yaml")
    for name in _LOADED:
        yield loads(name)
    yield accelerator()
    if ray:
        yield ray_starts(_ROOT)


def report(findings: Iterable[Finding], console: Console) -> int:
    """Show findings as they come in; return 1 if one of them is a fault, else 0."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "what", "seen", "what to do"):
        table.add_column(heading, overflow="fold")
    faults = 0
    with Live(table, console=console, refresh_per_second=8):
        for finding in findings:
            faults += finding.level == "fault"
            table.add_row(_MARKS[finding.level], finding.what, finding.seen, finding.remedy)
    if not console.is_terminal:
        console.line()
    console.print(
        f"[red]{faults} to mend[/] before the floor runs" if faults else "[green]fit to run[/]"
    )
    return min(faults, 1)
