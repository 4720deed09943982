"""``pregao features``, and the page made of the same words."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from features.catalogue import FAMILIES, SETS
from features.listing import ls
from features.page import page
from tests.data_commands import pregao

ROOT = Path(__file__).resolve().parents[1]


def test_the_page_is_what_the_families_say() -> None:
    written = (ROOT / "docs" / "features-catalogue.md").read_text()
    assert written == page(), "python -m features.page > docs/features-catalogue.md"


def test_the_page_names_every_column_and_set_and_its_tables_are_tables() -> None:
    text = page()
    for family in FAMILIES:
        for column in family.columns:
            assert text.count(f"\n| `{column.name}`") == 1, column.name
    for name, columns in SETS.items():
        assert f"| `{name}` | {len(columns)} |" in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (3, 8), line


def test_all_columns_are_listed_or_those_asked_for() -> None:
    code, said = pregao("features", "ls")
    assert code == 0
    templates = sum(len(family.columns) for family in FAMILIES)
    assert f"columns: {templates}, families: {len(FAMILIES)}" in said
    assert "sets: core, ticks" in said
    code, said = pregao("features", "ls", "close_RSI_7", "flow", "--need", "price")
    assert code == 0
    assert "rsi_7" in said
    assert "TA-Lib RSI" in said
    assert "columns: 1, families: 1" in said


def test_names_can_be_copied_from_a_terminal_of_80() -> None:
    told = StringIO()
    assert ls((), (), Console(file=told, width=80)) == 0
    lines = told.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    for family in FAMILIES:
        for column in family.columns:
            assert any(line.startswith(f" {column.name} ") for line in lines), column.name


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rsi_fourteen",), "error no column 'rsi_fourteen'; did you mean rsi_{n}?"),
        (("rsi_0",), "error n of rsi_{n} must be"),
        (("--need", "luck"), "error need must be price, range, volume, sides, trades, book, peer"),
    ],
)
def test_what_is_not_there_is_told(arguments: tuple[str, ...], told: str) -> None:
    code, said = pregao("features", "ls", *arguments)
    assert code == 1
    assert told in said
