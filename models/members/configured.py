"""What every member has from its settings: name, window, and the columns that were chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from models.members.config import MemberConfig

__all__ = ["Configured"]

Settings = TypeVar("Settings", bound=MemberConfig)


@dataclass(frozen=True)
class Configured(Generic[Settings]):
    """A member's settings, and what follows of them.

    Parameters
    ----------
    config
        Its settings.
    columns
        Names of the columns it must be given; empty: those that were chosen.
    """

    config: Settings
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the member."""
        return self.config.name

    @property
    def window(self) -> int:
        """Decision rows it looks at."""
        return self.config.window
