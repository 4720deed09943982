"""What is known of a run's robustness, as its page tells it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from msgspec.structs import replace

from tests.report_runs import record
from tests.robustness_cases import following, rerunner, walk
from trading.report import measure, plain
from trading.report import tested as sections
from trading.robustness.variation import Variation
from trading.robustness.whole import Plan, Robustness, examine


@pytest.fixture(scope="module")
def found():
    tapes = {"A": walk(700, 3)[0]}
    rerun = rerunner(tapes, lambda tape, lookback=5.0: following(tape, int(lookback)))
    plan = Plan(
        samples=50, markets=2, costs=(0.0, 1.0), slippage=(0.0, 1.0), moments=1,
        parameters={"lookback": (3.0, 5.0, 9.0)},
    )  # fmt: skip
    return examine(
        rerun(Variation()), np.random.default_rng(0), rerun=rerun, tapes=tapes, plan=plan
    )


def heading(section):
    return re.search("<h2>(.*?)</h2>", section)[1]


def test_all_that_was_asked_is_shown(found):
    assert found.missing == ()
    shown = list(sections.tested(found))
    assert [heading(one) for one in shown] == [
        "Monte Carlo: trades drawn again",
        "Monte Carlo: trades in another order",
        "Monte Carlo: other markets",
        "Attribution",
        "Costs and slippage",
        "Slippage by size",
        "Sensitivity to lookback",
        "Choosing the best",
        "Stress",
        "Stress scenarios",
    ]
    table = shown[-1]
    for one in (found.stress.base, *found.stress.ordeals):
        assert f"<td>{one.name.replace('_', ' ')}</td>" in table
    assert f"{found.trades.samples:,} paths" in shown[0]


def test_a_map_of_two_parameters_is_drawn(found):
    one = found.sensitivity[0]
    wide = replace(
        one,
        parameters=("slow", "fast"),
        values=((3.0, 5.0, 9.0), (1.0, 2.0)),
        sharpe=((1.0, -2.0), (0.5, 3.0), (0.0, float("nan"))),
        best=(1, 1),
    )
    (shown,) = sections.tested(Robustness("x", sensitivity=(wide,)))
    assert heading(shown) == "Sensitivity to slow and fast"


def test_what_was_not_asked_is_not_shown():
    assert list(sections.tested(Robustness("none"))) == []
    said = "".join(sections.tested(Robustness("none", missing=("scenarios: <no tape>",))))
    assert "Scenarios: &lt;no tape&gt;." in said


def test_the_json_holds_it_too(found):
    run = record(n=300)
    told = plain.plain(measure(run, found))["robustness"]
    assert told["stress"]["base"]["pnl"] == found.stress.base.pnl
    assert len(told["shocks"]["cells"]) == 4
