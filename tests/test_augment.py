"""Augmentation: what must stay stays, whatever the tape; and markets keep their statistics."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.augment import block_bootstrap, jitter, warp
from market.errors import DataError
from market.events import SECOND
from market.tape import BUY_VOLUME, CLOSE, TRADES, VOLUME, Tape

WAYS = {
    "bootstrap": lambda tape, rng: block_bootstrap(tape, 7, rng),
    "jitter": lambda tape, rng: jitter(tape, 0.4, rng),
    "warp": lambda tape, rng: warp(tape, 0.5, 9, rng),
    "events": lambda tape, rng: warp(tape, 0.5, 9, rng, clock="events"),
}


def market(seed: int, rows: int, bars: bool, gaps: float = 0.05, still: float = 0.2) -> Tape:
    """A tape with gaps, prices that do not move, clustered volatility, at times no volume."""
    rng = np.random.default_rng(seed)
    moved = rng.random(rows) > still
    sigma = 1e-3 * np.exp(np.sin(np.arange(rows) / 50.0))
    close = 100.0 * np.exp(np.cumsum(np.where(moved, sigma * rng.standard_t(8, rows), 0.0)))
    times = 10**15 + np.cumsum(rng.integers(1, 4 * SECOND, rows))
    if not bars:
        tape = Tape.of_ticks("R_75", times, close)
        return Tape("R_75", False, times, tape.values, rng.random(rows) < gaps)
    before = np.concatenate([close[:1], close[:-1]])
    open_ = before * np.exp(np.where(moved, 1e-4 * rng.normal(size=rows), 0.0))
    wide = np.where(moved, rng.exponential(1e-3, rows), 0.0)
    high, low = np.maximum(open_, close) * (1.0 + wide), np.minimum(open_, close) * (1.0 - wide)
    volume = np.where(rng.random(rows) < 0.1, np.nan, rng.exponential(5.0, rows))
    trades, bought = np.ceil(volume), 0.4 * volume
    values = np.column_stack([open_, high, low, close, volume, trades, bought])
    return Tape("BTC", True, times, values, rng.random(rows) < gaps)


def returns(tape: Tape) -> np.ndarray:
    """Log returns of the rows that have one of their own."""
    return np.diff(np.log(tape.close))[~tape.fresh[1:]]


@settings(max_examples=80, deadline=None)
@given(
    way=st.sampled_from(sorted(WAYS)),
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(0, 120),
    bars=st.booleans(),
    gaps=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_what_must_stay_stays(way: str, seed: int, rows: int, bars: bool, gaps: float) -> None:
    tape = market(seed, rows, bars, gaps)
    made = WAYS[way](tape, np.random.default_rng(seed))
    again = WAYS[way](tape, np.random.default_rng(seed))
    np.testing.assert_array_equal(made.values, again.values)
    np.testing.assert_array_equal(made.times, again.times)
    assert (made.symbol, made.bars, len(made)) == (tape.symbol, tape.bars, len(tape))
    np.testing.assert_array_equal(made.fresh, tape.fresh)
    assert (made.values[:, :VOLUME] > 0.0).all()
    open_, high, low, close, volume = made.values[:, :5].T
    assert (low <= np.minimum(open_, close)).all()
    assert (high >= np.maximum(open_, close)).all()
    assert not (volume < 0.0).any()
    if not bars:
        assert (made.values[:, :VOLUME] == close[:, None]).all()
        assert np.isnan(made.values[:, VOLUME:]).all()
    if rows:
        np.testing.assert_array_equal(made.values[0], tape.values[0])
        jumps = np.flatnonzero(tape.fresh[1:]) + 1  # are no returns, and stay as they are
        np.testing.assert_allclose(
            close[jumps] / close[jumps - 1], tape.close[jumps] / tape.close[jumps - 1], rtol=1e-12
        )
        starts = np.flatnonzero(tape.fresh)
        np.testing.assert_array_equal(made.times[starts], tape.times[starts])
    if way != "events":
        np.testing.assert_array_equal(made.times, tape.times)
    if way in ("jitter", "warp", "events"):
        moved = np.diff(tape.close) != 0.0
        assert (np.diff(close)[~moved] == 0.0).all()


def test_nothing_in_the_given_tape_changes() -> None:
    for bars in (False, True):
        tape = market(1, 200, bars)
        kept = tape.values.copy(), tape.times.copy(), tape.fresh.copy()
        for way in WAYS.values():
            made = way(tape, np.random.default_rng(0))
            made.values[:] = 1.0
            made.times[:] = 0
            made.fresh[:] = True
        np.testing.assert_array_equal(tape.values, kept[0])
        np.testing.assert_array_equal(tape.times, kept[1])
        np.testing.assert_array_equal(tape.fresh, kept[2])


def test_a_resampled_row_brings_all_that_was_its_own() -> None:
    tape = market(2, 400, bars=True, still=0.0)
    made = block_bootstrap(tape, 10, np.random.default_rng(3))

    def rows(one: Tape) -> np.ndarray:
        shape = one.values[1:, :VOLUME] / one.values[:-1, CLOSE, None]
        return np.column_stack([shape, one.values[1:, VOLUME:]])[~one.fresh[1:]]

    own, new = rows(tape), rows(made)
    source = [int(np.abs(own[:, 1] - row[1]).argmin()) for row in new]
    np.testing.assert_allclose(new, own[source], rtol=1e-9)
    follows = sum((b - a) % len(own) == 1 for a, b in pairwise(source))
    assert 0.82 < follows / len(new) < 0.97  # 9 of 10 at a mean length of 10
    assert len(set(source)) > 0.4 * len(own)
    same = block_bootstrap(tape.slice(0, 1), 10, np.random.default_rng(3))
    np.testing.assert_array_equal(same.values, tape.values[:1])


def test_blocks_keep_what_comes_after_what() -> None:
    rng = np.random.default_rng(4)
    moves = np.zeros(40_000)
    for i in range(1, len(moves)):
        moves[i] = 0.5 * moves[i - 1] + 1e-4 * rng.normal()
    tape = Tape.of_ticks("x", np.arange(1, 40_001), 50.0 * np.exp(np.cumsum(moves)))

    def follows(one: Tape) -> float:
        r = returns(one)
        return float(np.corrcoef(r[1:], r[:-1])[0, 1])

    assert follows(tape) == pytest.approx(0.5, abs=0.02)
    long = block_bootstrap(tape, 100, rng)
    assert follows(long) == pytest.approx(0.5 * 0.99, abs=0.03)
    assert returns(long).std() == pytest.approx(returns(tape).std(), rel=0.05)
    assert follows(block_bootstrap(tape, 1, rng)) == pytest.approx(0.0, abs=0.03)
    noisy = jitter(tape, 1.0, rng)
    assert follows(noisy) == pytest.approx(0.25, abs=0.03)  # half of the variance is noise
    warped = warp(tape, 0.5, 500, rng)
    assert follows(warped) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("bars", [False, True])
def test_mean_square_return_and_range_are_kept(bars: bool) -> None:
    tape = market(5, 20_000, bars)
    rng = np.random.default_rng(6)
    square = (returns(tape) ** 2).sum()
    for way, bound in (("bootstrap", 0.1), ("jitter", 0.05), ("warp", 1e-6), ("events", 1e-6)):
        made = WAYS[way](tape, rng)
        assert (returns(made) ** 2).sum() == pytest.approx(square, rel=bound), way
        width = np.log(made.values[:, 1] / made.values[:, 2]).mean()
        expected = np.log(tape.values[:, 1] / tape.values[:, 2]).mean()
        assert width == pytest.approx(expected, rel=0.2, abs=1e-12), way


def test_noise_has_the_volatility_around_it() -> None:
    rng = np.random.default_rng(7)
    sigma = np.repeat([1e-4, 1e-2], 5000)
    tape = Tape.of_ticks(
        "x", np.arange(1, 10_001), np.exp(np.cumsum(sigma * rng.normal(size=10_000)))
    )
    noise = np.sqrt(1.25) * returns(jitter(tape, 0.5, rng)) - returns(tape)
    assert noise[500:4900].std() == pytest.approx(0.5e-4, rel=0.1)
    assert noise[5500:].std() == pytest.approx(0.5e-2, rel=0.1)
    assert abs(np.corrcoef(noise[:4900], returns(tape)[:4900])[0, 1]) < 0.05


def test_a_faster_clock_moves_more_or_comes_sooner() -> None:
    tape = market(8, 5000, bars=True, gaps=0.0, still=0.0)
    made = warp(tape, 0.5, 200, np.random.default_rng(9))
    speed = (returns(made) / returns(tape)) ** 2
    logs = np.log(speed)
    assert logs.std() == pytest.approx(0.5, rel=0.4)
    assert np.corrcoef(logs[1:], logs[:-1])[0, 1] > 0.99
    known = np.isfinite(tape.values[1:, VOLUME])
    for amount in (VOLUME, TRADES, BUY_VOLUME):
        more = (made.values[1:, amount] / tape.values[1:, amount])[known]
        np.testing.assert_allclose(more, speed[known], rtol=1e-6)
    sooner = warp(tape, 0.5, 200, np.random.default_rng(9), clock="events")
    steps = np.diff(tape.times) / np.diff(sooner.times)
    np.testing.assert_allclose(steps / steps.mean(), speed / speed.mean(), rtol=1e-4)
    np.testing.assert_allclose(sooner.values, tape.values, rtol=1e-9)
    assert sooner.times[-1] == tape.times[-1]


def test_events_that_leave_no_time_to_warp_stay() -> None:
    tape = Tape.of_ticks("x", np.arange(1, 50), np.full(49, 2.0))
    made = warp(tape, 1.0, 3, np.random.default_rng(0), clock="events")
    np.testing.assert_array_equal(made.times, tape.times)
    crowded = Tape.of_ticks("x", np.array([1, 2, 3, 4, 9]), np.full(5, 2.0))
    made = warp(crowded, 1.0, 3, np.random.default_rng(0), clock="events")
    assert made.times[0] == 1
    assert made.times[-1] == 9
    assert np.diff(made.times).min() >= 1


def test_nothing_asked_for_is_nothing_done() -> None:
    tape = market(10, 300, bars=True)
    for made in (
        jitter(tape, 0.0, np.random.default_rng(0)),
        warp(tape, 0.0, 5, np.random.default_rng(0)),
        warp(tape, 0.0, 5, np.random.default_rng(0), clock="events"),
    ):
        np.testing.assert_allclose(made.values, tape.values, rtol=1e-12)
        assert np.abs(made.times - tape.times).max() <= len(tape)  # nanoseconds


def test_dead_prices_and_wrong_input() -> None:
    dead = Tape.of_ticks("x", np.arange(1, 30), np.full(29, 2.0))
    for way in WAYS.values():
        assert (way(dead, np.random.default_rng(0)).close == 2.0).all()
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="block must be at least 1, was 0"):
        block_bootstrap(dead, 0, rng)
    with pytest.raises(ValueError, match="scale must be finite and not negative, was -1"):
        jitter(dead, -1.0, rng)
    with pytest.raises(ValueError, match="half_life must be positive"):
        jitter(dead, 0.1, rng, half_life=0.0)
    with pytest.raises(ValueError, match="scale must be finite and not negative, was nan"):
        warp(dead, float("nan"), 3, rng)
    with pytest.raises(ValueError, match="span must be at least 1, was 0"):
        warp(dead, 0.1, 0, rng)
    wild = Tape.of_ticks("x", np.arange(1, 30), np.resize([1e-150, 1e150, 1e140], 29))
    with pytest.raises(DataError, match="x: its returns, put together anew, leave the range"):
        block_bootstrap(wild, 1, np.random.default_rng(0))
