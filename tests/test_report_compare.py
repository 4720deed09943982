"""Runs side by side: the same run differs by nothing, a better one by what it made."""

from __future__ import annotations

import io
import json
import math
import re

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from commands.compare import app
from market.errors import DataError
from tests.report_runs import record
from trading.record import Record
from trading.report import compared, measure, plain
from trading.report.comparing import compare, read


@pytest.fixture(scope="module")
def good():
    return measure(record("good & <best>", n=1500, edge=0.6))


@pytest.fixture(scope="module")
def bad():
    return measure(record("bad", n=1500, edge=-0.3))


@pytest.fixture(scope="module")
def never():
    return measure(record("never", n=1500, positions=np.zeros(1500)))


@pytest.fixture(scope="module")
def folders(good, bad, never, tmp_path_factory):
    found = []
    for one in (good, bad, never):
        folder = tmp_path_factory.mktemp("run")
        plain.write(one, folder / plain.NAME)
        found.append(folder)
    return found


def said(found):
    console = Console(width=80, file=io.StringIO())
    compared.show(found, console)
    return console.file.getvalue()


def test_a_run_beside_itself_differs_by_nothing(good):
    found = compare({"one": good, "two": good})
    (difference,) = found.differences
    assert (difference.gain.value, difference.gain.low, difference.gain.high) == (0.0, 0.0, 0.0)
    assert not difference.sure
    assert np.allclose(found.correlation, 1.0)
    assert "the same" in said(found)
    assert compared.page(found).count("✓") == 1  # in what is said of it


def test_a_difference_is_that_of_the_log_returns(good, bad):
    found = compare({"bad": bad, "good": good})
    (difference,) = found.differences
    grown = [math.log(one.equity / one.capital) for one in (good, bad)]
    assert difference.gain.value == pytest.approx(grown[0] - grown[1])
    assert difference.gain.low < difference.gain.value < difference.gain.high
    assert difference.sure
    assert "more than luck" in said(found)
    assert found.runs[1].total.value == good.returns.total.value


def test_only_the_time_that_runs_share_is_compared(good):
    """A run that began later, and decided half as often, is compared from its beginning on."""
    whole = record("whole", n=1500, edge=0.6)
    one = whole.sleeves["R_75"]
    at = np.arange(500, 1501, 2)
    cut = {name: getattr(one, name)[at] for name in ("times", "price", "equity", "units")}
    cut |= {
        name: getattr(one, name)[at[:-1]]
        for name in ("exposure", "probabilities", "regime", "volatility")
    }
    late = measure(Record("late", {"R_75": type(one)(**{**vars(one), **cut})}))
    found = compare({"whole": good, "late": late})
    assert (found.begin, found.end) == (int(one.times[500]), int(one.times[-1]))
    assert len(found.times) == 1001
    assert found.differences[0].gain.value == pytest.approx(0.0, abs=1e-9)


def test_a_run_that_never_traded_has_no_correlation(never, good):
    found = compare({"good": good, "never": never})
    assert math.isnan(found.correlation[0][1])
    assert "nan" not in said(found)
    assert ">nan" not in compared.page(found)
    assert found.differences[0].gain.value == pytest.approx(-math.log(good.equity / good.capital))


def test_runs_that_share_no_time_are_refused(good):
    later = plain.plain(good)
    path = later["path"]
    later["path"] = {**path, "times": [time + 10**18 for time in path["times"]]}
    with pytest.raises(DataError, match="one, two share no time"):
        compare({"one": good, "two": later})
    with pytest.raises(DataError, match="two runs or more, got 1"):
        compare({"one": good})


def test_the_command_reads_folders_and_writes_a_page(folders, tmp_path):
    ran = CliRunner().invoke(app, [*map(str, folders), "--out", str(tmp_path / "out")])
    assert ran.exit_code == 0, ran.output
    text = (tmp_path / "out" / "comparison.html").read_text()
    assert "good &amp; &lt;best&gt;" in text
    assert "<best>" not in text
    assert not re.search(r'(src|href|srcset)="(?!data:)|https?://', text)
    told = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert [one["name"] for one in told["runs"]] == ["good & <best>", "bad", "never"]
    gain = told["differences"][0]["gain"]
    assert f"{gain['value']:+.2%}" in text
    assert max(map(len, said(compare(read(folders))).splitlines())) <= 80


def test_runs_of_one_name_are_told_apart_by_their_folders(folders, tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / plain.NAME).write_bytes((folders[1] / plain.NAME).read_bytes())
    assert list(read([folders[1], tmp_path / "copy"])) == [f"bad ({folders[1].name})", "bad (copy)"]
