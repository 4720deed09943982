"""A report as JSON: written beside the page, read again to compare runs.

The layout is that of :class:`trading.report.figures.Figures`, name by name; ``null`` stands for a
figure that there was nothing to count for, or that has no bound. ``version`` tells which layout it
is; names may be added within a version, never taken away or given another meaning.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import msgspec

from market.errors import DataError
from trading.report.figures import VERSION, Figures

__all__ = ["NAME", "plain", "read", "write"]

NAME = "backtest.json"


def plain(found: Figures) -> dict[str, Any]:
    """Plain values, ready to be written as JSON; ``nan`` and infinity become ``None``."""
    return cast(dict[str, Any], _plain(msgspec.to_builtins(found)))


def write(found: Figures, path: Path) -> None:
    """Write :func:`plain` to a file, ten digits a figure."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(_short(plain(found))), indent=1))


def read(path: Path) -> dict[str, Any]:
    """Read what :func:`write` wrote, of a file or of the folder it lies in.

    Raises
    ------
    DataError
        There is none, it is damaged, or of another layout.
    """
    file = path / NAME if path.is_dir() else path
    if not file.exists():
        raise DataError(f"{path}: no {NAME} here; `pregao backtest` writes one beside its page")
    try:
        found = msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise DataError(f"{file}: {error}; run the backtest again") from None
    if not isinstance(found, dict) or found.get("version") != VERSION:
        version = found.get("version") if isinstance(found, dict) else None
        raise DataError(f"{file}: layout {version}, this is {VERSION}; run the backtest again")
    return found


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _short(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_short(one) for one in value]
    return value
