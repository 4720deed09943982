"""What a search found, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from models.search.book import Outcome, Row
from models.search.config import SearchConfig
from models.search.nested import Found, Step

__all__ = ["leaderboard", "worth"]

_UNITS = {
    "information": "information, nats per 1,000 events",
    "direction": "information about the direction, nats per 1,000 events",
    "traded": "log return after costs per 1,000 events",
}


def leaderboard(symbol: str, search: SearchConfig, found: Found) -> Table:
    """Return the best trial of each family and combination, the best first."""
    title = (
        f"[bold]{symbol}[/] final search: {len(found.rows)} trials\n"
        f"inner: {_UNITS[search.judged_by]}, by purged folds of the training span"
    )
    table = _sheet(title)
    table.add_column("family", overflow="fold")
    for name in ("inner", "95 % interval", "done", "s"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("best settings", overflow="fold")
    families = [tuple(_of(found.rows, kind)) for kind in _kinds(found.rows)]
    families.sort(key=lambda rows: -max(map(_score, rows)))
    for rows in families:
        best = max(rows, key=_score)
        done = sum(row.state == "done" for row in rows)
        told = escape(best.proposal.told(search)).removeprefix(best.proposal.kind).lstrip(" ;")
        if best.reason:
            told = f"[red]{escape(best.reason)}[/]"
        name = escape(best.proposal.kind)
        table.add_row(
            f"[bold]{name}[/]" if found.best in rows else name,
            *_told(best.outcome),
            f"{done} of {len(rows)}",
            f"{sum(row.seconds for row in rows):.0f}",
            told,
        )
    return table


def worth(search: SearchConfig, steps: Sequence[Step]) -> Table:
    """Return what each judged search thought of its answer, and what that was worth."""
    table = _sheet("what the search is worth: its answer on steps that it had not seen")
    for name in ("step", "trials", "inner", "95 % interval", "behind", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("chosen", overflow="fold")
    for number, step in enumerate(steps, start=1):
        told = escape(step.best.proposal.told(search))
        figures = *_told(step.best.outcome), *_told(step.worth)
        table.add_row(str(number), str(step.trials), *figures, told)
    return table


def _kinds(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row.proposal.kind for row in rows))


def _of(rows: Iterable[Row], kind: str) -> Iterable[Row]:
    return (row for row in rows if row.proposal.kind == kind)


def _score(row: Row) -> float:
    return float("-inf") if row.outcome is None else row.outcome.score


def _told(one: Outcome | None) -> tuple[str, str]:
    if one is None:
        return "", ""
    mean, low, high = (round(value, 6) + 0.0 for value in (one.score, one.low, one.high))
    colour = "green" if low > 0.0 else "red" if high < 0.0 else "default"
    return f"{mean:+.3g}", f"[{colour}]{low:+.3g} … {high:+.3g}[/]"


def _sheet(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
