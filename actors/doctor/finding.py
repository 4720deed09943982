"""One thing looked at on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Level"]

Level = Literal["fine", "note", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Parameters
    ----------
    what
        What was looked at.
    level
        ``fault``: the floor won't run; ``note``: it will, with less; ``fine``.
    seen
        What was found.
    remedy
        What to do; empty when fine.
    """

    what: str
    level: Level
    seen: str
    remedy: str = ""
