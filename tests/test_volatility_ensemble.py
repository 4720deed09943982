import math
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from market.errors import DataError
from models.regime import RegimeConfig
from models.volatility import (
    EnsembleNumbers,
    EwmaConfig,
    FittedEnsemble,
    GarchConfig,
    HarConfig,
    VolatilityEnsembleConfig,
    fit_ensemble,
    fit_volatility,
)
from models.volatility.judging import judge
from models.volatility.losses import difference, qlike, squared
from models.volatility.ranges import garman_klass, parkinson, rogers_satchell, yang_zhang
from models.volatility.walk import Walk, walk
from models.volatility.weights import pool, pool_weights

QUICK = (EwmaConfig(), EwmaConfig(decay=0.8), HarConfig())


def clustered(n, seed, alpha=0.1, beta=0.85):
    """Returns of a GARCH(1,1) of variance 1, and that variance."""
    z = np.random.default_rng(seed).normal(size=n)
    variance, returns = np.ones(n), np.empty(n)
    for t in range(n):
        returns[t] = math.sqrt(variance[t]) * z[t]
        if t + 1 < n:
            variance[t + 1] = 1.0 - alpha - beta + alpha * returns[t] ** 2 + beta * variance[t]
    return returns, variance


def bars(seed, n=3000, steps=400, drift=0.0, gap=0.0):
    """Bars of a random walk of variance 1e-4 each, seen ``steps`` times, and a gap before each."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(drift / steps, 0.01 / math.sqrt(steps), (n, steps))
    inside = np.cumsum(moves, axis=1)
    jumps = rng.normal(0.0, 1.0, n) * gap
    opens = np.cumsum(jumps) + np.concatenate(([0.0], np.cumsum(inside[:-1, -1])))
    high, low = inside.max(axis=1).clip(min=0.0), inside.min(axis=1).clip(max=0.0)
    return [np.exp(opens + part) for part in (0.0, high, low, inside[:, -1])]


def test_ranges_say_what_the_variance_is_and_far_more_surely_than_the_close():
    four = bars(1)
    close = np.log(four[3] / four[0]) ** 2 / 1e-4
    least = {parkinson: 4.0, garman_klass: 5.0, rogers_satchell: 4.5}
    for measure, times in least.items():
        ratio = measure(*four) / 1e-4
        # a range that is seen 400 times misses a little of its height
        assert 0.85 < ratio.mean() < 1.02
        assert (close.std() / close.mean()) ** 2 > times * (ratio.std() / ratio.mean()) ** 2


def test_only_two_of_the_ranges_stand_a_drift_and_only_one_sees_gaps():
    drifting = bars(2, drift=0.02)
    assert parkinson(*drifting).mean() > 2e-4
    assert garman_klass(*drifting).mean() > 1.15e-4
    assert 0.85e-4 < rogers_satchell(*drifting).mean() < 1.05e-4
    torn = bars(3, drift=0.02, gap=0.02)
    assert 0.85e-4 < rogers_satchell(*torn).mean() < 1.05e-4
    assert np.nanmean(yang_zhang(*torn, 30)) == pytest.approx(5e-4, rel=0.1)


def test_yang_zhang_is_its_formula():
    open_, high, low, close = bars(4, n=12, gap=0.01)
    found, n, t = yang_zhang(open_, high, low, close, 5), 5, 9
    assert np.isnan(found[:5]).all()
    assert np.isfinite(found[5:]).all()
    part = slice(t - n + 1, t + 1)
    gaps = np.log(open_[part] / close[t - n : t])
    k = 0.34 / (1.34 + 6 / 4)
    inside = rogers_satchell(open_, high, low, close)[part].mean()
    moves = np.log(close[part] / open_[part])
    expected = np.var(gaps, ddof=1) + k * np.var(moves, ddof=1) + (1 - k) * inside
    assert found[t] == pytest.approx(expected)
    assert np.isnan(yang_zhang(open_, high, low, close, 12)).all()
    with pytest.raises(ValueError, match="n must be at least 2, was 1"):
        yang_zhang(open_, high, low, close, 1)


@pytest.mark.parametrize("wrong", [(1, 0.5), (2, 2e9), (2, -1.0), (0, np.nan), (1, np.inf)])
def test_bars_that_can_not_be_are_refused(wrong):
    four = bars(5, n=10)
    four[wrong[0]][3] = wrong[1]
    with pytest.raises(DataError, match="bar 3 can't be"):
        parkinson(*four)


def test_a_price_that_stood_still_has_no_range():
    still = [np.full(40, 5.0)] * 4
    for measure in (parkinson, garman_klass, rogers_satchell):
        assert (measure(*still) == 0.0).all()
    assert (yang_zhang(*still, 10)[10:] == 0.0).all()


@pytest.mark.parametrize("loss", [qlike, squared])
def test_noisy_proxies_order_forecasts_as_the_truth_does(loss):
    returns, truth = clustered(20_000, 1)
    proxy = returns**2
    means = [loss(proxy, truth * factor).mean() for factor in (0.5, 0.8, 1.0, 1.25, 2.0)]
    assert np.argmin(means) == 2
    assert loss(proxy, np.ones(20_000)).mean() > means[2]


def test_equals_differ_surely_as_seldom_as_they_should_though_losses_cling_together():
    rng, surely = np.random.default_rng(2), 0
    for _ in range(400):
        noise = rng.normal(size=(2, 503))
        losses = noise[:, 3:] + noise[:, 2:-1] + noise[:, 1:-2] + noise[:, :-3]
        surely += difference(losses[0], losses[1]).p < 0.05
    assert 0.02 < surely / 400 < 0.11  # without the neighbours it would be .3
    same = difference(losses[0], losses[0])
    assert (same.mean, same.t, same.p) == (0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="were 500 and 499"):
        difference(losses[0], losses[1][1:])


def test_weights_are_the_best_there_are():
    returns, truth = clustered(3000, 3)
    rng = np.random.default_rng(3)
    said = truth[:, None] * np.exp(rng.normal(0.0, (0.2, 0.4), (3000, 2)))
    proxy = returns**2

    def penalised(first, shrink):
        weights = np.array([first, 1.0 - first])
        loss = qlike(proxy, pool(weights, said)).mean()
        return loss + shrink / 3000 * 2 * ((weights - 0.5) ** 2).sum()

    tried, best = np.linspace(0.0, 1.0, 1001), []
    for shrink in (20.0, 500.0):
        best.append(tried[np.argmin([penalised(first, shrink) for first in tried])])
        found = pool_weights(proxy, said, shrink)
        assert found[0] == pytest.approx(best[-1], abs=2e-3)
    assert best[1] < best[0] - 0.1
    found = pool_weights(proxy, said, 20.0)
    assert 0.6 < found[0] < 1.0
    assert pool_weights(proxy, said[:, ::-1], 20.0) == pytest.approx(found[::-1], abs=1e-4)
    assert pool_weights(proxy * 1e-8, said * 1e-8, 20.0) == pytest.approx(found, abs=1e-3)
    assert pool_weights(proxy, said, 1e9) == pytest.approx([0.5, 0.5], abs=1e-3)
    assert pool_weights(proxy, said[:, :1], 0.0).tolist() == [1.0]


def test_a_forecast_knows_only_what_was_before():
    returns = clustered(1100, 4)[0]
    config = VolatilityEnsembleConfig(members=QUICK, train=500, step=200, blocks=3)
    walked = walk(config, returns)
    assert walked.start == 500
    assert walked.blocks == ((0, 200), (200, 400), (400, 600))
    for at in (0, 1, 199, 200, 301, 599):
        other = returns.copy()
        other[500 + at :] *= -7.0
        again = walk(config, other)
        for name, variances in walked.variances.items():
            assert np.array_equal(again.variances[name][: at + 1], variances[: at + 1])
            assert at == 599 or again.variances[name][at + 1] != variances[at + 1]


def test_the_latest_blocks_count_and_each_forecast_is_of_the_fit_before_it():
    returns = clustered(1130, 5)[0]
    config = VolatilityEnsembleConfig(members=QUICK, train=500, step=200, blocks=2)
    walked = walk(config, returns)
    assert walked.start == 730
    model = fit_volatility(HarConfig(), returns[430:930])
    expected = model.path(returns[430:1129])[499:] ** 2
    assert np.array_equal(walked.variances["har_1_5_22"][200:], expected)


def test_a_model_that_can_not_be_fitted_is_left_out_or_its_last_fit_used():
    returns = clustered(1000, 6)[0]
    members = (*QUICK, HarConfig(scales=(1, 500)))
    config = VolatilityEnsembleConfig(members=members, train=400, step=200)
    walked = walk(config, returns)
    assert list(walked.variances) == ["ewma_94", "ewma_80", "har_1_5_22"]
    assert "needs at least 5000 returns, were 400" in walked.left_out["har_1_500"]
    assert "left out: har_1_500" in str(fit_ensemble(config, returns)[1])

    returns[300:800] = 0.0  # the third fit sees a price that stands still
    walked = walk(config, returns)
    assert set(walked.refits.values()) == {1}
    assert all(np.isfinite(one).all() for one in walked.variances.values())
    with pytest.raises(DataError, match=r"no volatility model could be fitted: ewma_94 needs"):
        walk(config, np.zeros(1000))
    with pytest.raises(DataError, match="takes at least 800 returns, were 799"):
        walk(config, returns[:799])


def judged(variances, proxy, blocks=2, **settings):
    end = len(proxy) // blocks
    parts = tuple((i * end, (i + 1) * end) for i in range(blocks))
    return judge(
        VolatilityEnsembleConfig(members=QUICK, **settings),
        Walk(0, variances, parts, {}, dict.fromkeys(variances, 0)),
        proxy,
    )


def test_the_ensemble_is_judged_with_weights_from_before_each_block():
    returns, truth = clustered(2000, 7)
    proxy, rng = returns**2, np.random.default_rng(7)
    said = {name: truth * np.exp(rng.normal(0.0, s, 2000)) for name, s in (("a", 0.3), ("b", 0.6))}
    report, weights = judged(said, proxy)
    both = np.column_stack(list(said.values()))
    pooled = np.concatenate(
        (
            pool(np.array([0.5, 0.5]), both[:1000]),
            pool(pool_weights(proxy[:1000], both[:1000], 20.0), both[1000:]),
        )
    )
    assert report.rows[0].qlike == qlike(proxy, pooled).mean()
    assert list(weights.values()) == pool_weights(proxy, both, 20.0).tolist()
    assert [row.name for row in report.rows] == ["ensemble", "a", "b"]
    assert report.rows[2].against.mean == pytest.approx(
        report.rows[2].qlike - report.rows[0].qlike, abs=1e-12
    )


def test_a_member_that_is_surely_better_takes_the_ensembles_place_and_luck_does_not():
    returns, truth = clustered(4000, 8)
    proxy, rng = returns**2, np.random.default_rng(8)
    bad = {name: np.exp(rng.normal(0.0, 1.5, 4000)) for name in ("b", "c")}
    report, weights = judged({"a": truth, **bad}, proxy, shrink=1e6)
    assert (report.chosen, weights) == ("a", {"a": 1.0})
    few = {"a": 2.0 * truth[:300], "b": truth[:300]}
    report, _ = judged(few, proxy[:300], shrink=1e6)
    assert -1.9 < report.rows[1].against.t < -1.0  # better, but not surely
    assert report.chosen == "ensemble"
    alike = {name: truth * np.exp(rng.normal(0.0, 0.4, 4000)) for name in "abc"}
    report, weights = judged(alike, proxy)
    assert report.chosen == "ensemble"
    assert min(weights.values()) > 0.2
    assert all(row.against.t > 2.0 for row in report.rows[1:])  # three errors cancel out


def test_from_returns_to_an_ensemble():
    returns, truth = clustered(5000, 9)
    config = VolatilityEnsembleConfig(
        members=(*QUICK, GarchConfig()), train=1500, step=700, blocks=3
    )
    model, report = fit_ensemble(config, returns[:4000])
    again, _ = fit_ensemble(config, returns[:4000])
    assert again.numbers == model.numbers
    assert sum(model.numbers.weights) == pytest.approx(1.0)
    weight = dict(zip(model.numbers.names, model.numbers.weights, strict=True))
    assert max(weight, key=weight.__getitem__) == "garch"  # what the returns are
    path = model.path(returns[4000:])
    apart = np.log(path[30:-1] ** 2 / truth[4031:])
    assert math.sqrt(np.mean(apart**2)) < 0.25
    written = msgspec.json.encode(model.numbers)
    read = FittedEnsemble(msgspec.json.decode(written, type=EnsembleNumbers))
    assert np.array_equal(read.path(returns), model.path(returns), equal_nan=True)
    assert "chosen: " in str(report)
    assert report.forecasts == 2100


def test_a_better_proxy_sees_differences_that_squared_returns_do_not():
    returns, truth = clustered(3100, 10)
    config = VolatilityEnsembleConfig(members=QUICK, train=1000, step=1000)
    _, noisy = fit_ensemble(config, returns)
    _, clear = fit_ensemble(config, returns, truth)
    before, after = (
        {row.name: row.against.error for row in one.rows[1:]} for one in (noisy, clear)
    )
    assert all(after[name] < before[name] for name in before)
    assert after["har_1_5_22"] < 0.5 * before["har_1_5_22"]
    for proxy in (truth[1:], -truth, truth * np.nan):
        with pytest.raises(DataError, match="the proxy must be 3100 variances"):
            fit_ensemble(config, returns, proxy)


def test_a_known_volatility_is_forecast_within_noise():
    """As Deriv's volatility indices have: geometric Brownian motion of one volatility."""
    returns = np.random.default_rng(11).normal(0.0, 3e-5, 8000)
    members = (*QUICK, EwmaConfig(decay=None), GarchConfig(), GarchConfig(form="gjr"))
    config = VolatilityEnsembleConfig(members=members, train=3000, step=1500)
    model, report = fit_ensemble(config, returns[:6000])
    path = model.path(returns[6000:])[100:] / 3e-5
    assert math.sqrt(np.mean((path - 1.0) ** 2)) < 0.03
    known = 2.0 * math.log(3e-5) + np.mean((returns[3000:6000] / 3e-5) ** 2)
    assert report.rows[0].qlike == pytest.approx(known, abs=0.01)


def test_members_must_differ():
    with pytest.raises(ValidationError, match="members must differ, were ewma_94, ewma_94"):
        VolatilityEnsembleConfig(members=(EwmaConfig(), EwmaConfig(decay=0.94)))


def test_the_settings_that_the_page_shows_are_settings():
    page = (Path(__file__).parents[1] / "docs" / "volatility.md").read_text(encoding="utf-8")
    shown = [yaml.safe_load(one) for one in re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)]
    config = VolatilityEnsembleConfig.model_validate(shown[0]["volatility"])
    assert [one.name for one in config.members] == ["ewma_94", "garch_t", "egarch", "har_1_12_288"]
    for one in shown[1]["regimes"]:
        TypeAdapter(RegimeConfig).validate_python(one)
