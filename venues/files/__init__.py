"""Recordings: ticks and bars from CSV, Parquet, or the tick store, played as a feed."""

from venues.files.feed import FileFeed
from venues.files.find import find

__all__ = ["FileFeed", "find"]
