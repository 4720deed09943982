"""Labels against a plain loop, at the tape's end and at gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.labels import DOWN, FLAT, NONE, UP, LabelConfig, label
from market.tape import Tape


def tape_of(prices: list[float], gaps: tuple[int, ...] = ()) -> Tape:
    tape = Tape.of_ticks("X", np.arange(1, len(prices) + 1), np.array(prices))
    fresh = np.zeros(len(prices), np.bool_)
    fresh[list(gaps)] = True
    return Tape("X", False, tape.times, tape.values, fresh)


def test_by_hand() -> None:
    tape = tape_of([100.0, 101.0, 100.0, 100.0, 98.0])
    rows = np.arange(5)
    config = LabelConfig(horizon=1, threshold=1.0)
    labels, end = label(config, tape, rows, np.full(5, 0.005))
    assert labels.tolist() == [UP, DOWN, FLAT, DOWN, NONE]
    assert end.tolist() == [1, 2, 3, 4, 4]
    # a move of one per cent is within the noise when the noise is two
    labels, _ = label(config, tape, rows, np.full(5, 0.02))
    assert labels.tolist() == [FLAT, FLAT, FLAT, DOWN, NONE]


def test_the_bound_grows_with_the_root_of_the_horizon() -> None:
    tape = tape_of([100.0] * 4 + [100.0 * np.exp(0.0199)])
    volatility = np.full(1, 0.01)
    rows = np.array([0])
    assert label(LabelConfig(horizon=4, threshold=1.0), tape, rows, volatility)[0][0] == FLAT
    assert label(LabelConfig(horizon=4, threshold=0.99), tape, rows, volatility)[0][0] == UP


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    horizon=st.integers(1, 30),
    gaps=st.sets(st.integers(1, 59), max_size=5),
)
def test_equals_a_plain_loop(seed: int, horizon: int, gaps: set[int]) -> None:
    rng = np.random.default_rng(seed)
    tape = tape_of(list(np.exp(rng.normal(0, 0.01, 60).cumsum())), tuple(gaps))
    rows = np.flatnonzero(rng.random(60) < 0.5)
    volatility = rng.uniform(0.005, 0.02, len(rows))
    config = LabelConfig(horizon=horizon)
    labels, ends = label(config, tape, rows, volatility)
    for i, row in enumerate(rows):
        stop = row + horizon
        if stop >= 60 or tape.fresh[row + 1 : stop + 1].any():
            assert (labels[i], ends[i]) == (NONE, row)
            continue
        move = np.log(tape.close[stop] / tape.close[row])
        bound = config.threshold * volatility[i] * horizon**0.5
        want = UP if move > bound else DOWN if move < -bound else FLAT
        assert (labels[i], ends[i]) == (want, stop)


def test_classes_are_balanced_on_a_random_walk() -> None:
    rng = np.random.default_rng(0)
    tape = tape_of(list(np.exp(rng.normal(0, 1e-4, 200_000).cumsum())))
    rows = np.arange(0, 199_900, 30)
    labels, _ = label(LabelConfig(), tape, rows, np.full(len(rows), 1e-4))
    shares = np.bincount(labels, minlength=3) / len(rows)
    assert shares == pytest.approx([1 / 3] * 3, abs=0.02)


@pytest.mark.parametrize("wrong", [{"horizon": 0}, {"threshold": -1.0}, {"horizont": 3}])
def test_config_is_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LabelConfig(**wrong)
