"""What `pregao validate` does: ensembles walked forward in Ray tasks, traded, judged and shown."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import ray
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

import envs
import features
import market
import models
import policies
import risk
import trading
import validation
from actors.cluster import joined as ray_joined
from actors.config import FloorConfig
from actors.learning import describe
from actors.pieces import InTasks
from actors.recordings import recordings
from actors.replay import chosen
from features.dataset import build
from market.beside import Beside
from market.tape import Tape
from models.fit import fit_ensemble
from models.fitting.augmenting import Recorded
from models.fitting.keeping import kept
from models.fitting.study import Runner
from models.registry import Registry, RegistryConfig
from models.registry.lineage import code_digest, config_digest, data_digest
from trading.desk import DeskSpec
from trading.unseen import known
from trading.walkforward import page
from trading.walkforward.columns import columns_of
from trading.walkforward.judging import Outcome, joined, judged, sharpes
from trading.walkforward.steps import Step, in_thirds, refuse_overlap, steps_of
from trading.walkforward.tables import table, warnings
from trading.walkforward.trading import Market, Run, traded
from trading.walkforward.variants import variants
from validation.splits import WalkForwardConfig
from venues.files import find

__all__ = ["run", "walked"]

_OF_TRADING = (market, features, validation, models, risk, envs, policies, trading)


def run(
    config: FloorConfig,
    data: Path,
    symbols: Sequence[str],
    walk: WalkForwardConfig | int,
    console: Console,
) -> list[Outcome]:
    """Walk every recording forward; the hold-out is not looked at.

    What was fitted and traded is kept: a run that broke off goes on where it was. Each variant is a
    trial, counted before it is judged, and once: the same one again is no new trial.

    Parameters
    ----------
    config
        The floor's.
    data
        Folder of recordings, or a tick store.
    symbols
        Which of them; all that the floor knows if left out.
    walk
        The steps; a number of them is for equal tests that cover the last three fifths.
    console
        Where progress and tables go.
    """
    if isinstance(walk, WalkForwardConfig):
        refuse_overlap(walk)
    files = find(data, symbols or None)
    asked = chosen(config, files)
    with ray_joined(asked.ray, watched=False):
        return walked(asked, files, walk, console)


def walked(
    config: FloorConfig, files: Mapping[str, Path], walk: WalkForwardConfig | int, console: Console
) -> list[Outcome]:
    """Do the same where Ray runs already.

    Parameters
    ----------
    config
        Of the recorded symbols, see :func:`actors.replay.chosen`.
    files
        Recording of each symbol.
    walk, console
        As of :func:`run`.
    """
    found = []
    folder = config.folder / "validation"
    runner = kept(config.folder / "pieces", InTasks(), code_digest())
    code = code_digest(*_OF_TRADING)
    with Registry(RegistryConfig.of(config.folder)) as registry:
        for one in config.symbols:
            alone = config.model_copy(update={"symbols": (one,)})
            (tape,), beside = recordings(alone, files, console)
            walker = _Walker(alone, tape, beside[one.symbol], walk, runner, code)
            outcome = walker.outcome(console, registry)
            found.append(outcome)
            folder.mkdir(parents=True, exist_ok=True)
            page.write(folder / f"{one.symbol}.html", outcome)
            written = msgspec.json.format(msgspec.json.encode(outcome.as_dict()), indent=1)
            (folder / f"{one.symbol}.json").write_bytes(written + b"\n")
            for line in warnings(outcome):
                console.print(line, soft_wrap=True)
            console.print(table(outcome))
            console.print(f"[dim]{folder / one.symbol}.html, .json[/]\n", soft_wrap=True)
    return found


class _Walker:
    """One symbol's walk."""

    def __init__(
        self,
        config: FloorConfig,
        tape: Tape,
        beside: Beside,
        walk: WalkForwardConfig | int,
        runner: Runner,
        code: str,
    ) -> None:
        self._config, self._runner, self._code = config, runner, code
        self._one, self._features = config.symbol(tape.symbol), config.features_of(tape.symbol)
        whole = build(tape, self._features, config.labels, self._one.every, self._one.costs, beside)
        learnt, _ = known(whole, config.holdout)
        # Nothing of the hold-out goes any further, not even to the tasks.
        end = int(learnt.rows[-1]) + learnt.horizon + 1
        seen = tape.slice(0, end)
        self._market = Market(seen, beside.until(int(seen.times[-1])), learnt, config.labels)
        self._walk = in_thirds(len(learnt), walk) if isinstance(walk, int) else walk
        self._steps = steps_of(learnt, self._walk)

    def outcome(self, console: Console, registry: Registry) -> Outcome:
        """Fit, trade and judge, with a bar."""
        config, symbol = self._config, self._one.symbol
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=32),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("[dim]left[/]"),
            TimeRemainingColumn(elapsed_when_finished=False),
            TextColumn("[dim]{task.fields[now]}"),
        )
        runs: dict[str, list[Run]] = {}
        versions: dict[str, list[str]] = {}
        thresholds = {}
        with Progress(*columns, console=console) as bars:
            bar = bars.add_task(symbol, total=2.0 * len(self._steps), now="")
            for at, step in enumerate(self._steps):
                learnt = self._market.dataset.slice(step.start, step.stop)
                low, high = np.quantile(learnt.volatility, [1.0 / 3.0, 2.0 / 3.0]).tolist()
                thresholds[step.number] = (low, high)

                def follow(what: str, share: float, base: float = 2.0 * at) -> None:
                    bars.update(bar, completed=base + share, now=what)

                jobs = self._fit(step, follow)
                shares = _share(len(jobs))
                for job, done in self._trade(jobs):
                    runs.setdefault(job.name, []).append(done)
                    versions.setdefault(job.name, []).append(job.what)
                    follow(f"{job.name}, traded", 1.0 + next(shares))
            bars.update(bar, completed=2.0 * len(self._steps), now="")
        order = [job.name for job in jobs]
        whole = {name: joined(runs[name]) for name in order}
        self._count(registry, whole, versions)
        figures = registry.trial_figures(symbol)
        return judged(
            symbol,
            whole,
            thresholds,
            max(1.0, self._market.dataset.horizon / self._one.every),
            config.gate,
            registry.trials(symbol),
            np.array([one.figures.get("sharpe", np.nan) for one in figures]),
            columns_of(self._market.dataset, self._steps[-1], config.seed),
            config.seed,
        )

    def _fit(self, step: Step, follow: Callable[[str, float], None]) -> list[_Job]:
        """Fit a step's ensemble; return its variants' desks, saved."""
        config, one, shared = self._config, self._one, self._market
        learnt = shared.dataset.slice(step.start, step.stop)
        until = shared.tape.slice(0, int(shared.dataset.rows[step.first]))
        recorded = Recorded(until, self._features, config.labels, one.every, one.costs)
        fitted = fit_ensemble(learnt, config.ensemble, config.seed, follow, recorded, self._runner)
        folder = config.folder / "steps" / one.symbol
        told = data_digest(shared.dataset)
        jobs = []
        for variant in variants(fitted):
            spec = replace(
                describe(config, one.symbol, Path(), variant.save(folder), Path()), policy="follow"
            )
            what = self._digest(spec, variant.card.version, step, told)
            jobs.append(_Job(variant.name, spec, step, what, f"{what}-{self._code[:16]}"))
        return jobs

    def _digest(self, spec: DeskSpec, version: str, step: Step, told: str) -> str:
        """Stand for everything that a step's run is made of, but for the code."""
        config = self._config
        made = [
            version, told, str(step), str(spec.capital), str(spec.follow),
            config_digest(spec.instrument, spec.features, spec.risk, config.labels),
        ]  # fmt: skip
        tape = self._market.tape
        digest = hashlib.sha256("\n".join(made).encode())
        for values in (tape.times, tape.values, tape.fresh):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()[:32]

    def _trade(self, jobs: Sequence[_Job]) -> Iterator[tuple[_Job, Run]]:
        """Trade each variant in a task, but for those that are kept."""
        folder = self._config.folder / "steps" / "runs"
        shared = ray.put(self._market)
        waiting: dict[Any, _Job] = {}
        for job in jobs:
            found = _read(folder / f"{job.file}.run")
            if found is None:
                waiting[_traded.remote(shared, job.spec, job.step)] = job
            else:
                yield job, found
        try:
            while waiting:
                (done,), _ = ray.wait(list(waiting), num_returns=1)
                job = waiting.pop(done)
                result = ray.get(done)
                _write(folder / f"{job.file}.run", result)
                yield job, result
        finally:
            if waiting:
                ray.wait(list(waiting), num_returns=len(waiting))

    def _count(
        self, registry: Registry, runs: dict[str, Run], versions: dict[str, list[str]]
    ) -> None:
        """Count every variant that was not counted before; say what is known of it."""
        symbol = self._one.symbol
        before = {one.what for one in registry.trial_figures(symbol)}
        for name, ratio in sharpes(runs).items():
            stands = hashlib.sha256("".join(sorted(versions[name])).encode()).hexdigest()[:12]
            what = f"walk-forward {name} {stands}"
            if what not in before:
                number = registry.tried(symbol, what)
                registry.found(symbol, number, {"sharpe": ratio})


@dataclass(frozen=True)
class _Job:
    """A variant to be traded in a step; what stands for that, and for what this code makes of it.

    Other code makes the outcome anew, but is no other trial.
    """

    name: str
    spec: DeskSpec
    step: Step
    what: str
    file: str


_traded: Any = ray.remote(traded)


def _share(count: int) -> Iterator[float]:
    return iter(np.arange(1, count + 1) / count)


def _plain(run: Run) -> dict[str, Any]:
    return {
        name: (value.dtype.str, value.shape, value.tobytes())
        if isinstance(value := getattr(run, name), np.ndarray)
        else value
        for name in Run.__struct_fields__
    }


def _write(path: Path, run: Run) -> None:
    body = msgspec.msgpack.encode(_plain(run))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".new-{os.getpid()}")
    beside.write_bytes(hashlib.sha256(body).digest() + body)
    beside.rename(path)


def _read(path: Path) -> Run | None:
    """Read a run; one that is absent, damaged or cut short is ``None``."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(whole[32:]).digest() != whole[:32]:
        return None
    told: dict[str, Any] = {
        name: np.frombuffer(value[2], value[0]).reshape(value[1])
        if isinstance(value, list)
        else value
        for name, value in msgspec.msgpack.decode(whole[32:]).items()
    }
    return Run(**told)
