"""What a floor learns from: each symbol's tape, and what was recorded beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from actors.config import FloorConfig
from market.beside import Beside
from market.tape import Tape
from venues.doors import recorded

__all__ = ["recordings"]


def recordings(
    config: FloorConfig, files: Mapping[str, Path], console: Console
) -> tuple[list[Tape], dict[str, Beside]]:
    """Read every symbol's recording, and say which of its rows are not used.

    Parameters
    ----------
    config
        Says which symbols, and what their columns are made of.
    files
        Where each symbol's recording is.
    console
        Where unused rows are told.
    """
    tapes: list[Tape] = []
    beside: dict[str, Beside] = {}
    for one in config.symbols:
        symbol, features = one.symbol, config.features_of(one.symbol)
        feed = recorded(files[symbol], one.instrument, features.streams, features.peer)
        tapes.append(feed.tape)
        beside[symbol] = feed.beside
        if bad := feed.quarantine:
            console.print(
                f"[yellow]{symbol}: {len(bad)} rows kept aside, the first at {bad[0].where}[/] "
                f"({escape(bad[0].reason)})"
            )
    return tapes, beside
