"""Recordings: ticks, trades and bars from CSV, Parquet, or the tick store, played as a feed."""

from typing import TYPE_CHECKING, Any

from venues.files.feed import FileFeed
from venues.files.find import find

if TYPE_CHECKING:
    from venues.files.recording import Recording, read_recording

__all__ = ["FileFeed", "Recording", "find", "read_recording"]


def __getattr__(name: str) -> Any:
    """Load the readers when first asked for: their columns are 40 MB, and a live actor has none."""
    if name in ("Recording", "read_recording"):
        from venues.files import recording

        return getattr(recording, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
