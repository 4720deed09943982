"""What `pregao search` does: trials in Ray Tune, and the best of them as a configuration."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import TypeVar

import yaml
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from actors.cluster import joined
from actors.config import FloorConfig
from actors.recordings import recordings
from actors.replay import chosen
from actors.training import InTasks
from features.config import FeatureConfig
from features.labels import LabelConfig
from market.beside import Beside
from market.config import Config
from market.errors import ConfigError
from market.tape import Tape
from models.fitting.keeping import kept, prune
from models.registry import Registry, RegistryConfig
from models.registry.lineage import code_digest, config_digest, data_digest
from models.search.config import SearchConfig
from models.search.leaderboard import leaderboard, worth
from models.search.material import Material
from models.search.nested import Found, nested
from models.search.search import Search
from models.search.tuning import in_tune
from venues.files import find

__all__ = ["found_in", "run", "written"]

FloorT = TypeVar("FloorT", bound=FloorConfig)


def run(
    config: FloorConfig,
    search: SearchConfig,
    data: Path,
    symbols: Sequence[str],
    console: Console,
) -> None:
    """Search on each recording's training span; the hold-out is not looked at.

    What was done is kept: the same search goes on where it broke off. The best is written to
    ``<folder>/search/<symbol>.yaml``, a whole configuration, which ``pregao train`` takes.

    Parameters
    ----------
    config
        The floor's.
    search
        What is searched, and for how long. The time is shared by the symbols.
    data
        Folder of recordings, or a tick store.
    symbols
        Which of them; all that the floor knows if left out.

    Raises
    ------
    ConfigError
        The floor's ensemble learns from made-up markets, which a search has none of.
    """
    if config.ensemble.augment is not None:
        raise ConfigError("a search makes up no markets; leave it out", key="ensemble.augment")
    code = code_digest()
    files = find(data, symbols or None)
    asked = chosen(config, files)
    each = search.model_copy(update={"seconds": search.seconds / len(asked.symbols)})
    with Registry(RegistryConfig.of(asked.folder)) as registry, joined(asked.ray, watched=False):
        for one in asked.symbols:
            alone = asked.model_copy(update={"symbols": (one,)})
            (tape,), beside = recordings(_widest(alone, each), files, console)
            found = found_in(alone, each, tape, beside[one.symbol], code, registry, console)
            path = written(alone, each, found)
            _tell(one.symbol, each, found, path, console)
            prune(path.parent / one.symbol / "pieces")


def found_in(
    config: FloorConfig,
    search: SearchConfig,
    tape: Tape,
    beside: Beside,
    code: str,
    registry: Registry,
    console: Console,
) -> Found:
    """Search on one symbol's recording; Ray must be started."""
    (one,) = config.symbols
    material = Material.of(
        tape, _features(config, search), _labels(config, search), one.every, one.costs, beside
    ).known(config.holdout)
    digest = hashlib.sha256(config_digest(search, config.ensemble, config.seed).encode())
    digest.update(code.encode())
    for columns, labels in enumerate(material.labels):
        for number in range(len(labels)):
            digest.update(data_digest(material.dataset(columns, number)).encode())
    folder = config.folder / "search" / one.symbol / digest.hexdigest()[:16]
    with _bar(search, one.symbol, console) as watch:
        return nested(
            material, search, config.ensemble, config.seed, folder, code, registry,
            time.monotonic, watch, in_tune, kept(folder.parent / "pieces", InTasks(), code),
        )  # fmt: skip


def written(config: FloorConfig, search: SearchConfig, found: Found) -> Path:
    """Write the configuration with what was found in it; return its path."""
    (one,) = config.symbols
    proposal = found.best.proposal
    path = config.folder / "search" / f"{one.symbol}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    own = config.model_copy(update={"symbols": (one.model_copy(update={"features": None}),)})
    plain = own.model_dump(mode="json", exclude_unset=True) | {
        "features": _features(config, search)[proposal.columns].model_dump(mode="json"),
        "labels": _labels(config, search)[proposal.labels].model_dump(mode="json"),
        "ensemble": proposal.ensemble(config.ensemble, search).model_dump(mode="json"),
    }
    head = (
        f"# The best of {found.trials} trials; what it is worth, the gate says on the hold-out.\n"
    )
    beside = path.with_suffix(".new")
    beside.write_text(head + yaml.safe_dump(plain, sort_keys=False), encoding="utf-8")
    beside.rename(path)
    return path


def _features(config: FloorConfig, search: SearchConfig) -> tuple[FeatureConfig, ...]:
    own = config.features_of(config.symbols[0].symbol)
    return tuple(_with(own, {"columns": one}) for one in search.columns) or (own,)


def _labels(config: FloorConfig, search: SearchConfig) -> tuple[LabelConfig, ...]:
    return search.labels or (config.labels,)


def _widest(config: FloorConfig, search: SearchConfig) -> FloorConfig:
    """Return the floor with all columns of the search, so that what they need is read."""
    (one,) = config.symbols
    every = [name for features in _features(config, search) for name in features.columns]
    columns = tuple(dict.fromkeys(every))
    features = _with(config.features_of(one.symbol), {"columns": columns})
    return config.model_copy(update={"symbols": (one.model_copy(update={"features": features}),)})


ConfigT = TypeVar("ConfigT", bound=Config)


def _with(config: ConfigT, changed: dict[str, object]) -> ConfigT:
    given = {name: getattr(config, name) for name in type(config).model_fields}
    return type(config).model_validate(given | changed)


@contextmanager
def _bar(
    search: SearchConfig, symbol: str, console: Console
) -> Iterator[Callable[[str, Search], None]]:
    """Show how far each search is, by trials or by time, and the best so far."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[now]}"),
    )
    with Progress(*columns, console=console) as bars:
        shown: dict[str, TaskID] = {}

        def watch(name: str, one: Search) -> None:
            rows = one.book.rows
            ended = sum(row.state != "running" for row in rows)
            share = ended / search.most
            if one.limit < inf:
                share = max(share, one.spent / max(one.limit, 1e-9))
            now = f"{ended} trials"
            if (best := one.best) is not None and best.outcome is not None:
                now += f"; best {best.outcome.score:+.3g}: {escape(best.proposal.kind)}"
            if name not in shown:
                shown[name] = bars.add_task(f"{symbol} {name}", total=1.0, now=now)
            bars.update(shown[name], completed=min(1.0, share), now=now)

        yield watch


def _tell(symbol: str, search: SearchConfig, found: Found, path: Path, console: Console) -> None:
    console.print(leaderboard(symbol, search, found))
    if found.steps:
        console.print(worth(search, found.steps))
    outcome = found.best.outcome
    if outcome is not None and outcome.low <= 0.0:
        console.print("nothing was surely better than class frequencies, even inside")
    console.print(
        f"{found.trials} trials on {symbol}, all counted; the best of the final search is in "
        f"{path}: `pregao train {path} --data …`, then `pregao gate`"
    )
