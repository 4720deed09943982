"""The gate: noise stays out, edges get in, and each condition can stop a promotion alone."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import msgspec
import numpy as np
import pytest

from validation.evidence import Evidence
from validation.gate import GateConfig, judge
from validation.verdict import Verdict

CONFIG = GateConfig()
BOUND = NormalDist().inv_cdf(2 / 3)
"""A standard normal return is down, flat or up beyond it with a third each."""
COST = 0.1
SCALE = 1e-4
"""Returns are simulated with standard deviation 1; equity feels this much of it."""


def cdf(x: np.ndarray) -> np.ndarray:
    """Standard normal distribution function (Zelen and Severo, error below 1e-7)."""
    z = np.abs(x)
    t = 1.0 / (1.0 + 0.2316419 * z)
    series = t * (
        0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
    )
    upper = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) * series
    return np.where(x >= 0, 1.0 - upper, upper)


def evidence(seed: int, ic: float, n: int, believed: float = 0.05, trials: int = 1) -> Evidence:
    """Trade a signal of true correlation ``ic`` as if it were ``believed``.

    ``r[t+1] = ic s[t] + sqrt(1 - ic²) e``, s AR(1) with .95; in beyond ±.8, out at the other
    sign, costs .1 a side: facts on planted edges. The model gives the classes' probabilities
    that follow from ``believed``.
    """
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=n)
    signal = np.empty(n)
    signal[0] = noise[0]
    for t in range(1, n):
        signal[t] = 0.95 * signal[t - 1] + (1 - 0.95**2) ** 0.5 * noise[t]
    returns = ic * signal + (1 - ic**2) ** 0.5 * rng.normal(size=n)
    exposures, held = np.empty(n), 0.0
    for t in range(n):
        if abs(signal[t]) > 0.8:
            held = float(np.sign(signal[t]))
        elif held * signal[t] < 0.0:
            held = 0.0
        exposures[t] = held
    paid = COST * np.abs(np.diff(exposures, prepend=0.0))
    mean, spread = believed * signal, (1 - believed**2) ** 0.5
    down, up = cdf((-BOUND - mean) / spread), 1.0 - cdf((BOUND - mean) / spread)
    label = np.where(returns > BOUND, 2, np.where(returns < -BOUND, 0, 1))
    chances = np.column_stack([down, 1.0 - down - up, up])
    return Evidence(
        net_returns=(exposures * returns - paid) * SCALE,
        exposures=exposures,
        market=returns * SCALE,
        trades=int(np.abs(np.diff(exposures)).sum()) // 2,
        costs=float(paid.sum()) * SCALE,
        log_loss=-np.log(chances[np.arange(n), label]),
        base_log_loss=np.full(n, np.log(3.0)),
        trials=trials,
    )


def ruling(given: Evidence, seed: int = 0) -> Verdict:
    return judge(given, CONFIG, np.random.default_rng(seed))


GOOD = evidence(1, ic=0.08, n=20_000)


def failed(verdict: Verdict) -> list[str]:
    return [check.name for check in verdict.checks if not check.passed]


def test_noise_is_not_promoted() -> None:
    verdicts = [ruling(evidence(seed, ic=0.0, n=6_000)) for seed in range(40)]
    assert sum(verdict.promoted for verdict in verdicts) <= 1
    assert {verdict.headline for verdict in verdicts} <= {"no edge", "edge"}


def test_free_noise_is_not_promoted_either() -> None:
    """Without costs a worthless strategy is as often lucky as not: the harder case."""
    promoted = 0
    for seed in range(40):
        given = evidence(1000 + seed, ic=0.0, n=6_000)
        promoted += ruling(replace(given, net_returns=given.exposures * given.market)).promoted
    assert promoted <= 1


def test_planted_edges_are_promoted() -> None:
    """IC .05 over 35,700 steps: the best possible strategy has t = 6."""
    verdicts = [ruling(evidence(seed, ic=0.05, n=35_700)) for seed in range(10)]
    assert sum(verdict.promoted for verdict in verdicts) >= 9
    assert all(v.headline == "edge" for v in verdicts if v.promoted)


def test_good_evidence_is_promoted_and_says_why() -> None:
    verdict = ruling(GOOD)
    assert verdict.promoted
    assert failed(verdict) == []
    assert len(verdict.reasons) == len(verdict.checks) == 7
    assert verdict.figures["t"] > 2.326
    assert verdict.figures["timing_p"] == 0.005


@pytest.mark.parametrize(
    ("change", "check", "headline"),
    [
        ({"net_returns": GOOD.net_returns - 1e-5}, "profit", "no edge"),
        ({"market": np.roll(GOOD.market, 777)}, "timing", "no edge"),
        ({"log_loss": GOOD.log_loss + 0.01}, "skill", "no edge"),
        ({"net_returns": GOOD.net_returns * 2000}, "drawdown", "no edge"),
        ({"trades": 99}, "trades", "inconclusive"),
        ({"jumps": 499}, "jumps", "inconclusive"),
    ],
)
def test_each_condition_stops_a_promotion(
    change: dict[str, object], check: str, headline: str
) -> None:
    verdict = ruling(replace(GOOD, **change))
    assert check in failed(verdict)
    assert not verdict.promoted
    assert verdict.headline == headline
    assert any(
        text in verdict.reasons for c in verdict.checks if c.name == check for text in [c.text]
    )


def test_the_more_was_tried_the_more_it_takes() -> None:
    """The same t of 3 is enough on the first trial, and what luck brings on the hundredth."""
    t = ruling(GOOD).figures["t"]
    weaker = GOOD.net_returns - GOOD.net_returns.mean() * (1.0 - 3.0 / t)
    assert ruling(replace(GOOD, net_returns=weaker)).promoted
    verdict = ruling(replace(GOOD, net_returns=weaker, trials=100))
    assert failed(verdict) == ["deflated"]
    assert verdict.headline == "no edge"


def test_enough_jumps_don_t_stop_it() -> None:
    assert ruling(replace(GOOD, jumps=500)).promoted


def test_too_little_is_inconclusive_whatever_it_shows() -> None:
    short = evidence(1, ic=0.5, n=1199)
    verdict = ruling(short)
    assert verdict.headline == "inconclusive"
    assert not verdict.promoted
    assert verdict.reasons == (
        "1199 hold-out decisions, 1199 of them labelled; needs at least 1200 and 600 to test "
        "anything",
    )
    unlabelled = replace(GOOD, log_loss=np.empty(0), base_log_loss=np.empty(0))
    assert ruling(unlabelled).headline == "inconclusive"


def test_standing_still_is_no_edge() -> None:
    n = 5000
    nothing = replace(
        GOOD,
        net_returns=np.zeros(n),
        exposures=np.zeros(n),
        market=GOOD.market[:n],
        trades=0,
        costs=0.0,
    )
    verdict = ruling(nothing)
    assert verdict.headline == "no edge"
    assert "0 round trips; needs at least 100" in verdict.reasons


def test_drift_between_crashes_is_no_edge() -> None:
    """Long a compensated crash index whose crashes stayed away: t is high, timing isn't."""
    rng = np.random.default_rng(4)
    n = 10_000
    market = rng.normal(1e-5, 2e-5, n)
    given = replace(
        GOOD,
        net_returns=market.copy(),
        exposures=np.ones(n),
        market=market,
        trades=1000,
        jumps=10,
    )
    verdict = ruling(given)
    assert verdict.figures["t"] > 10.0
    assert verdict.headline == "no edge"
    assert {"timing", "jumps"} <= set(failed(verdict))


def test_same_seed_same_verdict_and_json_comes_back() -> None:
    given = evidence(5, ic=0.02, n=3000)
    verdict = ruling(given, seed=3)
    assert verdict == ruling(given, seed=3)
    assert msgspec.json.decode(verdict.as_json(), type=Verdict) == verdict
    assert msgspec.convert(verdict.as_dict(), Verdict) == verdict
    lines = str(verdict).splitlines()
    assert lines[0] == verdict.headline
    assert len(lines) == 1 + len(verdict.checks)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exposures": np.zeros(3)}, "exposures must have 20000 values, had 3"),
        ({"log_loss": np.zeros(3)}, "log_loss must have 20000 values, had 3"),
        ({"trials": 0}, "trials must count this one, was 0"),
        ({"market": np.append(GOOD.market[:-1], np.nan)}, "market must be finite, was nan at"),
    ],
)
def test_broken_evidence_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(GOOD, **change)
