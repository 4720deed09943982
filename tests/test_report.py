"""A run's report: whole, self-contained, and the same figures wherever they are told."""

from __future__ import annotations

import io
import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from market.errors import DataError
from tests import report_runs
from trading.record import Record
from trading.report import Terms, measure, plain, summary, write
from trading.report.headline import rows
from trading.report.page import page
from trading.report.viewer import viewer
from validation.verdict import Check, Verdict

NAME = "R_75 & <friends>"


class Balanced(HTMLParser):
    """Raises where a tag is closed that isn't open."""

    EMPTY = ("meta", "img", "source")

    def __init__(self):
        super().__init__()
        self.open = []
        self.pictures = []
        self.text = []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.pictures.append(dict(attrs)["alt"])
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(text):
    reader = Balanced()
    reader.feed(text)
    assert reader.open == []
    return reader


def said(found):
    console = Console(width=80, file=io.StringIO())
    summary(found, console)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def run():
    symbols = ("<R_75>", "R_100")
    return report_runs.record(NAME, symbols, n=1200, edge=0.4)


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write(run, folder, terms=Terms(sample="out of sample", trials=12, notes=("a <note>",)))
    return folder


@pytest.fixture(scope="module")
def found(run):
    terms = Terms(sample="out of sample", trials=12, notes=("a <note>",))
    return measure(run, terms=terms)


def test_every_picture_of_a_full_run_is_there(folder):
    shown = read((folder / "backtest.html").read_text()).pictures
    assert len(shown) == len(set(shown))
    assert set(shown) == {
        "Equity and drawdown",
        "Rolling Sharpe ratio",
        "Exposure",
        "Daily returns",
        "By hour",
        "By weekday",
        "Trades on the price: busiest stretch",
        "Trades on the price: best trade",
        "Trades on the price: worst trade",
        "Distribution of trades",
        "Excursions",
        "Exit reasons",
        "Where the money went",
        "Calibration of what was acted on",
        "By regime",
        "Monte Carlo: trades drawn again",
        "Monte Carlo: trades in another order",
        "Attribution",
        "Slippage by size",
    }


def test_nothing_is_loaded_and_names_are_only_names(folder):
    text = (folder / "backtest.html").read_text()
    assert not re.search(r'(src|href|srcset)="(?!data:)', text)
    assert not re.search(r"https?://|@import|url\(", text)
    assert "R_75 &amp; &lt;friends&gt;" in text
    assert "<friends>" not in text
    assert "<R_75>" not in text
    assert "A &lt;note&gt;." in text
    assert len(text) < 3_000_000


def test_the_page_the_terminal_and_the_json_tell_the_same(folder, found):
    text = "".join(read((folder / "backtest.html").read_text()).text)
    shown = said(found)
    for one in rows(found):
        for words in (one.name, one.figure, one.interval):
            assert words in text, words
            assert words in shown, words
    told = plain.read(folder)
    assert told["pnl"] == pytest.approx(found.pnl, rel=1e-9)
    assert f"{told['returns']['total']['value']:+.2%}" == rows(found)[0].figure
    assert f"{told['trades']['count']:,}" in [one.figure for one in rows(found)]
    sharpe = told["returns"]["annual"]["sharpe"]
    assert f"{sharpe['low']:.2f} to {sharpe['high']:.2f}" in text
    assert max(map(len, shown.splitlines())) <= 80


def test_figures_are_those_of_the_record(run, found):
    own = run.figures()
    assert found.pnl == pytest.approx(own["pnl"])
    assert found.trades.count == own["trades"]
    assert found.trades.win_rate.value == pytest.approx(own["win_rate"])
    assert found.returns.drawdown.value == pytest.approx(own["drawdown"])
    assert found.returns.annual.sharpe.value == pytest.approx(own["sharpe"])
    charges = found.charges
    left = charges.moved - charges.slippage - charges.fees - charges.funding
    assert left == pytest.approx(charges.pnl)
    assert charges.pnl == pytest.approx(found.pnl)
    for parts in (found.sides, found.exits, found.regimes, found.parts):
        assert sum(one.trades for one in parts) == found.trades.count
        assert sum(one.pnl for one in parts) == pytest.approx(found.pnl)
    grown = math.prod(1.0 + one.value for one in found.spans)
    assert grown == pytest.approx(found.equity / found.capital)


def test_long_runs_keep_their_worst_moment():
    """Of more points than are summed up, the drawdown is still that of all."""
    run = report_runs.record(n=30_000, minutes=1, edge=0.1)
    found = measure(run)
    assert found.returns.decisions == 20_000
    assert len(found.path.times) == 20_001
    assert found.returns.drawdown.value == pytest.approx(run.figures()["drawdown"], abs=1e-12)


def held(**given):
    """A run that holds what it is told to, over 300 steps."""
    return report_runs.record(n=300, regimes=0, **given)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (held(positions=np.zeros(300)), "It never traded"),
        (held(positions=np.r_[np.zeros(100), np.ones(20), np.zeros(180)], told=False), "1 trades"),
        (held(positions=np.ones(300)), "1 trades are too few"),
        (report_runs.record(n=2, hold=1), "It never traded"),
        (held(symbols=tuple("ABCDE")), "not told how many"),
    ],
    ids=["no trade", "one trade, nothing said", "always in", "two steps", "five symbols"],
)
def test_what_is_hardly_a_run_is_told_too(run, words):
    found = measure(run)
    shown = said(found)
    assert words in shown
    assert "nan" not in shown
    json.dumps(plain.plain(found), allow_nan=False)


@pytest.mark.parametrize(
    "run",
    [
        held(positions=np.zeros(300)),
        held(positions=np.r_[np.zeros(100), np.ones(20), np.zeros(180)], told=False),
    ],
    ids=["no trade", "one trade, nothing said"],
)
def test_what_is_hardly_a_run_has_a_page(run):
    found = measure(run)
    text = page(run, found)
    shown = read(text)
    assert ">nan" not in text
    assert not {"Calibration of what was acted on", "By regime"} & set(shown.pictures)
    assert ("By hour" in shown.pictures) == (found.trades.count > 0)


def test_a_ruined_account_is_called_so():
    one = report_runs.sleeve(n=300, seed=1, edge=-2.0)
    lost = np.linspace(1000.0, -5.0, 301)
    ruined = type(one)(**{**vars(one), "equity": lost})
    run = Record("ruined", {"R_75": ruined})
    found = measure(run)
    assert any("ruined" in one for one in found.caveats)
    assert found.returns.drawdown.value == 1.0
    assert "lost 1,005.00" in said(found).replace("\n", " ")


def test_caveats_say_what_is_missing():
    run = held(positions=np.zeros(300))
    told = measure(run, terms=Terms(sample="in sample", trials=40)).caveats
    assert any(one.startswith("in sample") for one in told)
    assert any("40 variants" in one for one in told)
    verdict = Verdict(False, "no edge", ("t 0.3",), {"t": 0.3}, (Check("profit", False, "t 0.3"),))
    asked = measure(run, verdict=verdict)
    assert not any("gate" in one for one in asked.caveats)
    assert "The gate: luck explains it." in page(run, asked)
    assert "the gate: no edge" in said(asked)


def test_a_json_that_can_t_be_read_is_told_with_its_remedy(tmp_path):
    with pytest.raises(DataError, match=r"no backtest\.json here"):
        plain.read(tmp_path)
    (tmp_path / "backtest.json").write_text('{"version": 99}')
    with pytest.raises(DataError, match="layout 99, this is 1; run the backtest again"):
        plain.read(tmp_path)
    (tmp_path / "backtest.json").write_text('{"version": ')
    with pytest.raises(DataError, match="run the backtest again"):
        plain.read(tmp_path)


def test_what_the_viewer_draws_is_the_run(run):
    """Steps add up to the times and prices of the record, and every trade is where it was."""
    text = viewer(run)
    told = json.loads(re.search(r'id="viewer-data">(.*?)</script>', text)[1])
    assert [one["name"] for one in told["sleeves"]] == ["<R_75>", "R_100"]
    for shown, own in zip(told["sleeves"], run.sleeves.values(), strict=True):
        times = shown["start"] + np.cumsum(shown["t"])
        assert np.array_equal(times, own.times // 1_000_000)
        assert np.cumsum(shown["p"]) * shown["tick"] == pytest.approx(own.price, rel=1e-4)
        trips = shown["trips"]
        assert len(trips["o"]) == len(own.trips)
        assert np.array_equal(shown["start"] + np.array(trips["c"]), own.trips.closed // 1_000_000)
        assert trips["e"] == pytest.approx(own.trips.entry.tolist(), rel=1e-4)
        assert [told["reasons"][k] for k in trips["r"]] == own.trips.table()["reason"].tolist()
