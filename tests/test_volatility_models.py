import math
import pickle
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from arch import arch_model
from pydantic import TypeAdapter, ValidationError

from market.errors import DataError
from models.volatility import (
    EnsembleNumbers,
    EwmaConfig,
    EwmaNumbers,
    FittedEnsemble,
    GarchConfig,
    GarchNumbers,
    HarConfig,
    HarNumbers,
    VolatilityConfig,
    VolatilityNumbers,
    fit_volatility,
    running,
)

MARK = np.loadtxt(Path(__file__).parent / "data" / "dem2gbp.txt")
CONFIGS = (
    EwmaConfig(),
    EwmaConfig(decay=None),
    GarchConfig(),
    GarchConfig(innovations="t", mean="zero"),
    GarchConfig(form="gjr", innovations="t"),
    GarchConfig(form="egarch"),
    GarchConfig(form="egarch", innovations="t"),
    HarConfig(),
)
ONE_EACH = (
    EwmaNumbers(0.94, 1.0),
    GarchNumbers("garch", 0.1, 0.05, 0.1, 0.0, 0.85, None, 1.0, 0.0),
    GarchNumbers("gjr", 0.0, 0.05, 0.05, 0.1, 0.85, 5.0, 1.0, 0.0),
    GarchNumbers("egarch", 0.0, 0.0, 0.2, -0.1, 0.95, None, 1.0, 0.0),
    HarNumbers((2, 7, 30), 0.1, (0.2, 0.3, 0.35), 1.0),
)
MODELS = (
    *map(running, ONE_EACH),
    FittedEnsemble(EnsembleNumbers(("a", "b", "c"), (0.5, 0.3, 0.2), ONE_EACH[:5:2])),
)


def clustered(n, seed, alpha=0.1, beta=0.85, mean=0.0):
    """Returns of a GARCH(1,1) of variance 1, and their own volatility."""
    z = np.random.default_rng(seed).normal(size=n)
    variance, returns = np.ones(n), np.empty(n)
    for t in range(n):
        returns[t] = mean + math.sqrt(variance[t]) * z[t]
        if t + 1 < n:
            e = returns[t] - mean
            variance[t + 1] = (1.0 - alpha - beta) + alpha * e * e + beta * variance[t]
    return returns, np.sqrt(variance)


def test_the_published_benchmark_of_the_mark_against_the_pound():
    """Fiorentini, Calzolari and Panattoni (1996); the likelihood is arch's at their backcast."""
    found = fit_volatility(GarchConfig(), MARK).numbers
    assert len(MARK) == 1974
    assert found.mean == pytest.approx(-0.00619041, rel=3e-3)
    assert found.omega == pytest.approx(0.0107613, rel=1e-4)
    assert found.alpha == pytest.approx(0.153134, rel=1e-4)
    assert found.beta == pytest.approx(0.805974, rel=1e-4)
    assert found.log_likelihood == pytest.approx(-1106.6079, abs=2e-3)


@pytest.mark.parametrize("form", ["garch", "gjr", "egarch"])
@pytest.mark.parametrize("innovations", ["normal", "t"])
def test_the_recursion_is_archs_own_and_so_is_the_likelihood(form, innovations):
    model = fit_volatility(GarchConfig(form=form, innovations=innovations), MARK)
    n = model.numbers
    theirs = arch_model(
        MARK,
        vol="EGARCH" if form == "egarch" else "GARCH",
        o=int(form != "garch"),
        dist="t" if innovations == "t" else "normal",
        rescale=False,
    )
    residuals, variance = MARK - n.mean, np.empty(len(MARK))
    process = theirs.volatility
    weights = [n.omega, n.alpha, *([n.gamma] if form != "garch" else []), n.beta]
    process.compute_variance(
        np.array(weights),
        residuals,
        variance,
        process.backcast_transform(n.start),
        process.variance_bounds(residuals),
    )
    path = model.path(MARK)
    assert path[:-1] == pytest.approx(np.sqrt(variance[1:]), rel=1e-8)
    likelihood = theirs.distribution.loglikelihood(
        np.array([n.freedom] if n.freedom else []), residuals, variance
    )
    assert n.log_likelihood == pytest.approx(likelihood, abs=1e-6)
    assert (n.freedom is None) == (innovations == "normal")


@pytest.mark.parametrize("config", CONFIGS, ids=lambda one: one.name)
def test_a_fit_is_repeatable_in_any_unit_and_goes_through_a_file(config):
    returns = clustered(600, 1)[0]
    model = fit_volatility(config, returns)
    assert fit_volatility(config, returns).numbers == model.numbers
    small = fit_volatility(config, returns * 1e-4)
    assert small.path(returns * 1e-4)[50:] == pytest.approx(model.path(returns)[50:] * 1e-4, 5e-3)
    written = msgspec.json.encode(small.numbers)
    assert running(msgspec.json.decode(written, type=VolatilityNumbers)).numbers == small.numbers


@pytest.mark.parametrize("model", MODELS, ids=lambda one: type(one).__name__)
def test_what_every_model_keeps_to(model):
    returns = clustered(300, 2)[0]
    path = model.path(returns)
    stream, known = model.fork(), []
    assert math.isnan(stream.value)
    assert np.isnan(stream.forecast(3)).all()
    for i, change in enumerate(returns.tolist()):
        stream.update(change)
        known.append(stream.value)
        if i == 150:
            stream = pickle.loads(pickle.dumps(stream))
    assert np.array_equal(path, known, equal_nan=True)
    assert np.isfinite(path[29:]).all()
    assert math.isnan(model.value)  # a path leaves the model's own state alone
    ahead = stream.forecast(5)
    assert ahead.shape == (5,)
    assert ahead[0] == pytest.approx(stream.value, rel=1e-12)
    assert stream.forecast(0).shape == (0,)

    fresh = np.zeros(300, dtype=bool)
    fresh[[0, 200]] = True
    parts = np.concatenate((path[:200], model.path(returns[200:])))
    assert np.array_equal(model.path(returns, fresh), parts, equal_nan=True)
    stream.reset()
    assert math.isnan(stream.value)
    for change in returns.tolist():
        stream.update(change)
    assert stream.value == path[-1]

    with pytest.raises(DataError, match="return must be finite, was nan"):
        stream.update(math.nan)
    with pytest.raises(DataError, match="return 1 must be finite, was inf"):
        model.path(np.array([0.0, np.inf]))
    with pytest.raises(DataError, match="as many flags, were 299"):
        model.path(returns, fresh[1:])


@pytest.mark.parametrize("model", MODELS, ids=lambda one: type(one).__name__)
def test_no_price_leads_a_model_astray_for_good(model):
    still = np.zeros(4000)
    path = model.path(still)
    assert 0.01 <= path[-1] < 1.0
    wild = still.copy()
    wild[100:110] = 1e8, -1e8, 1e150, -1e150, 1e200, -1e200, 3.0, 3.0, 3.0, 3.0
    path = model.path(wild)[30:]
    assert (path >= 0.01).all()
    assert (path <= 100.0 + 1e-9).all()
    assert path[-1] < 1.0
    stream = model.fork()
    for change in wild[:104].tolist():
        stream.update(change)
    assert (stream.forecast(50) <= 100.0 + 1e-9).all()


def test_the_weighted_mean_is_pandas_own():
    returns = clustered(200, 3)[0]
    path = running(EwmaNumbers(0.9, 4.0)).path(returns)
    squares = pd.Series(np.concatenate(([4.0], returns**2)))
    expected = np.sqrt(squares.ewm(alpha=0.1, adjust=False).mean())[1:]
    assert path == pytest.approx(expected.to_numpy(), rel=1e-12)


def test_a_fitted_decay_is_the_markets_own():
    slow = fit_volatility(EwmaConfig(decay=None), clustered(3000, 4, 0.02, 0.975)[0])
    fast = fit_volatility(EwmaConfig(decay=None), clustered(3000, 4, 0.25, 0.70)[0])
    assert slow.numbers.decay > 0.96
    assert 0.6 < fast.numbers.decay < 0.9


def test_fitted_numbers_are_those_of_the_market():
    returns = clustered(8000, 5, mean=0.05)[0]
    found = fit_volatility(GarchConfig(), returns).numbers
    assert found.mean == pytest.approx(0.05, abs=0.03)
    assert found.alpha == pytest.approx(0.1, abs=0.03)
    assert found.beta == pytest.approx(0.85, abs=0.05)
    freedom = np.random.default_rng(1).standard_t(5, 6000)
    assert fit_volatility(GarchConfig(innovations="t"), freedom).numbers.freedom == pytest.approx(
        5.0, abs=1.2
    )


@pytest.mark.parametrize("numbers", ONE_EACH[1:4], ids=lambda one: one.form)
def test_forecasts_are_the_mean_of_what_may_come(numbers):
    """Of 40,000 futures simulated by the recursion itself, one return at a time."""
    n, rng, model = numbers, np.random.default_rng(6), running(numbers)
    for change in (1.5, -2.0, 0.3):
        model.update(change)
    variance, mean = np.full(40_000, model.value**2), []
    for _ in range(8):
        mean.append(variance.mean())
        z = rng.normal(size=len(variance))
        e = z * np.sqrt(variance)
        if n.form == "egarch":
            news = n.alpha * (np.abs(z) - math.sqrt(2 / math.pi)) + n.gamma * z
            variance = np.exp(n.omega + news + n.beta * np.log(variance))
        else:
            variance = n.omega + (n.alpha + n.gamma * (e < 0)) * e**2 + n.beta * variance
    assert model.forecast(8) ** 2 == pytest.approx(mean, rel=0.02)


def test_har_is_its_formula_however_long_it_runs():
    numbers = HarNumbers((2, 7, 30), 0.1, (0.2, 0.3, 0.35), 1.0)
    returns = clustered(500, 7)[0]
    returns[100] = 1e5  # what a running sum would never get rid of
    squares, path = returns**2, running(numbers).path(returns)
    for t in (29, 60, 99, 140, 333, 499):
        means = [squares[t + 1 - n : t + 1].mean() for n in numbers.scales]
        assert path[t] ** 2 == pytest.approx(0.1 + np.dot(numbers.weights, means), rel=1e-9)


def test_har_finds_weights_none_negative():
    rng = np.random.default_rng(8)
    squares = [1.0] * 30
    for _ in range(6000):
        variance = 0.1 + 0.3 * squares[-1] + 0.6 * np.mean(squares[-20:])
        squares.append(variance * rng.gamma(2.0) / 2.0)
    found = fit_volatility(HarConfig(scales=(1, 20)), np.sqrt(squares)).numbers
    assert found.weights == pytest.approx((0.3, 0.6), abs=0.08)
    noise = fit_volatility(HarConfig(), rng.normal(size=2000)).numbers
    assert min(noise.constant, *noise.weights) >= 0.0


@pytest.mark.parametrize("config", CONFIGS, ids=lambda one: one.name)
def test_a_known_volatility_is_forecast_within_noise(config):
    """As Deriv's volatility indices have: geometric Brownian motion of one volatility."""
    returns = np.random.default_rng(9).normal(0.0, 3e-5, 6000)
    apart = fit_volatility(config, returns[:4000]).path(returns[4000:])[100:] / 3e-5 - 1.0
    error = math.sqrt(np.mean(apart**2))
    if config == EwmaConfig():  # its own noise: sqrt((1 - λ) / (1 + λ) / 2)
        assert error == pytest.approx(0.124, abs=0.02)
    else:
        assert error < 0.04


@pytest.mark.parametrize("config", CONFIGS, ids=lambda one: one.name)
def test_returns_that_nothing_can_be_fitted_to_are_refused(config):
    good = clustered(400, 10)[0]
    with pytest.raises(DataError, match=f"{config.name} needs at least .* returns, were 19"):
        fit_volatility(config, good[:19])
    with pytest.raises(DataError, match=f"{config.name} needs returns that vary, all were 0"):
        fit_volatility(config, np.zeros(400))
    good[7] = np.nan
    with pytest.raises(DataError, match="return 7 must be finite, was nan"):
        fit_volatility(config, good)
    with pytest.raises(DataError, match="one row of numbers, had shape"):
        fit_volatility(config, good.reshape(2, 200))


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"kind": "ewma", "decay": 1.0}, "less than 1"),
        ({"kind": "har", "scales": [5, 1]}, "scales must rise"),
        ({"kind": "garch", "form": "aparch"}, "'garch', 'gjr' or 'egarch'"),
        ({"kind": "garch", "decay": 0.9}, "Extra inputs"),
    ],
)
def test_settings_that_are_wrong_say_so(given, error):
    with pytest.raises(ValidationError, match=error):
        TypeAdapter(VolatilityConfig).validate_python(given)


def test_news_of_egarch_fade_with_its_memory():
    """Three returns ahead the first news count by the power of beta that is theirs."""
    z = np.linspace(-12.0, 12.0, 200_001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi) * (z[1] - z[0])
    news = 0.4 * (np.abs(z) - np.sqrt(2.0 / np.pi)) - 0.2 * z
    for beta in (0.0, 0.5):
        model = running(GarchNumbers("egarch", 0.0, 0.1, 0.4, -0.2, beta, None, 1.0, 0.0))
        model.update(1.5)
        first = np.log(model.value**2)
        near, far = (density @ np.exp(power * news) for power in (1.0, beta))
        level = 0.1 + beta * first, 0.1 + beta * (0.1 + beta * first)
        expected = np.exp(first), np.exp(level[0]) * near, np.exp(level[1]) * near * far
        assert model.forecast(3) ** 2 == pytest.approx(expected, rel=1e-6)
