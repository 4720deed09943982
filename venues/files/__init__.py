"""Recordings: ticks, trades and bars from CSV, Parquet, or the tick store, played as a feed."""

from venues.files.feed import FileFeed
from venues.files.find import find
from venues.files.recording import Recording, read_recording

__all__ = ["FileFeed", "Recording", "find", "read_recording"]
