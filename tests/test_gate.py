"""The gate: noise stays out, edges get in, and each condition can stop a promotion alone."""

from __future__ import annotations

from dataclasses import replace
from statistics import NormalDist

import msgspec
import numpy as np
import pytest
from scipy.signal import lfilter

from validation.evidence import Champion, Evidence
from validation.gate import GateConfig, judge
from validation.gate.champion import champion as gate_champion
from validation.gate.earnings import student
from validation.gate.forecast import calibration
from validation.gate.suspicion import decay, fills
from validation.reliability import calibration_error
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
    noise[1:] *= (1 - 0.95**2) ** 0.5
    signal = lfilter([1.0], [1.0, -0.95], noise)
    returns = ic * signal + (1 - ic**2) ** 0.5 * rng.normal(size=n)
    side, far = np.sign(signal), np.abs(signal) > 0.8
    event = far | (np.diff(side, prepend=0.0) != 0.0)
    last = np.maximum.accumulate(np.where(event, np.arange(n), 0))
    exposures = np.where(far, side, 0.0)[last]
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
        probabilities=chances,
        labels=label,
    )


def ruling(given: Evidence, seed: int = 0) -> Verdict:
    return judge(given, CONFIG, np.random.default_rng(seed))


GOOD = evidence(1, ic=0.08, n=20_000)
BETTER = Champion("1", GOOD.net_returns + 1e-6, GOOD.log_loss)
WISER = Champion("2", GOOD.net_returns - 1e-6, GOOD.log_loss - 1e-6)
STANDING = {"exposures": np.ones(20_000), "market": np.log1p(GOOD.net_returns)}
LEVERED = {"net_returns": GOOD.net_returns * 2000, "exposures": GOOD.exposures * 2000}
SWELL = 3e-5 * np.sin(np.arange(20_000) / 300.0)
"""A drift that lasts for hundreds of decisions, and comes to nothing."""


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
    verdicts = [ruling(evidence(seed, ic=0.05, n=35_700)) for seed in range(6)]
    assert sum(verdict.promoted for verdict in verdicts) >= 5
    assert all(v.headline == "edge" for v in verdicts if v.promoted)


def test_good_evidence_is_promoted_and_says_why() -> None:
    verdict = ruling(GOOD)
    assert verdict.promoted
    assert failed(verdict) == []
    assert len(verdict.reasons) == len(verdict.checks) == 12
    assert verdict.figures["t"] > 2.326
    assert verdict.figures["timing_p"] == 0.005


@pytest.mark.parametrize(
    ("change", "check", "headline"),
    [
        ({"net_returns": GOOD.net_returns - 1e-5}, "profit", "no edge"),
        (STANDING, "timing", "no edge"),
        ({"log_loss": GOOD.log_loss + 0.01}, "skill", "no edge"),
        ({"labels": np.roll(GOOD.labels, 1) // 2 * 2}, "calibration", "no edge"),
        ({"champion": BETTER}, "champion", "no edge"),
        ({"champion": WISER}, "champion", "no edge"),
        (LEVERED, "drawdown", "no edge"),
        ({"trades": 99}, "trades", "inconclusive"),
        ({"jumps": 499}, "jumps", "inconclusive"),
        ({"net_returns": GOOD.net_returns + SWELL}, "blocks", "inconclusive"),
        ({"net_returns": GOOD.net_returns + 2e-5}, "fills", "suspicious"),
        ({"log_loss": GOOD.log_loss * 0.7}, "surprise", "suspicious"),
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


def test_unlike_trials_take_more_and_copies_don_t_take_less() -> None:
    t = ruling(GOOD).figures["t"]
    weaker = GOOD.net_returns - GOOD.net_returns.mean() * (1.0 - 4.0 / t)
    given = replace(GOOD, net_returns=weaker, trials=20)
    assert ruling(given).promoted
    wild = replace(given, trial_sharpes=np.linspace(-0.05, 0.05, 20))
    assert failed(ruling(wild)) == ["deflated"]
    alike = replace(given, trial_sharpes=np.full(20, 0.01))
    assert ruling(alike).figures == ruling(given).figures


def test_what_the_figures_say_agrees_with_the_checks() -> None:
    figures = ruling(GOOD).figures
    assert figures["min_track_record"] < figures["decisions"]
    assert figures["probabilistic_sharpe"] == figures["deflated_sharpe"] > 0.999
    losing = ruling(replace(GOOD, net_returns=-GOOD.net_returns)).figures
    assert "min_track_record" not in losing  # no record is long enough
    assert losing["probabilistic_sharpe"] < 0.001


def test_an_equal_or_worse_champion_doesn_t_stop_it() -> None:
    for champion in (
        Champion("itself", GOOD.net_returns, GOOD.log_loss),
        Champion("worse", GOOD.net_returns - 1e-6, GOOD.log_loss + 1e-6),
    ):
        verdict = ruling(replace(GOOD, champion=champion))
        assert verdict.promoted
        assert verdict.figures["worse_than_champion"] == 0.0


def test_one_of_two_equals_is_seldom_refused() -> None:
    """As many as the configuration says: a quarter."""
    rng = np.random.default_rng(8)
    refused = 0
    for _ in range(60):
        noise = rng.normal(0.0, 1e-5, 20_000)
        champion = Champion("equal", GOOD.net_returns + noise, GOOD.log_loss)
        found = gate_champion(replace(GOOD, champion=champion), CONFIG, rng)
        assert found is not None
        refused += not found.check.passed
    assert 6 <= refused <= 25


def foreseeing(seed: int, ahead: int) -> Evidence:
    """A position that knows the return to come, or the one just gone where ``ahead`` is 0."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0, SCALE, 20_001)
    seen = market[1:] if ahead else market[:-1]
    exposures = np.sign(0.3 * seen / SCALE + rng.normal(size=20_000))
    paid = COST * SCALE * np.abs(np.diff(exposures, prepend=0.0))
    return replace(
        GOOD,
        net_returns=exposures * market[1:] - 0.1 * paid,
        exposures=exposures,
        market=market[1:],
    )


def test_who_knows_the_next_return_is_suspected() -> None:
    verdict = ruling(foreseeing(1, ahead=1))
    assert verdict.headline == "suspicious"
    assert failed(verdict) == ["surprise", "decay"]
    assert ruling(foreseeing(1, ahead=0)).headline == "no edge"


def test_a_small_leak_is_caught_by_how_it_decays() -> None:
    """An information coefficient of .1 may be true, but not if a decision later nothing is left."""
    rng = np.random.default_rng(3)
    market = rng.normal(0.0, SCALE, 20_000)
    exposures = np.sign(0.12 * market / SCALE + rng.normal(size=20_000))
    given = replace(GOOD, net_returns=exposures * market, exposures=exposures, market=market)
    verdict = ruling(given)
    assert 0.05 < verdict.figures["information_coefficient"] < 0.2
    assert failed(verdict) == ["decay"]
    assert verdict.headline == "suspicious"
    allowed = CONFIG.model_copy(update={"max_decay": None})
    assert judge(given, allowed, np.random.default_rng(0)).promoted


def test_what_class_frequencies_are_sure_of_leaves_nothing_to_save() -> None:
    given = replace(GOOD, log_loss=np.zeros(20_000), base_log_loss=np.zeros(20_000))
    given = replace(given, probabilities=None, labels=None)
    verdict = ruling(given)
    assert verdict.figures["skill"] == 0.0
    assert failed(verdict) == ["skill"]


def test_the_bar_for_few_blocks_is_students() -> None:
    few = replace(evidence(1, ic=0.08, n=1_200), trials=1)
    assert ruling(few).figures["t_needed"] == pytest.approx(2.4999, abs=2e-3)  # 23 degrees


def test_decay_moves_exposures_later_not_earlier() -> None:
    market = GOOD.market
    knowing = market + np.append(market[1:], 0.0)  # of this return and the next
    found = decay(replace(GOOD, exposures=knowing), CONFIG)
    assert found is not None
    assert abs(found.figures["decay"]) < 0.05
    found = decay(replace(GOOD, exposures=market + np.append(0.0, market[:-1])), CONFIG)
    assert found is not None
    assert found.figures["decay"] > 0.9


def test_gains_from_fills_as_small_as_rounding_are_none() -> None:
    rng = np.random.default_rng(3)
    given = GOOD.exposures * np.expm1(GOOD.market)
    for size, passed in ((1e-6, True), (1e-2, False)):
        more = size * SCALE * np.abs(rng.normal(size=20_000))
        assert fills(replace(GOOD, net_returns=given + more), CONFIG).check.passed is passed


def test_the_bound_of_calibration_is_one_sided() -> None:
    found = calibration(GOOD, CONFIG, np.random.default_rng(3))
    assert found is not None
    outside = 2.0 * CONFIG.calibration_chance  # half of it on each side
    told = calibration_error(
        GOOD.probabilities, GOOD.labels, 50, 1000, outside, np.random.default_rng(3)
    )
    assert found.figures["calibration_bound"] == told.high


def test_without_probabilities_calibration_is_not_claimed() -> None:
    verdict = ruling(replace(GOOD, probabilities=None, labels=None))
    assert verdict.promoted
    assert "calibration" not in [check.name for check in verdict.checks]


def test_little_data_is_too_little_to_call_an_ensemble_calibrated() -> None:
    few = slice(0, 1500)
    given = replace(
        GOOD,
        log_loss=GOOD.log_loss[few],
        base_log_loss=GOOD.base_log_loss[few],
        probabilities=GOOD.probabilities[few],
        labels=GOOD.labels[few],
    )
    figures = ruling(given).figures
    between = (figures["calibration_error"] + figures["calibration_bound"]) / 2.0
    strict = CONFIG.model_copy(update={"calibration": between})
    checks = {c.name: c for c in judge(given, strict, np.random.default_rng(0)).checks}
    assert not checks["calibration"].passed
    assert checks["calibration"].means == "inconclusive"


@pytest.mark.parametrize("few", [24, 100])
def test_the_profit_test_has_its_size_with_few_blocks_too(few: int) -> None:
    """Student's quantile: with the normal one, 24 blocks let 1.5 in 100 through."""
    z = np.random.default_rng(few).normal(size=(20_000, few))
    t = z.mean(axis=1) / z.std(axis=1, ddof=1) * few**0.5
    assert (t > student(2.326, few - 1)).mean() == pytest.approx(0.01, abs=0.0022)


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
    none = np.empty(0)
    unlabelled = replace(GOOD, log_loss=none, base_log_loss=none, probabilities=None, labels=None)
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
        ({"champion": Champion("1", np.zeros(3), GOOD.log_loss)}, "champion.net_returns must have"),
        ({"labels": None}, "probabilities and labels are told both or neither"),
        ({"labels": GOOD.labels[:3]}, r"probabilities must be \[20000, 3\]"),
        ({"labels": GOOD.labels + 1}, "labels must be 0, 1 or 2, was 3 at decision"),
        ({"probabilities": GOOD.probabilities * 2}, "probabilities must sum to 1, were"),
        ({"trials": 0}, "trials must count this one, was 0"),
        ({"market": np.append(GOOD.market[:-1], np.nan)}, "market must be finite, was nan at"),
    ],
)
def test_broken_evidence_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(GOOD, **change)
