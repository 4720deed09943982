"""What `pregao volatility` does: models of each recording's volatility, by what they forecast."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape

from actors.config import FloorConfig
from actors.recordings import recordings
from actors.replay import chosen
from market.tape import Tape
from models.volatility import fit_ensemble
from venues.files import find

__all__ = ["run"]


def run(config: FloorConfig, data: Path, symbols: Sequence[str], console: Console) -> None:
    """Print a table a symbol: each model's losses on returns that it had not seen.

    The hold-out is not looked at. Returns across a gap are left out: nobody held anything there
    that a model could have known the length of.

    Parameters
    ----------
    config
        The floor's.
    data
        Folder of recordings, or a tick store.
    symbols
        Which of them; all that the floor knows if left out.
    """
    files = find(data, symbols or None)
    asked = chosen(config, files)
    for one in asked.symbols:
        alone = asked.model_copy(update={"symbols": (one,)})
        (tape,), _ = recordings(alone, files, console)
        part = tape.slice(0, round((1.0 - asked.holdout) * len(tape)))
        returns = _returns(part)
        with console.status(f"{one.symbol}: fitting {len(asked.volatility.members)} models"):
            fitted, report = fit_ensemble(asked.volatility, returns)
        for value in returns[-asked.volatility.train :].tolist():
            fitted.update(value)
        console.print(f"[bold]{one.symbol}[/]: {len(returns):,} returns before the hold-out")
        console.print(escape(str(report)), highlight=False, soft_wrap=True)
        console.print(f"the next return's standard deviation: {1e4 * fitted.value:.2f} bp\n")


def _returns(tape: Tape) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    returns: np.ndarray[tuple[int], np.dtype[np.float64]] = np.diff(np.log(tape.close))
    return returns[~tape.fresh[1:]]
