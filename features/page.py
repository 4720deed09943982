"""The page that names every column: ``python -m features.page > docs/features-catalogue.md``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from features.catalogue import SETS
from features.column import Need
from features.listing import Row, listed
from features.seednames import ALIASES, TALIB

__all__ = ["page"]

_HEAD = ("column", "in the sets", "formula", "unit", "range", "warm-up", "source")

_MADE_OF: dict[Need, str] = {
    "price": "Of any price: ticks or bars",
    "range": "Of bars, whose high and low differ from the close",
    "volume": "Of bars with volume",
    "sides": "Of bars that say what aggressors bought",
    "trades": "Of trades, or of bars that count them",
    "book": "Of the order book",
    "peer": "Of a second symbol",
}

_INTRODUCTION = """\
# Columns of features

Made from `features/families` by `python -m features.page > docs/features-catalogue.md`.
`features.columns` in a config takes names from here and the names of sets; numbers in a name may be
others than those shown (`rsi_7`). `pregao features ls rsi_7` shows what a name stands for, and
`pregao features audit` holds a configuration's columns against data.

A column is nan until it has seen as many events of its stream (ticks or bars, trades, updates of
the book) as its warm-up says, after every hole in a feed anew, and where what it is made of is
unknown. From then on it is finite and within its range. *r* is the log return of the close, *the
volatility* the root of its exponentially weighted mean square (`features.volatility`). What is
marked with * is told in units of price or volume: a model had better not be given it.
"""


def page() -> str:
    """Return ``docs/features-catalogue.md``: a table of each kind, a row for each column."""
    rows = listed()
    parts = [_INTRODUCTION, _sets()]
    for need, title in _MADE_OF.items():
        lines = "".join(_line(row) for row in rows if row.family.need == need)
        parts.append(f"## {title}\n\n{_line_of(_HEAD)}{_line_of(['---'] * len(_HEAD))}{lines}")
    return "\n".join([*parts, _other_names()])


def _sets() -> str:
    lines = "".join(f"| `{name}` | {len(columns)} |\n" for name, columns in SETS.items())
    core = ", ".join(f"`{name}`" for name in SETS["core"])
    return f"## Sets\n\n| set | columns |\n|---|---|\n{lines}\n`core` is {core}.\n"


def _other_names() -> str:
    rows = [(f"`{name}`", f"`{ours}`") for name, ours in ALIASES.items()]
    rows += [
        (f"`{one.columns}_{name}" + ("_{n}`" if one.window else "`"), f"`{one.name}`")
        for name, one in TALIB.items()
    ]
    lines = "".join(f"| {theirs} | {ours} |\n" for theirs, ours in rows)
    return f"## Names that other systems' configs have\n\n| theirs | ours |\n|---|---|\n{lines}"


def _line(row: Row) -> str:
    return _line_of(
        [
            f"`{row.name}`" + ("" if row.column.scale_free else " *"),
            "; ".join(row.numbers),
            *map(_plain, (row.column.formula, row.column.unit)),
            row.bounds,
            row.known_after,
            _plain(row.family.source),
        ]
    )


def _line_of(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is, between the bars of a table."""
    return re.sub(r"([\\|*_<\[])", r"\\\1", text)


if __name__ == "__main__":
    sys.stdout.write(page())
