"""The gate's benchmark, small: what it measures with is right, and its answers are as promised."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._gate_markets import bouncing, foretelling, null, optimum, planted
from benchmarks._gate_pipeline import follow, outcome
from envs.planted import OPTIMUM
from envs.tape import DecisionTape
from market.execution import Costs
from market.instruments import Instrument
from policies.baselines import Follow
from policies.evaluate import evaluate


@pytest.mark.parametrize(
    "known", [one for one in OPTIMUM if one[2] > 0.0 and one[1] <= 0.98], ids=str
)
def test_the_optimum_is_the_published_one(known: tuple[float, float, float]) -> None:
    ic, rho, cost = known
    gain, sharpe = optimum(ic, rho, cost)
    assert gain == pytest.approx(OPTIMUM[known], rel=0.01)
    assert sharpe >= gain  # out of the market now and then, it risks less than one deviation


def test_an_edge_of_six_takes_what_the_facts_say() -> None:
    _, sharpe = optimum()
    assert (6.0 / sharpe) ** 2 == pytest.approx(35_700, rel=0.01)


def test_the_rule_is_the_simulator_s() -> None:
    """Position, fills, costs and returns of a forecast are those of the policy in the market."""
    market = planted(500, 1500, seed=1)
    part = market.later
    edge = (0.02 * part.X[:, 0]).astype(np.float64)
    rows = np.zeros((len(part), 10))
    rows[:, 0], rows[:, 1] = part.price, part.fill
    rows[:, 2], rows[:, 3], rows[:, 4] = 0.3, 0.4 - edge, 0.3 + edge
    rows[:, 6], rows[:, 9] = part.volatility, 1.0
    instrument = Instrument(
        symbol="PLANTED", interval=1.0, costs=Costs(half_spread=market.half_spread)
    )
    played = evaluate(Follow(0.0123), DecisionTape(instrument, part.times, rows))
    ours = follow(part, edge, 0.0123, market.half_spread)
    assert ours.trades == played.trades > 10
    assert np.allclose(np.log1p(ours.net), played.net_returns, rtol=0.0, atol=1e-12)
    assert np.allclose(ours.exposures, played.exposures, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("kind", ["gbm", "step", "crash"])
def test_nothing_to_find_is_not_promoted(kind: str) -> None:
    found = outcome(null(kind, 3000, 4000, 0.0, seed=3), 3)
    assert found.verdict.headline in ("no edge", "inconclusive")


def test_what_is_there_is_promoted() -> None:
    """Twice the edge of the benchmark, on a third of its hold-out."""
    found = outcome(planted(8000, 12_000, seed=5, ic=0.1), 5)
    assert found.verdict.headline == "edge", str(found.verdict)


def test_leaks_are_suspected() -> None:
    for market in (foretelling(4000, 6000, 1, 0.5), bouncing(4000, 6000, 1, leak=True)):
        assert outcome(market, 1).verdict.headline == "suspicious"
    honest = outcome(bouncing(4000, 6000, 1, leak=False), 1)
    assert honest.verdict.headline == "no edge"
