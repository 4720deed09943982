"""What `pregao features importance` does: each recording's training span, studied and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from actors.audit import subjects
from actors.config import FloorConfig
from actors.replay import chosen
from features.dataset import build
from trading.importance import draw, study, table
from trading.unseen import known
from venues.files import find

__all__ = ["run"]


def run(
    config: FloorConfig,
    data: Path,
    symbols: Sequence[str],
    columns: tuple[str, ...],
    folder: Path | None,
    console: Console,
) -> None:
    """Print a table a symbol and write its figures; the hold-out is not looked at.

    Parameters
    ----------
    config
        The floor's.
    data
        Folder of recordings, or a tick store.
    symbols
        Which of them; all that the floor knows if left out.
    columns
        Columns and sets in place of the floor's.
    folder
        For the figures; ``columns`` in the floor's folder if left out.
    """
    asked = chosen(config, find(data, symbols or None))
    names = [one.symbol for one in asked.symbols]
    for one in subjects(asked, data, names, columns, asked.seed):
        every = asked.symbol(one.tape.symbol).every
        with console.status(f"{one.tape.symbol}: fitting trees, shuffling columns"):
            made = build(one.tape, one.features, one.labels, every, one.costs, one.beside)
            learnt, _ = known(made, asked.holdout)
            found = study(learnt, asked.ensemble, asked.seed)
        console.print(table(found))
        for path in draw(found, folder or asked.folder / "columns"):
            console.print(f"[dim]{path}[/]", soft_wrap=True)
