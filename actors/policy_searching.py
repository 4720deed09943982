"""What `pregao policy search` does: settings of a training tried in Ray Tune, the best written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from actors.cluster import joined
from actors.config import FloorConfig, SymbolConfig
from actors.material import Material, learnable
from actors.replay import chosen
from actors.schooling import home
from envs.tape import DecisionTape
from market.errors import DataError, StateError
from models.registry import Registry, RegistryConfig
from models.registry.lineage import code_digest, config_digest
from policies import lineage
from policies.lineage import tapes_digest
from policies.rllib.search import Task
from policies.rllib.search import search as in_tune
from policies.searching import Book, PolicySearch, Row, drawn, proposal, told
from venues.files import find

__all__ = ["parted", "run"]


def parted(tape: DecisionTape, share: float, gap: int) -> tuple[DecisionTape, DecisionTape]:
    """Cut a tape in two: what is learnt from, and the later share that judges, with a gap between.

    Raises
    ------
    DataError
        Too few decisions for two decisions in each.
    """
    first = int(len(tape) * (1.0 - share))
    if first < 2 or len(tape) - first - gap < 2:
        raise DataError(
            f"{tape.instrument.symbol}: {len(tape)} decisions are too few to keep {share:.0%} of "
            f"them, and a gap of {gap}, to judge by; give more history"
        )
    return tape.slice(0, first), tape.slice(first + gap, len(tape))


def run(
    config: FloorConfig,
    search: PolicySearch,
    data: Path,
    symbols: Sequence[str],
    console: Console,
    version: str = "latest",
) -> None:
    """Search each symbol's training settings on its training span; the hold-out is not looked at.

    What was done is kept: the same search goes on where it broke off. The best is written to
    ``<folder>/policy/<symbol>/search/best.yaml``, a whole configuration.
    """
    models, code = code_digest(), lineage.code_digest()
    files = find(data, symbols or None)
    asked = chosen(config, files)
    with Registry(RegistryConfig.of(asked.folder)) as registry, joined(asked.ray, watched=False):
        for one in asked.symbols:
            found, tape = learnable(asked, one.symbol, files, registry, models, console, version)
            _search(asked, one, found, tape, search, code, registry, console)


def _search(
    config: FloorConfig,
    one: SymbolConfig,
    found: Material,
    tape: DecisionTape,
    search: PolicySearch,
    code: str,
    registry: Registry,
    console: Console,
) -> None:
    """Search one symbol's settings, show what was tried, and write the best."""
    gap = -(-found.made.horizon // found.made.every)
    learnt, later = parted(tape, search.validation, gap)
    made = hashlib.sha256(config_digest(search, config.training, config.seed).encode())
    made.update(f"{tapes_digest([learnt, later])} {code}".encode())
    root = home(config.folder, one.symbol) / "search"
    folder = root / made.hexdigest()[:16]
    for number in range(search.trials):
        proposal(config.training, drawn(search, config.seed, number))  # refuse what can't be
    task = Task(search, config.training, learnt, later, config.seed, folder)
    book = Book(folder / "book.jsonl", search)
    version = found.entry.version

    def counted(number: int) -> int:
        changed = told(drawn(search, config.seed, number))
        return registry.tried(one.symbol, f"{version} by ppo, searched: {changed}", registered=True)

    with _bar(one.symbol, search, console) as watch:
        watch(book)
        in_tune(task, book, counted, watch)
    console.print(_leaderboard(one.symbol, search, config.seed, book, len(later)))
    best = book.best
    if best is None:
        raise StateError(f"{one.symbol}: no trial came to its end; see the reasons above")
    path = _written(config, one, search, best, root)
    if best.low <= 0.0:
        console.print("the best earned nothing surely, even on the span it was chosen by")
    console.print(
        f"{search.trials} trials, all counted, {registry.trials(one.symbol)} on {one.symbol} in "
        f"all; the best of so many looks better than it is\n[dim]pregao policy train "
        f"{escape(str(path))} --data FOLDER[/]",
        soft_wrap=True,
    )


def _leaderboard(symbol: str, search: PolicySearch, seed: int, book: Book, decisions: int) -> Table:
    """Return every trial by how far it came and how well it did."""
    table = Table(
        title=f"[bold]{symbol}[/] judged on the last {search.validation:.0%} of the training span, "
        f"{decisions:,} decisions\nmean log return per decision after costs, thousandths of what "
        "the largest position moves by",
        title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for name in ("trial", "score", "95 %", "steps", "came to"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("settings", overflow="fold")
    rows = [row for n in range(search.trials) if (row := book.last(n)) is not None]
    rows.sort(key=lambda row: (row.state == "failed", -row.rung, -row.score))
    for row in rows:
        changed = escape(told(drawn(search, seed, row.number)))
        known = row.state != "failed"
        colour = "green" if row.low > 0.0 else "red" if row.high < 0.0 else "default"
        table.add_row(
            str(row.number),
            f"{1e3 * row.score:+.2f}" if known else "",
            f"[{colour}]{1e3 * row.low:+.2f} … {1e3 * row.high:+.2f}[/]" if known else "",
            f"{row.steps:,}",
            row.state,
            changed if known else f"[red]{escape(row.reason)}[/] {changed}",
        )
    return table


def _written(
    config: FloorConfig, one: SymbolConfig, search: PolicySearch, best: Row, root: Path
) -> Path:
    """Write the configuration with the best settings; return its path."""
    training = proposal(config.training, drawn(search, config.seed, best.number))
    own = config.model_copy(update={"symbols": (one,)})
    plain = own.model_dump(mode="json", exclude_unset=True)
    plain["training"] = training.model_dump(mode="json")
    path = root / "best.yaml"
    scratch = path.with_suffix(".new")
    head = (
        f"# The best of {search.trials} trials; what it is worth, the gate says on the hold-out.\n"
    )
    scratch.write_text(head + yaml.safe_dump(plain, sort_keys=False), encoding="utf-8")
    scratch.replace(path)
    return path


@contextmanager
def _bar(symbol: str, search: PolicySearch, console: Console) -> Iterator[Callable[[Book], None]]:
    """Show how many trials have ended, and the best so far."""
    columns = (
        SpinnerColumn(), TextColumn("{task.description:<12}"), BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f} of {task.total:.0f} trials"), TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[now]}"),
    )  # fmt: skip
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(symbol, total=search.trials, now="")

        def watch(book: Book) -> None:
            best = book.best
            now = "" if best is None else f"best {1e3 * best.score:+.2f}: trial {best.number}"
            ended = sum(map(book.ended, range(search.trials)))
            bars.update(bar, completed=ended, now=now)

        yield watch
