"""The vocabulary of the floor: events, tapes, instruments, orders, account, execution."""

import hashlib
import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_COMPILED = ("market", "features", "envs", "venues/binance")
"""Folders with all that is compiled, and with all that it calls; a test holds them complete."""


def _keep_compiled_code_true() -> None:
    """Key numba's disk cache by the sources of every folder that compiles.

    numba notices a change only in the file that defines a function, not in the files of the
    functions it calls: the simulator would go on with yesterday's costs after an edit of
    ``market/execution.py``, while the paper broker takes today's. So every state of the sources
    has a cache folder of its own.
    """
    digest = hashlib.sha256()
    for folder in _COMPILED:
        for path in sorted((_ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    kept = str(_ROOT / "__pycache__" / f"numba-{digest.hexdigest()[:16]}")
    if os.environ.setdefault("NUMBA_CACHE_DIR", kept) == kept and "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = kept


_keep_compiled_code_true()
