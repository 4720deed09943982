"""The door by which every command reads a configuration: a floor's, or a seeded strategy's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from market.plainly import console

if TYPE_CHECKING:
    from serve.settings import FileConfig

__all__ = ["read"]


def read(path: Path, data: Path | str | None = None) -> FileConfig:
    """Read a configuration, and tell what of a strategy was translated, left out or assumed.

    ``data`` is where the command reads recordings from; see :func:`actors.strategy.read`.
    """
    from actors import strategy
    from serve.settings import FileConfig

    found, notes = strategy.read(path, FileConfig, data)
    for note in notes:
        console.print(f"[dim]·[/] {escape(note)}", highlight=False)
    return found
