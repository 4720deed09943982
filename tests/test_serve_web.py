"""The built page: what is committed is what the sources build, and it needs nobody else."""

import hashlib
import json
import re

import pytest

from market.errors import StateError
from serve import page
from serve.ensembles import Ensembles
from tests.serve_floor import HeldSource, Server, floor

WEB = page.DIST.parent
SINGLE = ("docs.html", "index.html", "package-lock.json", "tsconfig.json", "vite.config.ts")
HTML = ("index.html", "docs.html")


@pytest.fixture(scope="module")
def server():
    with Server(HeldSource(floor()), Ensembles({})) as running:
        yield running


def test_the_build_is_that_of_the_sources():
    folders = [path for name in ("public", "src") for path in (WEB / name).rglob("*")]
    names = [path.relative_to(WEB).as_posix() for path in folders if path.is_file()]
    total = hashlib.sha256()
    for name in sorted([*SINGLE, *names]):
        total.update(name.encode() + b"\0" + (WEB / name).read_bytes() + b"\0")
    recorded = (page.DIST / "sources.sha256").read_text().strip()
    assert total.hexdigest() == recorded, "run `npm ci && npm run build` in serve/web"


@pytest.mark.parametrize("name", HTML)
def test_all_a_page_loads_is_here(server, name):
    path = {"index.html": "/", "docs.html": "/docs"}[name]
    status, headers, text = server.call("GET", path)
    assert (status, headers["cache-control"]) == (200, "no-cache")
    assert text == (page.DIST / name).read_text(encoding="utf-8")
    loads = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(loads) > 2
    for load in loads:
        assert load.startswith("/"), load
        status, headers, _ = server.call("GET", load)
        assert status == 200, load
        if load.startswith("/assets/"):
            assert "immutable" in headers["cache-control"]


def test_scripts_run_from_this_server_alone(server):
    policy = server.call("GET", "/")[1]["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert (rules["script-src"], rules["connect-src"]) == ("'self'", "'self'")
    assert rules["default-src"] == "'none'"
    for name in HTML:
        inline = re.findall(r"<script(?![^>]*src=)|<style|\son\w+=", (page.DIST / name).read_text())
        assert inline == []


def test_no_style_loads_from_elsewhere():
    for style in page.DIST.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert "@import" not in text
        assert "url(" not in text


def test_the_build_is_small():
    assert sum(path.stat().st_size for path in page.DIST.rglob("*")) < 600_000


def test_the_lock_names_versions_and_no_hosts():
    lock = json.loads((WEB / "package-lock.json").read_text())
    assert all("resolved" not in entry for entry in lock["packages"].values())
    wanted = json.loads((WEB / "package.json").read_text())
    for versions in (wanted["dependencies"], wanted["devDependencies"]):
        for name, version in versions.items():
            assert lock["packages"][f"node_modules/{name}"]["version"] == version


def test_a_missing_build_says_how_to_make_it(tmp_path):
    with pytest.raises(StateError, match="npm run build"):
        page.mount(None, tmp_path)
