"""What a policy learns from and is judged by: decisions, with what an ensemble said of them.

It learns from what the ensemble said **out of fold**, so that it knows how far to trust it on rows
it hasn't seen; it is judged on the hold-out, by what the ensemble itself says there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from actors import outoffold
from actors.config import FloorConfig
from actors.pieces import InTasks
from actors.recordings import recordings
from actors.training import registered
from envs.spec import PolicySpec
from envs.tape import DecisionTape
from features.dataset import Dataset, build
from features.layout import lay
from market.errors import StateError
from market.instruments import Instrument
from market.tape import Tape
from models import card as cards
from models.card import Card
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.fitting.augmenting import Recorded
from models.fitting.keeping import kept
from models.fitting.study import Runner
from models.member import Floats
from models.registry import Entry, Registry
from models.runtime import EnsembleRuntime
from trading.eligible import reaches, same_data
from trading.unseen import known
from venues.library.words import moment

__all__ = ["Material", "learnable", "material"]


@dataclass(frozen=True)
class Material:
    """One symbol's decisions, and the registered ensemble that speaks of them.

    Parameters
    ----------
    entry, card
        The ensemble.
    model
        Folder of its files.
    tape
        The recording.
    made
        Every decision of it, hold-out included.
    unseen
        Venue time behind which the hold-out lies.
    instrument
        What is traded.
    """

    entry: Entry
    card: Card
    model: Path
    tape: Tape
    made: Dataset
    unseen: int
    instrument: Instrument

    def decisions(
        self, part: Dataset, proba: Floats, disagreement: Floats, spec: PolicySpec
    ) -> DecisionTape:
        """Return some of the decisions with what was said of them.

        Parameters
        ----------
        part
            A slice of :attr:`made`.
        proba, disagreement
            ``float64[m, 3]`` and ``float64[m]``; ``nan`` where nothing was said.
        spec
            Names the features that the policy sees.
        """
        runtime = EnsembleRuntime.load(self.model, self.made.schema)
        regimes = runtime.regimes(part.X, part.fresh)
        return DecisionTape.of(part, proba, disagreement, self.instrument, regimes, spec, self.tape)

    def holdout(self, spec: PolicySpec) -> DecisionTape:
        """Return the hold-out's decisions, with what the ensemble says of them."""
        runtime = EnsembleRuntime.load(self.model, self.made.schema)
        first = int(np.searchsorted(self.made.times, self.unseen, side="right"))
        part = self.made.slice(max(0, first - runtime.window + 1), len(self.made))
        tape = self.decisions(part, *runtime.predict_rows(part.X, part.fresh), spec)
        return tape.slice(int(np.searchsorted(tape.times, self.unseen, side="right")), len(tape))


def material(
    config: FloorConfig,
    symbol: str,
    files: Mapping[str, Path],
    registry: Registry,
    console: Console,
    version: str = "latest",
) -> Material:
    """Read a symbol's recording and its registered ensemble.

    Parameters
    ----------
    config
        The floor's.
    files
        Where each symbol's recording is.
    version
        Of the ensemble: number, hash, ``latest`` or an alias.

    Raises
    ------
    StateError
        There is none, or it was trained on something else, or on a part of the hold-out.
    """
    one, features = config.symbol(symbol), config.features_of(symbol)
    entry = registry.resolve(symbol, version)
    model = registry.fetch(entry, config.folder / "models" / symbol, lay(features).schema)
    card, _ = cards.read(model)
    alone = config.model_copy(update={"symbols": (one,)})
    (tape,), beside = recordings(alone, files, console)
    with console.status(f"{symbol}: columns of the recording"):
        made = build(tape, features, config.labels, one.every, one.costs, beside[symbol])
    same_data(entry, card, made)
    _, unseen = known(made, config.holdout)
    if reaches(card, tape, unseen):
        raise StateError(
            f"{symbol} {entry.number} was trained until {moment(card.end)}, and what came of that "
            f"is of the hold-out, which begins after {moment(unseen)}; train again, or set "
            "`holdout` to what it was"
        )
    return Material(entry, card, model, tape, made, unseen, one.instrument)


def learnable(
    config: FloorConfig,
    symbol: str,
    files: Mapping[str, Path],
    registry: Registry,
    code: str,
    console: Console,
    version: str = "latest",
) -> tuple[Material, DecisionTape]:
    """Return a symbol's material, and what may be learnt from, with out-of-fold predictions.

    Where no ensemble is registered yet, one is fitted. Ray must be started.

    Parameters
    ----------
    code
        Digest of the models' code, from when the process began.

    Raises
    ------
    StateError
        As :func:`material`; or what the ensemble said out of fold is not kept, and fitting it anew
        gives another.
    """
    one = config.symbol(symbol)
    runner = kept(config.folder / "pieces", InTasks(), code)
    if version == "latest" and not registry.list(symbol):
        console.print(f"[dim]{symbol} has no ensemble yet: fitting one, as `pregao train` does[/]")
        alone = config.model_copy(update={"symbols": (one,)})
        (tape,), beside = recordings(alone, files, console)
        registered(alone, tape, beside[symbol], runner, code, registry, console)
    found = material(config, symbol, files, registry, console, version)
    card, entry = found.card, found.entry
    first, last = np.searchsorted(found.made.times, [card.start, card.end])
    learnt = found.made.slice(int(first), int(last) + 1)
    told = outoffold.kept(config.folder, entry.version, len(learnt))
    if told is None:
        told = _again(config, found, learnt, runner, console)
    return found, found.decisions(learnt, *told, config.training.env.spec)


def _again(
    config: FloorConfig, found: Material, learnt: Dataset, runner: Runner, console: Console
) -> tuple[Floats, Floats]:
    """Return what an ensemble said out of fold, by fitting it anew; what was done is kept."""
    symbol, number = found.entry.symbol, found.entry.number
    one, settings = config.symbol(symbol), EnsembleConfig.model_validate(found.card.settings)
    features = config.features_of(symbol)
    recorded = Recorded(found.tape, features, config.labels, one.every, one.costs)
    with console.status(f"{symbol}: what ensemble {number} said out of fold") as status:

        def follow(what: str, share: float) -> None:
            status.update(f"{symbol}: ensemble {number} out of fold, {share:.0%}: {what}")

        fitted = fit_ensemble(learnt, settings, found.card.seed, follow, recorded, runner)
    if fitted.version != found.entry.version:
        raise StateError(
            f"{symbol} {number}: what it said out of fold isn't kept in "
            f"{config.folder / 'outoffold'}, and fitted again with this code it is another "
            f"({fitted.version}); run `pregao train`, and use that one"
        )
    outoffold.keep(config.folder, fitted)
    return fitted.oof, fitted.oof_disagreement
