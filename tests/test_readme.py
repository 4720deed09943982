"""What the documents point at is there, and is what they call it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from actors.config import FloorConfig
from pregao import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("dashboards/*.md")])
LINK = re.compile(r"!?\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")
NAME = re.compile(r"`(?P<name>[A-Za-z_][\w.]*)`")
COMMANDS = re.compile(r"\bpregao (config|data|features|models|policy) ([a-z]+)")


def links(page: Path) -> list[tuple[str, str]]:
    found = [(match["text"], match["target"]) for match in LINK.finditer(page.read_text())]
    return [(text, target) for text, target in found if "://" not in target]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_group_exists(page: Path) -> None:
    groups = {
        str(group.name): {
            one.name or one.callback.__name__
            for one in group.typer_instance.registered_commands
            if one.callback
        }
        for group in app.registered_groups
        if group.typer_instance
    }
    absent = [
        (group, name)
        for group, name in COMMANDS.findall(page.read_text())
        if name not in groups[group]
    ]
    assert absent == []


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
    known = {one.name or one.callback.__name__ for one in app.registered_commands if one.callback}
    known |= {str(group.name) for group in app.registered_groups}
    shown = set(re.findall(r"^(?:\.venv/bin/)?pregao ([a-z]+)", text, re.M))
    assert shown >= {"replay", "backtest", "policy"}
    assert shown <= known


@pytest.mark.parametrize("name", ["README.md", "docs/features.md", "docs/labels.md"])
def test_settings_that_are_shown_are_settings(name: str) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / name).read_text(), re.M | re.S)
    alike = [
        part for one in blocks for part in (one.splitlines() if one.count("labels:") > 1 else [one])
    ]
    assert alike
    for shown in alike:
        FloorConfig.model_validate(
            {"symbols": [{"symbol": "R_75", "interval": 2.0}], **yaml.safe_load(shown)}
        )


PROGRAM = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?", re.M | re.S)
PROGRAMS = [
    pytest.param(code, prints, id=f"{page.name}-{i}")
    for page in PAGES
    if page.name != "CONTRIBUTING.md"
    for i, (code, prints) in enumerate(PROGRAM.findall(page.read_text()))
]


@pytest.mark.parametrize(("code", "prints"), PROGRAMS)
def test_every_program_a_page_shows_runs_and_prints_what_it_says(code: str, prints: str) -> None:
    done = python("-W", "error", "-c", code)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    if prints:
        assert done.stdout == prints
    else:
        assert "filled" in done.stdout


def test_the_pages_show_programs() -> None:
    shown = {str(param.id).split(".md")[0] for param in PROGRAMS}
    assert shown >= {"features", "labels", "registry", "venues"}


def test_the_feature_that_contributing_adds_passes_the_test_it_comes_with(tmp_path: Path) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    files = dict(re.findall(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```", text, re.M | re.S))
    assert sorted(files) == ["features/families/power.py", "tests/test_power_columns.py"]
    for path, code in files.items():
        (tmp_path / Path(path).name).write_text(code)
    (tmp_path / "conftest.py").write_text(
        f"import features.families\nfeatures.families.__path__.append({str(tmp_path)!r})\n"
    )
    where = f"--rootdir={ROOT}", f"--config-file={ROOT / 'pyproject.toml'}"
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", *where, str(tmp_path))
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the checkout's root."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120,
        check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
