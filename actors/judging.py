"""What `pregao gate` does: registered ensembles judged by the hold-out that they never touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.text import Text

from actors.config import FloorConfig
from actors.learning import describe
from actors.recordings import recordings
from actors.replay import chosen
from actors.schooling import policy_of, refuse_seen
from actors.trainer import terms
from features.dataset import build
from features.layout import lay
from market.errors import PregaoError, StateError
from models import card as cards
from models.card import Card
from models.registry import Entry, Registry, RegistryConfig
from trading.eligible import reaches, same_data
from trading.judging import Judgement, examine
from trading.unseen import known
from venues.files import find
from venues.library.words import moment

__all__ = ["NOT_PROMOTED", "Policy", "run"]

NOT_PROMOTED = 3
"""Exit status where somebody was judged and not promoted; 1 and 2 are errors."""

Policy = Literal["follow", "ppo"]


def run(
    config: FloorConfig,
    data: Path,
    symbols: Sequence[str],
    console: Console,
    version: str = "latest",
    policy: Policy = "follow",
    promote: bool = False,
) -> int:
    """Judge a registered version of each symbol; write reports, and the verdict beside the version.

    Parameters
    ----------
    config
        The floor's.
    data
        Folder of recordings, or a tick store: what was trained on, hold-out included.
    symbols
        Which of them; all that the floor knows if left out.
    version
        Number, hash, ``latest`` or an alias.
    policy
        Who trades: ``follow`` does what the ensemble says, ``ppo`` is the floor's trained one.
    promote
        Make who passes champion.

    Returns
    -------
    int
        Exit status: 0 if all were promoted, :data:`NOT_PROMOTED` if one was not, 1 if one could not
        be judged.
    """
    files = find(data, symbols or None)
    # The limits are shared by all that were recorded, whichever of them are asked for.
    floor = chosen(config, find(data) if symbols else files)
    asked = chosen(config, files)
    if lost := set(symbols) - {one.symbol for one in asked.symbols}:
        raise StateError(f"{', '.join(sorted(lost))}: not in the config; add it under `symbols`")
    status = 0
    with Registry(RegistryConfig.of(config.folder)) as registry:
        for one in asked.symbols:
            try:
                found = _judge(floor, one.symbol, files, registry, version, policy, console)
                page = found.report(config.folder / "gate")
                _tell(found, page, console)
                if promote:
                    _promote(registry, found, console)
            except PregaoError as error:
                if len(asked.symbols) == 1:
                    raise
                console.print(Text.assemble((f"{one.symbol} not judged: ", "bold red"), str(error)))
                status = 1
            else:
                status = status or (0 if found.verdict.promoted else NOT_PROMOTED)
    return status


def _judge(
    config: FloorConfig,
    symbol: str,
    files: Mapping[str, Path],
    registry: Registry,
    version: str,
    policy: Policy,
    console: Console,
) -> Judgement:
    """Refuse what this hold-out can't judge, before it is looked at; else look at it."""
    one, features = config.symbol(symbol), config.features_of(symbol)
    entry = registry.resolve(symbol, version)
    folder = config.folder / "models" / symbol
    model = registry.fetch(entry, folder, lay(features).schema)
    card, _ = cards.read(model)
    alone = config.model_copy(update={"symbols": (one,)})
    (tape,), beside = recordings(alone, files, console)
    with console.status(f"{symbol}: what it was trained on") as status:
        made = build(tape, features, config.labels, one.every, one.costs, beside[symbol])
        same_data(entry, card, made)
        _, unseen = known(made, config.holdout)
        if reaches(card, tape, unseen):
            raise StateError(
                f"{symbol} {entry.number} was trained until {moment(card.end)}, and what came of "
                f"that is of the hold-out, which begins after {moment(unseen)}: it may not judge "
                "what has seen it; train again, or set `holdout` to what it was"
            )
        trained = policy_of(config.folder, symbol)
        if policy == "ppo":
            refuse_seen(trained, symbol, unseen)
        desk = replace(describe(config, symbol, files[symbol], model, trained), policy=policy)
        begun = desk.beginning(tape, unseen)
        _compare(entry, card, config, console)
        status.update(f"{symbol}: trading the hold-out, {moment(unseen)} on")
        return examine(registry, entry, begun, terms(config), unseen, tape, beside[symbol])


def _compare(entry: Entry, card: Card, config: FloorConfig, console: Console) -> None:
    """Say so where the configuration would now make something else than what is judged."""
    if (card.settings, card.seed) != (config.ensemble.model_dump(mode="json"), config.seed):
        console.print(
            f"[yellow]{entry.symbol} {entry.number} was trained with other settings of the "
            "ensemble than the config has now; it is judged as it was trained[/]"
        )


def _tell(found: Judgement, page: Path, console: Console) -> None:
    """Print the verdict."""
    style = "green" if found.verdict.promoted else "yellow"
    head, *checks = str(found.verdict).splitlines()
    console.print(Text.assemble((f"{found.entry.symbol}: {head}", f"bold {style}")))
    console.print(Text(found.title, style="dim"))
    for line in checks:
        console.print(Text(line, style="" if "✓" in line[:4] else style), soft_wrap=True)
    for line in found.notes:
        console.print(Text(line, style="yellow"))
    console.print(Text(f"report: {page}, and .json beside it"), soft_wrap=True)


def _promote(registry: Registry, found: Judgement, console: Console) -> None:
    """Make a version champion, if the gate lets it and nobody better may be in its place."""
    entry = found.entry
    name = f"{entry.symbol} {entry.number}"
    if not found.verdict.promoted:
        console.print(f"{name} doesn't become champion")
    elif found.incomparable:
        raise StateError(
            f"{name} was not compared with the champion ({found.incomparable}); if it shall go "
            f"all the same: `pregao models promote {entry.symbol} {entry.number}`"
        )
    else:
        registry.promote(entry.symbol, entry.number)
        console.print(f"{name} ({entry.version}) is [bold]champion[/]")
