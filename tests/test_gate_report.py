"""The gate's report: whole, self-contained, and what it draws is what happened."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from validation import charts
from validation.evidence import Champion, Evidence
from validation.gate import GateConfig, judge
from validation.report import page, write
from validation.verdict import Verdict


def run(n: int = 2400, gain: float = 0.0) -> Evidence:
    rng = np.random.default_rng(2)
    market = rng.normal(0.0, 1e-4, n)
    exposures = np.sign(np.repeat(rng.normal(size=n // 8), 8) + gain * market / 1e-4)
    told = rng.dirichlet((9.0, 9.0, 9.0), n)
    labels = rng.integers(0, 3, n)
    net = exposures * market
    return Evidence(
        net_returns=net,
        exposures=exposures,
        market=market,
        trades=n // 16,
        costs=0.0,
        log_loss=-np.log(told[np.arange(n), labels]),
        base_log_loss=np.full(n, np.log(3.0)),
        probabilities=told,
        labels=labels,
        champion=Champion("<three>", net - 1e-6, np.full(n, np.log(3.0))),
    )


def ruling(given: Evidence) -> Verdict:
    return judge(given, GateConfig(), np.random.default_rng(0))


class Balanced(HTMLParser):
    """Raises where a tag is closed that isn't open."""

    EMPTY = ("meta", "img")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


GIVEN = run()
VERDICT = ruling(GIVEN)
PAGE = page(GIVEN, VERDICT, "R_75 & <friends>")


def test_every_check_and_figure_is_told() -> None:
    reader = Balanced()
    reader.feed(PAGE)
    assert reader.open == []
    for check in VERDICT.checks:
        assert f">{check.name}</td>" in PAGE
    assert PAGE.count("✗") == sum(not check.passed for check in VERDICT.checks) > 0
    assert PAGE.count("✓") == sum(check.passed for check in VERDICT.checks) > 0
    assert PAGE.count("<dt>") == len(VERDICT.figures)
    assert '<p class="word">no edge</p>' in PAGE
    assert "R_75 &amp; &lt;friends&gt;" in PAGE
    assert "Against &lt;three&gt;" in PAGE


def test_nothing_is_loaded_from_anywhere() -> None:
    assert not re.search(r'(src|href)="(?!data:)', PAGE)
    assert "url(" not in PAGE.split("</style>")[0]
    assert "<script" not in PAGE


def test_pictures_are_sound_and_the_same_every_time(tmp_path: Path) -> None:
    pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', PAGE)
    assert len(pictures) == 6
    for one in pictures:
        assert ElementTree.fromstring(base64.b64decode(one)).tag.endswith("svg")
    write(tmp_path / "gate.html", GIVEN, VERDICT, "R_75 & <friends>")
    assert (tmp_path / "gate.html").read_text(encoding="utf-8") == PAGE


def test_what_isn_t_there_isn_t_drawn() -> None:
    bare = replace(GIVEN, probabilities=None, labels=None, champion=None)
    told = page(bare, ruling(bare))
    assert told.count("<img") == 4
    assert "Reliability" not in told


@pytest.mark.parametrize("n", [0, 1, 800])
def test_too_little_is_told_too(n: int) -> None:
    few = slice(0, n)
    given = replace(
        GIVEN,
        net_returns=GIVEN.net_returns[few],
        exposures=GIVEN.exposures[few],
        market=GIVEN.market[few],
        log_loss=GIVEN.log_loss[few],
        base_log_loss=GIVEN.base_log_loss[few],
        champion=None,
        probabilities=GIVEN.probabilities[few],
        labels=GIVEN.labels[few],
    )
    told = page(given, ruling(given))
    assert '<p class="word">inconclusive</p>' in told
    assert told.count("<img") == {0: 0, 1: 1, 800: 3}[n]


def test_a_run_that_never_traded_is_equity_and_reliability() -> None:
    """No spread, no drawdown, no gain: nothing to scale an axis by, so the rest is left out."""
    nothing = np.zeros(2400)
    given = replace(GIVEN, net_returns=nothing, exposures=nothing, champion=None)
    told = page(given, ruling(given), notes=("looked at <twice>",))
    assert told.count("<img") == 2
    assert '<p class="note">Looked at &lt;twice&gt;.</p>' in told
    assert charts.shifted(given)
    assert charts.blocks(given, 50, 0.0, 2.3)
    assert charts.drawdown(given, 0.25)


def test_shifts_are_what_shifting_gives() -> None:
    given = run(240)
    gains = charts.shifts(given.exposures, given.market)
    for k in (0, 1, 17, 239):
        assert gains[k] == pytest.approx(np.roll(given.exposures, k) @ given.market, abs=1e-15)
