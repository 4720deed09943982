"""Python, and whether its packages are the locked ones and load."""

from __future__ import annotations

import importlib
import platform
import shutil
import sys
import warnings
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from actors.doctor.finding import Finding

__all__ = ["accelerator", "loads", "locked", "python"]


def python() -> Finding:
    """Check the interpreter."""
    seen = f"{platform.python_version()} in {sys.prefix}"
    if not (3, 11) <= sys.version_info < (3, 15):
        return Finding("Python", "fault", seen, "make clean setup PYTHON=python3.11 (to 3.14)")
    if sys.prefix == sys.base_prefix:
        return Finding(
            "Python", "note", seen, "use .venv/bin/pregao: this one holds other packages"
        )
    return Finding("Python", "fine", seen)


def locked(lock: Path) -> Finding:
    """Compare what is installed with the lock file."""
    what, wrong, right = "packages", [], 0
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        return Finding(what, "fault", f"{lock}: {error.strerror}", "git checkout requirements.lock")
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        try:
            asked = Requirement(line)
        except InvalidRequirement:
            return Finding(what, "fault", f"{lock}: can't read {line!r}", "scripts/lock.sh")
        if asked.marker is not None and not asked.marker.evaluate():
            continue
        try:
            # A build's own mark, such as torch's +cpu, is no other version.
            installed = Version(metadata.version(asked.name)).public
        except metadata.PackageNotFoundError:
            wrong.append(f"{asked.name} absent")
            continue
        if asked.specifier.contains(installed, prereleases=True):
            right += 1
        else:
            wrong.append(f"{asked.name} {installed}, locked {asked.specifier}")
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return Finding(
            what, "fault", "; ".join(wrong[:3]) + more, "rm .venv/.installed; make setup"
        )
    return Finding(what, "fine", f"{right} at their locked versions")


def loads(name: str) -> Finding:
    """Import a package that needs more of the machine than its own files."""
    try:
        # python-deriv-api uses a part of websockets that is on its way out; it still loads.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            module = importlib.import_module(name)
    except (ImportError, OSError) as error:
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = "rm .venv/.installed; make setup"
        if "libgomp" in words:
            remedy = "apt install libgomp1 (macOS: brew install libomp)"
        return Finding(f"import {name}", "fault", words, remedy)
    return Finding(f"import {name}", "fine", str(getattr(module, "__version__", "loads")))


def accelerator() -> Finding:
    """Say what torch will train on."""
    try:
        import torch
    except (ImportError, OSError):
        return Finding("accelerator", "note", "torch does not load", "see above")
    if torch.cuda.is_available():
        names = {torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())}
        return Finding("accelerator", "fine", f"{torch.cuda.device_count()} x {', '.join(names)}")
    if shutil.which("nvidia-smi"):
        return Finding(
            "accelerator",
            "note",
            f"a GPU's driver is here, torch {torch.__version__} does not use it",
            "make clean setup without PIP_FIND_LINKS and PIP_EXTRA_INDEX_URL, or a newer driver",
        )
    return Finding("accelerator", "fine", "none; training runs on the CPU")
