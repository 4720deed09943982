"""What `pregao policy evaluate` does: a policy beside every baseline, on the hold-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from actors.config import FloorConfig, SymbolConfig
from actors.material import material
from actors.replay import chosen
from actors.schooling import home, policy_of, refuse_seen
from envs.tape import DecisionTape
from models.registry import Registry, RegistryConfig
from policies.baselines import BASELINES, Flat, Follow, Hold
from policies.contest import Standing, contest, standings
from policies.exported import OnnxPolicy
from policies.policy import Policy
from trading.judging import BEGIN, END, looks
from validation.ratios import periods_per_year
from venues.files import find
from venues.library.words import moment

__all__ = ["baselines", "run"]


def baselines(one: SymbolConfig) -> list[Policy]:
    """Return whom a symbol's policy must beat."""
    made = (make() for name, make in BASELINES.items() if name != "follow")
    return [*made, Follow(enter=one.follow)]


def run(
    config: FloorConfig,
    data: Path,
    symbols: Sequence[str],
    console: Console,
    policy: Path | None = None,
    version: str = "latest",
) -> None:
    """Play each symbol's policy and the baselines over the hold-out; a look, and counted as one.

    Parameters
    ----------
    config
        The floor's.
    data
        Folder of recordings, or a tick store: what was trained on, hold-out included.
    symbols
        Which of them; all that the floor knows if left out.
    policy
        An exported one; each symbol's trained policy if left out.
    version
        Of each symbol's ensemble.
    """
    files = find(data, symbols or None)
    asked = chosen(config, files)
    with Registry(RegistryConfig.of(asked.folder)) as registry:
        for one in asked.symbols:
            trained = policy_of(asked.folder, one.symbol) if policy is None else policy
            _evaluate(asked, one, files, trained, registry, console, version)


def _evaluate(
    config: FloorConfig,
    one: SymbolConfig,
    files: Mapping[str, Path],
    trained: Path,
    registry: Registry,
    console: Console,
    version: str,
) -> None:
    """Refuse who has seen the hold-out; count the looks; play; show and write what came of it."""
    symbol = one.symbol
    found = material(config, symbol, files, registry, console, version)
    refuse_seen(trained, symbol, found.unseen)
    policies = [OnnxPolicy.load(trained), *baselines(one)]
    tape = found.holdout(policies[0].spec)
    span = {BEGIN: found.unseen / 1e9, END: int(found.made.times[-1]) / 1e9}
    before = looks(registry.trial_figures(symbol), span)
    # Who trades on nothing that was fitted or chosen can't have been picked for its luck.
    numbers = {
        rival.name: registry.tried(
            symbol, f"{found.entry.version} by {rival.name} {rival.version}, evaluated", span,
            registered=True,
        )
        for rival in policies
        if not isinstance(rival, Flat | Hold)
    }  # fmt: skip
    with console.status(f"{symbol}: playing the hold-out, {moment(found.unseen)} on"):
        per_year = periods_per_year(tape.times)
        rng = np.random.default_rng(config.seed)
        played = contest(policies, tape, config.training.env, rng, per_year)
    for standing in played:
        if standing.name in numbers:
            figures = {"sharpe": standing.performance.sharpe.value}
            registry.found(symbol, numbers[standing.name], figures)
    title = (
        f"[bold]{symbol}[/] hold-out, {len(tape):,} decisions from {moment(int(tape.times[0]))} "
        f"to {moment(int(tape.times[-1]))}, after all costs"
    )
    console.print(standings(title, played, per_year))
    if before:
        console.print(
            Text(
                f"this hold-out was looked at by {before} {'trial' if before == 1 else 'trials'} "
                "before: it is no longer untouched; later data would be",
                style="yellow",
            ),
            soft_wrap=True,
        )
    path = _written(home(config.folder, symbol), symbol, tape, played, numbers, before)
    console.print(
        f"{len(numbers)} looks counted, {registry.trials(symbol)} on {symbol} in all; "
        f"[dim]{escape(str(path))}[/]\nwhat it may trade, the gate says: "
        "`pregao gate CONFIG --data FOLDER --policy ppo`",
        soft_wrap=True,
    )


def _written(
    folder: Path,
    symbol: str,
    tape: DecisionTape,
    played: Sequence[Standing],
    numbers: Mapping[str, int],
    before: int,
) -> Path:
    """Write the figures as JSON, named by the trial."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"evaluation-trial-{max(numbers.values())}.json"
    told = {
        "symbol": symbol,
        "begin": moment(int(tape.times[0])),
        "end": moment(int(tape.times[-1])),
        "costs": tape.instrument.costs.model_dump(mode="json"),
        "looks_before": before,
        "trials": dict(numbers),
        "policies": [one.plain() for one in played],
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told)))
    return path
