"""Impact, illiquidity, spread, flow and volume columns against plain numpy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from features.families.impact import FAMILIES as IMPACT
from features.families.volume import FAMILIES as VOLUME
from tests.micro_tapes import (
    Case,
    Piece,
    bars,
    check,
    check_degenerate,
    check_units,
    degenerate,
    divided,
    known_now_and_then,
    last,
    ticks,
)

MOVES, LIQUIDITY, SIDES = IMPACT
RATIO, TREND, TRADES = VOLUME


@pytest.fixture(scope="module", params=["sides", "no sides", "now and then"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "now and then":
        return known_now_and_then(bars())
    return bars(sides=request.param == "sides")


@pytest.mark.parametrize("n", [2, 20, 100])
@pytest.mark.parametrize("make", [ticks, bars])
def test_impact_and_roll_spread_equal_pandas(make, n: int) -> None:
    def reference(p: Piece, n: int) -> dict[str, np.ndarray]:
        r = p.r
        lagged = np.concatenate([[np.nan], r[:-1]])
        pairs = np.lib.stride_tricks.sliding_window_view(np.array([r, lagged]), n, axis=1)
        a, b = pairs - pairs.mean(axis=2, keepdims=True)
        spread = np.full(len(r), np.nan)
        spread[n - 1 :] = 2.0 * np.sqrt(np.maximum(-np.mean(a * b, axis=1), 0.0))
        return {f"price_impact_{n}": last(np.abs(r), n, np.mean), f"roll_spread_{n}": spread}

    # the root of a covariance that is nearly 0 has half of its digits, and it has them to 1e-23
    check(MOVES, (n,), make(), reference, roll_spread=1e-11)


def liquidity(p: Piece, n: int) -> dict[str, np.ndarray]:
    r, unknown = p.r, np.isnan(p.volume)
    volume = np.where(unknown, 0.0, p.volume)
    ruled = np.sign(r) * volume
    bought = volume * norm.cdf(r / p.volatility)
    signed = np.where(np.isnan(p.buy), ruled, 2.0 * p.buy - volume) * ~unknown
    apart = np.where(np.isnan(p.buy), 2.0 * bought - volume, 2.0 * p.buy - volume) * ~unknown
    money = volume * p.close
    traded = last(money > 0.0, n, np.sum)
    each = np.divide(np.abs(r), money, out=np.zeros(len(r)), where=money > 0.0)
    cost = last(each, n, np.sum) / np.maximum(traded, 1.0)
    slope = divided(last(r * signed, n, np.sum), last(signed**2, n, np.sum) * n)
    mean_money = last(money, n, np.sum) / np.maximum(traded, 1.0)
    found = {
        f"kyle_lambda_{n}": slope * last(volume, n, np.sum),
        f"amihud_{n}": cost,
        f"amihud_relative_{n}": divided(cost * mean_money, p.volatility),
        f"vpin_{n}": divided(last(np.abs(apart), n, np.sum), last(volume, n, np.sum)),
    }
    return {name: np.where(unknown, np.nan, column) for name, column in found.items()}


@pytest.mark.parametrize("n", [5, 64])
def test_liquidity_equals_numpy(case: Case, n: int) -> None:
    # a slope crosses 0; it is a return of about 1e-3
    check(LIQUIDITY, (n,), case, liquidity, kyle_lambda=1e-16)


def test_kyle_lambda_is_the_slope_of_a_regression_through_the_origin() -> None:
    case, n, at = bars(), 64, 1000
    got = case.columns(LIQUIDITY, (n,))["kyle_lambda_64"][at]
    part = slice(at - n + 1, at + 1)
    r = np.diff(np.log(case.tape.close))[at - n : at]
    volume = case.tape.values[part, 4]
    typical = (2.0 * case.buy[part] - volume) / volume.mean()
    assert got == pytest.approx(np.linalg.lstsq(typical[:, None], r, rcond=None)[0][0], rel=1e-12)


@pytest.mark.parametrize("n", [1, 16])
def test_flow_imbalance_equals_numpy(case: Case, n: int) -> None:
    def reference(p: Piece, n: int) -> dict[str, np.ndarray]:
        known = ~(np.isnan(p.volume) | np.isnan(p.buy))
        bought, volume = (np.where(known, x, 0.0) for x in (p.buy, p.volume))
        net = last(bought, n, np.sum) - last(volume - bought, n, np.sum)
        found = divided(net, last(volume, n, np.sum))
        return {f"flow_imbalance_{n}": np.where(known, found, np.nan)}

    # it crosses 0: a difference of nearly equal sums
    check(SIDES, (n,), case, reference, flow_imbalance=1e-14)


@pytest.mark.parametrize("n", [2, 20])
def test_volume_ratio_and_money_equal_pandas(case: Case, n: int) -> None:
    def reference(p: Piece, n: int) -> dict[str, np.ndarray]:
        volume = np.nan_to_num(p.volume)
        money = volume * p.close
        mean, deviation = last(money, n, np.mean), last(money, n, np.std)
        found = {
            f"volume_ratio_{n}": divided(volume, last(volume, n, np.mean)),
            f"dollar_volume_zscore_{n}": divided(money - mean, deviation),
        }
        return {k: np.where(np.isnan(p.volume), np.nan, v) for k, v in found.items()}

    check(RATIO, (n,), case, reference, dollar_volume_zscore=1e-13)  # a score crosses 0


@pytest.mark.parametrize("args", [(5, 50), (1, 3), (20, 10)])
def test_volume_trend_equals_pandas(case: Case, args: tuple[int, int]) -> None:
    def reference(p: Piece, m: int, n: int) -> dict[str, np.ndarray]:
        volume = np.nan_to_num(p.volume)
        short, long = last(volume, m, np.mean), last(volume, n, np.mean)
        found = divided(short - long, long)
        return {f"volume_trend_{m}_{n}": np.where(np.isnan(p.volume), np.nan, found)}

    check(TREND, args, case, reference, volume_trend=1e-14)  # it crosses 0


@pytest.mark.parametrize("n", [1, 20])
def test_trade_size_and_count_equal_numpy(case: Case, n: int) -> None:
    def reference(p: Piece, n: int) -> dict[str, np.ndarray]:
        known = ~(np.isnan(p.volume) | np.isnan(p.trades))
        volume, trades = (np.where(known, x, 0.0) for x in (p.volume, p.trades))
        usual = divided(last(volume, n, np.sum), last(trades, n, np.sum) * 1e6) * 1e6
        with np.errstate(all="ignore"):
            size = np.log(volume / trades / usual)
        found = {
            f"average_trade_size_{n}": np.where((volume > 0.0) & (trades > 0.0), size, 0.0),
            f"trade_count_ratio_{n}": divided(trades, last(trades, n, np.mean)),
        }
        return {name: np.where(known, column, np.nan) for name, column in found.items()}

    check(TRADES, (n,), case, reference, average_trade_size=1e-14)  # a log ratio crosses 0


@pytest.mark.parametrize(
    ("family", "args"),
    [
        (MOVES, (20,)), (LIQUIDITY, (20,)), (SIDES, (16,)), (RATIO, (20,)), (TREND, (5, 50)),
        (TRADES, (20,)),
    ],
)  # fmt: skip
def test_nothing_is_infinite_and_units_do_not_matter(family, args) -> None:
    check_degenerate(family, args)
    check_units(family, args, bars(), rtol=1e-9, atol=1e-12)


def test_volume_long_gone_leaves_nothing_behind() -> None:
    """After a huge volume and then none, a running sum would be a rest of rounding."""
    case = degenerate()["one huge volume"]
    case.tape.values[201:, 4] = 0.0
    case.trades[201:] = 0.0
    case.buy[:] = np.nan
    for family, args in ((LIQUIDITY, (64,)), (RATIO, (20,)), (TREND, (5, 50)), (TRADES, (20,))):
        for name, column in case.columns(family, args).items():
            assert (column[-100:] == 0.0).all(), name


def test_ticks_have_no_volume_columns() -> None:
    for family, args in ((LIQUIDITY, (64,)), (SIDES, (16,)), (RATIO, (20,)), (TRADES, (20,))):
        for name, column in ticks().columns(family, args).items():
            assert np.isnan(column).all(), name


def test_roll_finds_the_spread_of_a_bouncing_price() -> None:
    """Roll (1984): trades at bid or ask by chance, half a spread around a walk."""
    rng = np.random.default_rng(5)
    case = bars()
    walk = np.cumsum(rng.normal(0.0, 1e-5, 3000))
    case.tape.values[:, :4] = 100.0 * np.exp(walk + rng.choice([-1e-3, 1e-3], 3000))[:, None]
    got = pd.Series(case.columns(MOVES, (1000,))["roll_spread_1000"]).iloc[-1]
    assert got == pytest.approx(2e-3, rel=0.1)
