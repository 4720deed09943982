"""What `pregao backtest` does: learnt desks, or ensembles walked forward, over recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from actors import desks
from actors.config import FloorConfig
from actors.learning import describe
from actors.recordings import recordings
from features.dataset import build
from features.layout import lay
from market.beside import Beside
from market.errors import ConfigError
from market.tape import Tape
from models.card import read
from models.fit import fit_ensemble
from models.fitting.augmenting import Recorded
from models.fitting.keeping import kept
from models.fitting.study import serial
from models.registry import Registry, RegistryConfig
from models.registry.lineage import code_digest
from models.runtime import EnsembleRuntime
from risk.allocation import Allocation
from risk.lease import LeaseBook
from trading import report
from trading.backtest.portfolio import Portfolio, allocated
from trading.backtest.replay import replay
from trading.backtest.walk import foretell, walked
from trading.desk import DeskSpec
from trading.digest import digest
from trading.foretold import Foretold
from trading.journal import MemoryJournal
from trading.judging import BEGIN, END
from trading.record import Record
from trading.report.figures import Terms
from trading.unseen import known
from trading.walkforward.steps import Step, in_thirds, steps_of

__all__ = ["Plan", "backtest", "traded"]


@dataclass(frozen=True)
class Plan:
    """What a backtest is asked for.

    Parameters
    ----------
    path
        ``event``: the live trader, event by event, its ensemble asked at every decision.
        ``kernel``: features and predictions are made beforehand, in batch.
    policy
        In place of the configured one; empty: that.
    steps
        Tests of a walk forward with retraining; 0: the desks that a replay has learnt.
    allocation
        How capital is shared out between symbols; ``None``: it stays where it is.
    periods
        In each of which it is shared out anew.
    """

    path: Literal["event", "kernel"] = "event"
    policy: str = ""
    steps: int = 0
    allocation: Allocation | None = None
    periods: int = 10


@dataclass(frozen=True)
class _Desk:
    """One symbol's part: settings, recording, and what was foretold for it."""

    spec: DeskSpec
    tape: Tape
    beside: Beside
    foretold: Foretold | None = None


def traded(
    config: FloorConfig,
    files: Mapping[str, Path],
    symbols: Sequence[str],
    plan: Plan,
    console: Console,
) -> tuple[Record, str, Terms]:
    """Run a backtest.

    Parameters
    ----------
    config
        Of the recorded symbols, see :func:`actors.replay.chosen`.
    files
        Recording of each symbol.
    symbols
        Which of them; all if there are none. The limits are shared by all.
    plan
        What is asked for.
    console
        Where progress goes.

    Returns
    -------
    Record
        Of the run.
    str
        The fingerprint of everything decided, ordered and filled, equal to that of the replay;
        empty where it couldn't be: of another path, policy, or of some symbols alone.

    Terms
        What the record can't tell of itself.

    Raises
    ------
    StateError
        Nothing was learnt yet from these settings and recordings.
    ConfigError
        A trained policy in a walk forward, which doesn't train it anew.
    """
    lost = set(symbols) - {one.symbol for one in config.symbols}
    if lost:
        raise ConfigError(f"{', '.join(sorted(lost))}: not in the config, or not recorded")
    whole = plan.path == "event" and not (plan.steps or plan.policy or symbols)
    asked = [one.symbol for one in config.symbols if not symbols or one.symbol in symbols]
    if plan.steps:
        found = _walked(config, files, asked, plan, console)
    else:
        found = [one for one in _learnt(config, files, console) if one.spec.symbol in asked]
    if plan.policy:
        found = [replace(one, spec=replace(one.spec, policy=plan.policy)) for one in found]
        if not plan.steps:
            _look(config, found)
    if plan.path == "kernel" and not plan.steps:
        found = [_foreseen(one) for one in found]
    journals = {one.spec.symbol: MemoryJournal(keep=whole) for one in found}
    traders = {
        one.spec.symbol: one.spec.trader(journals[one.spec.symbol], one.foretold) for one in found
    }
    book = LeaseBook(config.risk, [one.symbol for one in config.symbols], first=True)
    tapes = [one.tape for one in found]
    beside = {one.spec.symbol: one.beside for one in found}
    with _bar(console, "trading", sum(map(len, tapes))) as told:
        record, _ = replay(tapes, traders.__getitem__, book, "+".join(journals), beside, told)
    mark = digest(journals.items()) if whole else ""
    return record, mark, _terms(config, plan, found)


def backtest(
    config: FloorConfig,
    files: Mapping[str, Path],
    symbols: Sequence[str],
    plan: Plan,
    out: Path,
    console: Console,
) -> tuple[Record, str]:
    """Run a backtest, show what came of it, and write its report.

    As :func:`traded`, with ``out`` the folder of the report.
    """
    record, mark, terms = traded(config, files, symbols, plan, console)
    with console.status("figures"):
        figures = report.measure(record, terms=terms)
    report.summary(figures, console)
    if plan.allocation is not None and len(record.sleeves) > 1:
        console.print(_told(allocated(record, plan.allocation, plan.periods), plan.allocation))
    elif plan.allocation is not None:
        console.print(f"one symbol alone: nothing to share out by {plan.allocation.method}")
    page = report.write(record, out, figures=figures)
    console.print(f"report: {page}", highlight=False, soft_wrap=True)
    return record, mark


def _learnt(config: FloorConfig, files: Mapping[str, Path], console: Console) -> list[_Desk]:
    """Return what the last replay has learnt, over what it traded."""
    specs = desks.load(config, files)
    tapes, beside = recordings(config, files, console)
    told = {tape.symbol: tape for tape in tapes}
    return [
        _Desk(
            one,
            told[one.symbol].after(one.warm_from),
            beside[one.symbol].after(one.warm_from),
        )
        for one in specs
    ]  # fmt: skip


def _look(config: FloorConfig, found: Sequence[_Desk]) -> None:
    """Count a look at the hold-out by a policy that could be chosen for how it does; each once."""
    with Registry(RegistryConfig.of(config.folder)) as registry:
        for one in found:
            spec, symbol = one.spec, one.spec.symbol
            what = f"backtest {spec.policy} {read(spec.model)[0].version}"
            known_ = {trial.what for trial in registry.trial_figures(symbol)}
            if spec.policy not in ("flat", "hold") and what not in known_:
                span = {BEGIN: int(one.tape.times[0]) / 1e9, END: int(one.tape.times[-1]) / 1e9}
                registry.tried(symbol, what, span)


def _foreseen(desk: _Desk) -> _Desk:
    """Have every decision forecast in batch."""
    spec = desk.spec
    ensemble = EnsembleRuntime.load(spec.model, lay(spec.features).schema)
    told = foretell(desk.tape, desk.beside, spec.features, ensemble, spec.every)
    return replace(desk, foretold=told)


def _walked(
    config: FloorConfig,
    files: Mapping[str, Path],
    symbols: Sequence[str],
    plan: Plan,
    console: Console,
) -> list[_Desk]:
    """Fit an ensemble before each test, and have it forecast the test; the hold-out is not used.

    What was fitted is kept where `pregao validate` keeps it. Every walk is a trial of its symbol.
    """
    for symbol in symbols:
        if (plan.policy or config.symbol(symbol).policy) == "ppo":
            raise ConfigError(
                f"{symbol}: a walk forward doesn't train the policy anew, and one that was "
                "trained has seen the tests; choose a baseline with --policy follow"
            )
    alone = tuple(config.symbol(symbol) for symbol in symbols)
    tapes, beside = recordings(config.model_copy(update={"symbols": alone}), files, console)
    runner = kept(config.folder / "pieces", serial, code_digest())
    desks_ = []
    with (
        Registry(RegistryConfig.of(config.folder)) as registry,
        _bar(console, "learning", plan.steps * len(tapes)) as told,
    ):
        for tape in tapes:
            one, columns = config.symbol(tape.symbol), config.features_of(tape.symbol)
            near = beside[tape.symbol]
            whole = build(tape, columns, config.labels, one.every, one.costs, near)
            dataset, _ = known(whole, config.holdout)
            fitted: list[tuple[Step, EnsembleRuntime]] = []
            for step in steps_of(dataset, in_thirds(len(dataset), plan.steps)):
                until = tape.slice(0, int(dataset.rows[step.first]))
                recorded = Recorded(until, columns, config.labels, one.every, one.costs)
                made = fit_ensemble(
                    dataset.slice(step.start, step.stop), config.ensemble, config.seed,
                    lambda *_: None, recorded, runner,
                )  # fmt: skip
                folder = made.save(config.folder / "steps" / tape.symbol / made.version)
                fitted.append((step, EnsembleRuntime.load(folder, lay(columns).schema)))
                told(1)
            walk = walked(tape, near, dataset, columns, fitted, one.every)
            spec = describe(config, tape.symbol, files[tape.symbol], Path(), Path())
            desks_.append(_Desk(spec, walk.tape, walk.beside, walk.foretold))
            what = f"backtest {plan.policy or one.policy} {walk.foretold.version}"
            if what not in {known_.what for known_ in registry.trial_figures(tape.symbol)}:
                registry.tried(tape.symbol, what)
    return desks_


@contextmanager
def _bar(console: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far something is; yield what is to be called with each part done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=32),
        TextColumn("{task.completed:>12,.0f}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[pace]}"),
    )
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(what, total=total, pace="")

        def told(done: int) -> None:
            bars.advance(bar, done)
            speed = bars.tasks[0].speed
            pace = f"{speed:,.0f} a second" if speed and total > 1000 else ""
            bars.update(bar, pace=pace)

        yield told


def _terms(config: FloorConfig, plan: Plan, found: list[_Desk]) -> Terms:
    """Say what the record can't."""
    with Registry(RegistryConfig.of(config.folder)) as registry:
        trials = max(registry.trials(one.spec.symbol) for one in found)
    notes = []
    if plan.steps:
        notes.append(f"each of {plan.steps} tests was forecast by an ensemble fitted before it")
    elif plan.path == "kernel":
        notes.append("forecasts were made in batch, and nothing was learnt on the way")
    asked = () if plan.steps or plan.policy else tuple(one.spec for one in found)
    said = ", ".join(f"{one.symbol} {one.verdict}" for one in asked if one.verdict_reasons)
    gate = f"the gate's verdict on what was learnt: {said}" if said else ""
    return Terms(sample="out of sample", trials=trials, gate=gate, notes=tuple(notes))


def _told(portfolio: Portfolio, allocation: Allocation) -> str:
    """Say what moving capital between sleeves would have come to."""
    mean = portfolio.shares.mean(axis=0)
    parts = ", ".join(
        f"{name} {share:.0%}" for name, share in zip(portfolio.symbols, mean.tolist(), strict=True)
    )
    cash = 1.0 - float(np.sum(mean))
    return (
        f"capital shared out {allocation.method}, {len(portfolio.shares)} times: "
        f"{portfolio.growth:+.2%} (mean shares: {parts}, cash {cash:.0%})"
    )
