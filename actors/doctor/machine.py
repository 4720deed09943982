"""Memory, disks, open files, ports and surroundings."""

from __future__ import annotations

import resource
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from actors.doctor.finding import Finding, Level

__all__ = ["memory_and_disk", "port_free", "ray_address"]

GIB = 2**30

# Where a floor of a few symbols is at ease, not where it just so runs.
_MEMORY = 4 * GIB
_DISK = 2 * GIB
_SHARED = GIB // 2
_FILES = 1024


def memory_and_disk(root: Path) -> Iterator[Finding]:
    """Check memory, the disks at ``root`` and of Ray, shared memory, and files that may be open."""
    yield _enough(
        "memory",
        psutil.virtual_memory().available,
        _MEMORY,
        "fault",
        "close something, or run fewer symbols",
    )
    yield _enough("disk here", shutil.disk_usage(root).free, _DISK, "fault", "make room")
    scratch = tempfile.gettempdir()
    yield _enough(
        f"disk at {scratch}",
        shutil.disk_usage(scratch).free,
        _DISK,
        "fault",
        "make room: Ray keeps its logs there; old ones are in /tmp/ray",
    )
    shared = Path("/dev/shm")
    if shared.is_dir():
        yield _enough(
            "/dev/shm",
            shutil.disk_usage(shared).free,
            _SHARED,
            "note",
            "Ray falls back to the disk and is slower; in Docker: --shm-size=1g",
        )
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    level: Level = "fine" if files == resource.RLIM_INFINITY or files >= _FILES else "fault"
    yield Finding("open files", level, f"{files} allowed", "ulimit -n 65536" * (level == "fault"))


def _enough(what: str, free: int, least: int, otherwise: Level, remedy: str) -> Finding:
    if free >= least:
        return Finding(what, "fine", f"{free / GIB:.1f} GiB free")
    return Finding(what, otherwise, f"{free / GIB:.1f} GiB free, wants {least / GIB:g}", remedy)


def port_free(key: str, port: int) -> Finding:
    """Try to listen on a port."""
    what = f"port {port}"
    with socket.socket() as trial:
        # As servers do it: a connection that is still closing does not count.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            return Finding(
                what,
                "fault",
                _listener(port) or str(error.strerror).lower(),
                f"stop that, or set {key} to another port",
            )
    return Finding(what, "fine", f"free for {key}")


def _listener(port: int) -> str:
    """Name the process that listens on ``port``, where this user may know it."""
    try:
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            if local and connection.status == "LISTEN" and local.port == port and connection.pid:
                return f"taken by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return ""


def ray_address(environment: Mapping[str, str]) -> Finding:
    """Look for a setting that would send a local floor to somebody's cluster."""
    address = environment.get("RAY_ADDRESS", "")
    if address:
        return Finding(
            "RAY_ADDRESS", "note", f"is {address}", "unset it unless this floor belongs there"
        )
    return Finding("RAY_ADDRESS", "fine", "not set")
