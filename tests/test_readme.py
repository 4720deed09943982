"""What the documents point at is there, and is what they call it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("dashboards/*.md")])
LINK = re.compile(r"!?\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")
NAME = re.compile(r"`(?P<name>[A-Za-z_][\w.]*)`")


def links(page: Path) -> list[tuple[str, str]]:
    found = [(match["text"], match["target"]) for match in LINK.finditer(page.read_text())]
    return [(text, target) for text, target in found if "://" not in target]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [
        target for _, target in links(page) if not (page.parent / target.split("#")[0]).exists()
    ]
    assert broken == []


def test_the_life_of_a_tick_names_what_is_in_the_files_it_links_to() -> None:
    text = (ROOT / "README.md").read_text()
    life = text[text.index("## The life of a tick") : text.index("## The rooms")]
    named = [
        (match["name"].split("."), target)
        for label, target in LINK.findall(life)
        if (match := NAME.fullmatch(label)) and target.endswith(".py")
    ]
    assert len(named) >= 10
    absent = [
        (".".join(parts), target)
        for parts, target in named
        for part in parts
        if not re.search(rf"^\s*(async )?(def|class) {part}\b", (ROOT / target).read_text(), re.M)
    ]
    assert absent == []


def test_every_command_the_readme_shows_exists() -> None:
    text = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"\bmake ([a-z]+)", text))
    assert {"setup", "demo"} <= targets
    assert [one for one in targets if not re.search(rf"^{one}:", makefile, re.M)] == []
    commands = set(re.findall(r"pregao ([a-z]+)", text)) & set(
        re.findall(r"^def ([a-z]+)\(", (ROOT / "pregao.py").read_text(), re.M)
    )
    assert {"replay", "backtest"} <= commands


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_program_a_page_shows_runs(page: Path) -> None:
    programs = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)
    assert bool(programs) == (page.name == "venues.md")
    for program in programs:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True,
            text=True, timeout=60, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert "filled" in done.stdout
