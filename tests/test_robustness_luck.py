"""Luck: resampled paths are what a loop in plain Python walks, and bands cover what they claim."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import DataError
from tests.robustness_cases import CAPITAL, following, rerunner, traded, walk
from trading.record import Record
from trading.robustness.montecarlo import of_markets, of_trades, trade_returns
from trading.robustness.paths import ENDS, FIGURES, walked


@pytest.fixture(scope="module")
def run():
    tape, signal = walk(600, 3, ic=0.2)
    return Record("run", {"A": traded(tape, np.sign(signal))})


def by_hand(steps, compound):
    worth, peak, lowest, depth, dry, longest, streak, most = 1.0, 1.0, 1.0, 0.0, 0, 0, 0, 0
    for step in steps:
        worth = max(0.0, worth * (1 + step) if compound else worth + step) if worth > 0 else 0.0
        streak = streak + 1 if step < 0 else 0
        most = max(most, streak)
        dry = 0 if worth >= peak else dry + 1
        peak, longest, lowest = max(peak, worth), max(longest, dry), min(lowest, worth)
        depth = max(depth, 1 - worth / peak)
    return [worth, depth, longest / len(steps), most, lowest]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=20), st.booleans())
def test_a_path_is_walked_as_a_plain_loop_walks_it(steps, compound):
    figures, levels = walked(
        np.array(steps),
        np.arange(len(steps) + 1),
        1.0,
        0,
        np.random.default_rng(0),
        compound=compound,
    )
    assert figures[0].tolist() == pytest.approx(by_hand(steps, compound))
    assert levels[0, -1] == figures[0, ENDS["end"]]
    assert levels[0, 0] == 1.0


def test_blocks_keep_neighbours_and_shuffling_keeps_every_step():
    steps = np.full(60, 1e-3)
    steps[20:40] = -1e-3  # luck in runs: a streak of twenty
    most = {
        block: walked(steps, np.array([60]), block, 400, np.random.default_rng(1))[0][1:, 3].mean()
        for block in (1.0, 20.0)
    }
    assert most[1.0] < 6.0 < 10.0 < most[20.0]
    figures, _ = walked(
        steps, np.array([60]), 1.0, 50, np.random.default_rng(1), shuffle=True, compound=False
    )
    assert np.allclose(figures[1:, 0], 1.02)
    assert np.ptp(figures[1:, ENDS["drawdown"]]) > 0.0


def test_an_endless_block_goes_round():
    steps = np.array([0.1, 0.2, -0.1, 0.05, -0.3])
    _, levels = walked(steps, np.arange(6), 1e12, 40, np.random.default_rng(3), compound=False)
    rotations = {tuple(np.roll(steps, k).round(9)) for k in range(5)}
    assert {tuple(one.round(9)) for one in np.diff(levels)} == rotations


def test_the_mean_over_the_paths_is_that_of_the_trades(run):
    found = of_trades(run, np.random.default_rng(2), samples=4000, compound=False)
    edges, counts = np.array(found.finals.edges), np.array(found.finals.counts)
    middles = (edges[1:] + edges[:-1]) / 2
    mean = float(middles @ counts) / counts.sum()
    own = run.trips.pnl.sum()
    spread = run.trips.pnl.std() * np.sqrt(len(run.trips))
    assert mean == pytest.approx(own, abs=4 * spread / np.sqrt(4000) + np.diff(edges)[0])
    assert found.pnl.value == pytest.approx(own)
    assert found.pnl.low < own < found.pnl.high


def test_shuffled_trades_end_where_the_run_ended(run):
    found = of_trades(run, np.random.default_rng(2), samples=200, shuffle=True)
    assert found.pnl.value == pytest.approx(run.trips.pnl.sum(), rel=1e-3)
    assert found.pnl.low == pytest.approx(found.pnl.value)
    assert found.finals.counts == (200,)
    assert found.fan.bands[0][-1] == pytest.approx(found.fan.bands[-1][-1])
    assert found.drawdown.low < found.drawdown.high
    assert len(found.fan.own) == len(found.fan.steps)
    assert found.fan.own[0] == CAPITAL


def test_bands_cover_what_they_claim():
    """Of ninety in a hundred experiments the 90 % interval holds the true mean."""
    rng, n, mean = np.random.default_rng(4), 120, 2e-3
    inside = {1.0: 0, 10.0: 0}
    alike = 0
    for _ in range(200):
        noise = rng.normal(0.0, 1e-2, n)
        trades = mean + noise
        ends = walked(trades, np.array([n]), 1.0, 200, rng, compound=False)[0][1:, 0]
        low, high = np.quantile(ends, (0.05, 0.95))
        alike += low <= 1.0 + n * mean <= high
        # neighbours that share their luck: four trades with one draw
        shared = mean + np.repeat(rng.normal(0.0, 1e-2, n // 4), 4)
        for block in inside:
            ends = walked(shared, np.array([n]), block, 200, rng, compound=False)[0][1:, 0]
            low, high = np.quantile(ends, (0.05, 0.95))
            inside[block] += low <= 1.0 + n * mean <= high
    assert 0.83 <= alike / 200 <= 0.95
    assert inside[1.0] / 200 < 0.7, "independent draws claim to know what they don't"
    assert inside[10.0] / 200 > 0.75


def test_loss_and_ruin_are_shares_of_the_paths():
    tape, _ = walk(60, 1)
    one = traded(tape, np.tile([1.0, 0.0], 30))
    for pnl, loss, ruin in ((5.0, 0.0, 0.0), (-40.0, 1.0, 1.0)):
        alike = replace(one.trips, pnl=np.full(len(one.trips), pnl))
        record = Record("alike", {"A": replace(one, trips=alike)})
        found = of_trades(record, np.random.default_rng(0), samples=20, compound=False)
        assert (found.loss, found.ruin) == (loss, ruin)
    assert found.ruin_at == 0.5
    assert len(one.trips) * 40.0 > 0.5 * CAPITAL


def test_a_fan_is_ordered_and_says_the_same_twice(run):
    first, second = (of_trades(run, np.random.default_rng(7), samples=100) for _ in range(2))
    assert first == second
    bands = np.array(first.fan.bands)
    assert (np.diff(bands, axis=0) >= 0.0).all()
    assert bands.shape == (len(first.fan.levels), len(first.fan.steps))
    assert json.loads(json.dumps(first.as_dict(), allow_nan=False))["kind"] == "trades"
    assert trade_returns(run).shape == (len(run.trips),)


def test_markets_are_resampled_alike_for_symbols_that_move_together():
    one, _ = walk(300, 5)
    other = walk(300, 5, "B")[0]
    rerun = rerunner({"A": one, "B": other}, lambda tape: following(tape))
    found = of_markets(rerun, {"A": one, "B": other}, 20, np.random.default_rng(1), samples=4)
    drawn = [call.tapes for call in rerun.calls if call.tapes]
    assert len(drawn) == found.samples == 4
    for tapes in drawn:
        assert np.array_equal(tapes["A"].close, tapes["B"].close)
        assert sorted(np.diff(np.log(tapes["A"].close)).round(12)) != sorted(
            np.diff(np.log(one.close)).round(12)
        ), "with repetition"
    assert len({float(tapes["A"].close[-1]) for tapes in drawn}) == 4
    assert found.kind == "paths"
    assert found.pnl.low <= found.pnl.high
    own = rerun.calls[0]
    assert not own.tapes
    assert found.fan.own[-1] - found.fan.own[0] == pytest.approx(found.pnl.value)


def test_what_can_not_be_drawn_is_refused():
    tape, _ = walk(50)
    idle = Record("idle", {"A": traded(tape, np.zeros(50))})
    with pytest.raises(DataError, match="idle: no trade to draw from"):
        of_trades(idle, np.random.default_rng(0))
    with pytest.raises(ValueError, match="samples must be at least 1, was 0"):
        of_trades(idle, np.random.default_rng(0), samples=0)
    with pytest.raises(ValueError, match="ruin_at must be above 0 and at most 1, was 0"):
        of_trades(idle, np.random.default_rng(0), ruin_at=0.0)
    with pytest.raises(ValueError, match="steps must be finite, was nan at 1"):
        walked(np.array([0.1, np.nan]), np.array([0]), 1.0, 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="block must be at least 1, was 0"):
        walked(np.array([0.1]), np.array([0]), 0.0, 1, np.random.default_rng(0))
    assert len(FIGURES) == 5
