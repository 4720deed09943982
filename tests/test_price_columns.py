"""Prices, returns and shapes of bars against pandas and numpy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.families import candle, prices, returns
from market.tape import Tape
from tests.family import columns

N, GAP = 2500, 1700
START = 1_775_000_000_000_000_000
FAMILIES = (*prices.FAMILIES, *returns.FAMILIES, *candle.FAMILIES)


def bars(seed: int = 2) -> Tape:
    """Bars with ranges, two dead ones, one without volume, and a gap in the feed."""
    rng = np.random.default_rng(seed)
    close = 30_000.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, N)))
    open_ = close * np.exp(rng.normal(0.0, 5e-4, N))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0.0, 5e-4, N)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0.0, 5e-4, N)))
    volume = rng.lognormal(3.0, 1.0, N)
    values = np.column_stack([open_, high, low, close, volume])
    values[300:302, :4] = close[299]
    values[301, 4] = 0.0
    fresh = np.zeros(N, np.bool_)
    fresh[GAP] = True
    return Tape("Y", True, START + np.arange(N) * 300_000_000_000, values, fresh)


def ticks(seed: int = 1) -> Tape:
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0, 1e-4, N) * (rng.random(N) > 0.1)
    tape = Tape.of_ticks(
        "X", START + np.arange(N) * 2_000_000_000, np.round(5000 * np.exp(np.cumsum(moves)), 4)
    )
    tape.fresh[GAP] = True
    return tape


def every(tape: Tape, **more: np.ndarray) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for family in FAMILIES:
        for args in family.defaults:
            found |= columns(family, args, tape, **more)
    return found


def reference(tape: Tape) -> dict[str, np.ndarray]:
    """Each part between gaps on its own; nan until there is enough of it."""
    parts = []
    for rows in np.split(np.arange(len(tape)), np.flatnonzero(tape.fresh)):
        names = ["open", "high", "low", "close", "volume"]
        frame = pd.DataFrame(tape.values[rows, :5], columns=names, index=rows)
        o, h, l, c = (frame[name] for name in ("open", "high", "low", "close"))  # noqa: E741
        for n in (1, 5, 15, 60):
            frame[f"log_return_{n}"] = np.log(c).diff(n)
        frame["gap"] = np.log(o) - np.log(c.shift(1))
        span = (h - l).where(h > l)
        frame["body"] = ((c - o) / span).fillna(0.0)
        frame["upper_wick"] = ((h - frame[["open", "close"]].max(axis=1)) / span).fillna(0.0)
        frame["lower_wick"] = ((frame[["open", "close"]].min(axis=1) - l) / span).fillna(0.0)
        frame["bar_range"] = (h - l) / c
        frame["spread_pct_3"] = sum(((h - l) / c).shift(i) for i in range(3)) / 3
        parts.append(frame)
    whole = pd.concat(parts)
    return {name: whole[name].to_numpy() for name in whole}


@pytest.fixture(scope="module", params=["ticks", "bars"])
def case(request: pytest.FixtureRequest) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    tape = ticks() if request.param == "ticks" else bars()
    found, want = every(tape), reference(tape)
    assert set(found) == {*want, "trade_count"}
    return found, want


@pytest.mark.parametrize("name", [n for f in FAMILIES for a in f.defaults for n in f.names(a)])
def test_column_equals_its_reference_and_starts_with_it(case, name: str) -> None:
    found, want = case
    if name == "trade_count":
        assert np.isnan(found[name]).all()
        return
    # logs of prices and sums of returns are rounded to 1e-15; returns cross 0
    atol = 1e-14 if name == "gap" or name.startswith("log_return") else 0.0
    np.testing.assert_allclose(found[name], want[name], rtol=1e-9, atol=atol, equal_nan=True)


def test_trades_are_told_as_they_came() -> None:
    tape = bars()
    trades = np.arange(N) % 7.0
    trades[5] = np.nan
    np.testing.assert_array_equal(every(tape, trades=trades)["trade_count"], trades)


def degenerate() -> dict[str, Tape]:
    still = np.full(200, 1.25)
    jump = still.copy()
    jump[100:] = 125.0
    times = START + np.arange(200) * 1_000_000_000
    # high below low, or both beside the close: bars of a careless source
    careless = bars()
    careless.values[:, [1, 2]] = careless.values[:, [2, 1]]
    careless.values[1::2, 1] = careless.values[1::2, 2] * 1.00001
    return {
        "constant": Tape.of_ticks("X", times, still),
        "single": Tape.of_ticks("X", times[:1], still[:1]),
        "hundredfold": Tape.of_ticks("X", times, jump),
        "careless": careless,
    }


@pytest.mark.parametrize("kind", list(degenerate()))
def test_columns_stay_finite_and_within_their_bounds(kind: str) -> None:
    tape = degenerate()[kind]
    for family in FAMILIES:
        for args in family.defaults:
            found = columns(family, args, tape)
            for column, values in zip(family.columns, found.values(), strict=True):
                if family.need in ("volume", "trades") and (kind != "careless"):
                    assert np.isnan(values).all()
                elif family.need != "trades":
                    warm = values[family.warmup(args) - 1 :]
                    if kind != "careless":
                        assert np.isfinite(warm).all()
                    assert not ((values < column.low) | (values > column.high)).any()


def test_another_unit_of_price_leaves_scale_free_columns_alone() -> None:
    tape = bars()
    other = bars()
    other.values[:, :4] *= 0.01
    found, moved = every(tape), every(other)
    for family in FAMILIES:
        for args in family.defaults:
            for name, column in zip(family.names(args), family.columns, strict=True):
                want = found[name] * (0.01 if column.unit == "price" else 1.0)
                np.testing.assert_allclose(
                    moved[name], want, rtol=1e-9, atol=1e-12, equal_nan=True, err_msg=name
                )
