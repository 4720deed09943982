"""The dataset: which decisions are in it, and that it knows no more than they did."""

from __future__ import annotations

import numpy as np
import pytest

from features.config import FeatureConfig
from features.dataset import build
from features.engine import FeatureEngine
from features.labels import NONE, UP, LabelConfig
from market.clock import due
from market.errors import DataError
from market.events import FeedGap
from market.execution import Costs
from market.tape import Tape

FEATURES = FeatureConfig(columns=("momentum_1", "momentum_4", "channel_place_8", "momentum_24"))
LABELS = LabelConfig(horizon=7)


def tape_of(n: int, gaps: tuple[int, ...] = (), seed: int = 0) -> Tape:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(rng.normal(0, 1e-3, n).cumsum())
    values = np.column_stack([close * 1.0001, close * 1.001, close * 0.999, close, close])
    fresh = np.zeros(n, np.bool_)
    fresh[list(gaps)] = True
    return Tape("X", True, np.arange(1, n + 1) * 1_000_000_000, values, fresh)


@pytest.mark.parametrize("every", [1, 3, 10])
def test_rows_are_the_live_decisions(every: int) -> None:
    """The engine, fed event by event, is due and warm exactly on these rows, with these values."""
    tape = tape_of(300, gaps=(100, 110, 200))
    data = build(tape, FEATURES, LABELS, every)
    engine, count, row, live = FeatureEngine(FEATURES), 0, -1, []
    for event in tape.events():
        engine.update(event)
        if isinstance(event, FeedGap):
            count = 0
            continue
        count, row = count + 1, row + 1
        if due(count, every) and engine.warm and row < len(tape) - 1:
            live.append((row, engine.values.copy(), engine.volatility))
    assert data.rows.tolist() == [row for row, _, _ in live]
    assert data.X.tobytes() == np.array([row for _, row, _ in live], np.float32).tobytes()
    assert data.volatility.tolist() == [volatility for _, _, volatility in live]
    assert data.schema == engine.schema
    assert data.names == engine.names


def test_what_each_row_says() -> None:
    tape = tape_of(300, gaps=(150,))
    data = build(tape, FEATURES, LABELS, 5)
    assert data.times.tolist() == tape.times[data.rows].tolist()
    assert data.price.tolist() == tape.close[data.rows].tolist()
    assert data.fill.tolist() == tape.open[data.rows + 1].tolist()
    assert np.isfinite(data.X).all()
    starts = data.rows[data.fresh]
    assert starts.tolist() == [24, 150 + 24], "first warm decision, and first after the gap"
    crossing = (data.rows < 150) & (data.rows + 7 >= 150)
    assert (data.label[crossing] == NONE).all()
    assert (data.label[data.rows + 7 >= 300] == NONE).all()
    known = data.label != NONE
    assert (data.label_end[known] == data.rows[known] + 7).all()
    assert (data.label_end[~known] == data.rows[~known]).all()


def test_decision_before_a_gap_is_filled_behind_it() -> None:
    tape = tape_of(120, gaps=(60,))
    data = build(tape, FEATURES, LABELS, 1)
    last = np.flatnonzero(data.rows == 59)[0]
    assert data.fill[last] == tape.open[60]


def test_a_slice_starts_afresh_and_leaves_the_whole_alone() -> None:
    data = build(tape_of(200), FEATURES, LABELS, 1)
    part = data.slice(10, 20)
    assert len(part) == 10
    assert part.rows.tolist() == data.rows[10:20].tolist()
    assert part.X.shape == (10, len(data.names))
    assert part.fresh.tolist() == [True] + [False] * 9
    assert not data.fresh[10]
    assert len(data.slice(5, 5)) == 0


def test_a_tape_too_short_says_what_it_needs() -> None:
    slow = FeatureConfig(columns=("momentum_24",))
    with pytest.raises(DataError, match=r"X: 60 events with 2 gaps .* more than 25 events"):
        build(tape_of(60, gaps=(20, 40)), slow, LABELS, 1)
    # Quick columns are known on some, slow ones on none: that is no reason to take these out.
    both = FeatureConfig(columns=("momentum_2", "momentum_24"))
    with pytest.raises(DataError, match=r"X: 60 events with 2 gaps .* more than 25 events"):
        build(tape_of(60, gaps=(20, 40)), both, LABELS, 1)
    with pytest.raises(DataError, match=r"X: 26 events with 0 gaps .* more than 25 events"):
        build(tape_of(26), both, LABELS, 4)
    with pytest.raises(ValueError, match="every must be at least 1, was 0"):
        build(tape_of(60), FEATURES, LABELS, 0)


def test_barriers_are_net_of_what_a_trade_costs() -> None:
    tape, labels = tape_of(600), LabelConfig(kind="barrier", horizon=8, target=1.0)
    free, dear = (
        build(tape, FEATURES, labels, 1),
        build(tape, FEATURES, labels, 1, Costs(slippage=5e-4)),
    )
    assert (free.label == UP).sum() > (dear.label == UP).sum() > 0
    assert dear.X.tobytes() == free.X.tobytes()
