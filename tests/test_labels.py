"""Labels of direction against a plain loop; of every kind: what settles them, and their config."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.labels import DOWN, FLAT, NONE, UP, LabelConfig, label
from market.config import Config, load
from market.errors import ConfigError
from market.execution import Costs
from market.tape import Tape
from tests.label_tapes import tape_of, tapes

KINDS = [
    LabelConfig(horizon=7),
    LabelConfig(kind="barrier", horizon=12, target=0.8, stop=0.5),
    LabelConfig(kind="barrier", horizon=12, target=0.5, stop=2.0, expiry="sign"),
    LabelConfig(kind="highlow"),
    LabelConfig(kind="highlow", names=("high_040_3", "low_060_40"), rule="first", tolerance=0.5),
]


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


def test_an_unknown_volatility_is_no_label() -> None:
    labels, ends = label(
        LabelConfig(horizon=1), tape_of([1.0, 2.0]), np.array([0]), np.array([np.nan])
    )
    assert (labels.tolist(), ends.tolist()) == ([NONE], [0])


@pytest.mark.parametrize("config", KINDS, ids=lambda config: config.kind)
@settings(max_examples=25, deadline=None)
@given(tape=tapes())
def test_a_label_is_known_at_its_end_and_not_before(config: LabelConfig, tape: Tape) -> None:
    rows, volatility = np.arange(len(tape)), np.full(len(tape), 0.003)
    costs = Costs(commission=0.0002)
    labels, ends = label(config, tape, rows, volatility, costs)
    assert (ends <= rows + config.horizon).all()
    for row in rows:
        at = slice(row, row + 1)
        if labels[row] == NONE:
            assert ends[row] == row
            continue
        assert ends[row] > row
        told, end = label(config, tape.slice(0, ends[row] + 1), rows[at], volatility[at], costs)
        assert (told[0], end[0]) == (labels[row], ends[row])
        short, end = label(config, tape.slice(0, ends[row]), rows[at], volatility[at], costs)
        assert (short[0], end[0]) == (NONE, row)


@pytest.mark.parametrize("config", KINDS, ids=lambda config: config.kind)
def test_nothing_to_label(config: LabelConfig) -> None:
    tape, none = tape_of([100.0, 101.0]), np.zeros(0, np.int64)
    labels, ends = label(config, tape, none, np.zeros(0))
    assert (labels.tolist(), ends.tolist()) == ([], [])
    labels, ends = label(config, tape, np.array([1]), np.array([0.01]))
    assert (labels.tolist(), ends.tolist()) == ([NONE], [1])


@pytest.mark.parametrize("config", KINDS, ids=lambda config: config.kind)
def test_a_constant_price_and_a_hundredfold_one(config: LabelConfig) -> None:
    rows = np.arange(90)
    labels, _ = label(config, tape_of([5.0] * 90), rows, np.zeros(90))
    assert set(labels.tolist()) == {FLAT, NONE}
    rising = [5.0] * 45 + [500.0] * 45
    labels, _ = label(config, tape_of(rising), rows, np.full(90, 0.001))
    assert labels[42] == UP
    labels, _ = label(config, tape_of(rising[::-1]), rows, np.full(90, 0.001))
    assert labels[42] == DOWN


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizon": 0},
        {"threshold": -1.0},
        {"horizont": 3},
        {"kind": "meta"},
        {"target": 0.0},
        {"stop": 2.0},
        {"kind": "barrier", "threshold": 0.5},
        {"kind": "barrier", "expiry": "up"},
        {"kind": "barrier", "names": ["high_030_5"]},
        {"kind": "highlow", "names": ["mid_030_4"]},
        {"kind": "highlow", "names": []},
        {"kind": "highlow", "names": [3]},
        {"kind": "highlow", "names": ["high_030_4", "high_040_4"]},
        {"kind": "highlow", "horizon": 5},
        {"kind": "highlow", "target": 2.0},
        {"rule": "first"},
    ],
    ids=str,
)
def test_config_is_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=list(wrong)[-1]):
        LabelConfig(**wrong)


@pytest.mark.parametrize("config", KINDS, ids=lambda config: config.kind)
def test_a_config_survives_being_written_down(config: LabelConfig) -> None:
    assert LabelConfig.model_validate(config.model_dump()) == config
    assert LabelConfig.model_validate_json(config.model_dump_json()) == config


def test_the_names_say_the_horizon() -> None:
    config = LabelConfig(kind="highlow", names=("low_030_12", "high_030_4"))
    assert config.horizon == 12
    assert LabelConfig(kind="highlow").horizon == 4
    assert LabelConfig.model_validate(["low_030_12", "high_030_4"]) == config


class Strategy(Config):
    """A config that has labels, as the floor's."""

    labels: LabelConfig = LabelConfig()


def test_labels_of_a_strategy_are_a_list_of_names(tmp_path: Path) -> None:
    file = tmp_path / "strategy.yaml"
    file.write_text("labels: [high_030_4, low_030_4]\n")
    assert load(file, Strategy).labels == LabelConfig(kind="highlow")
    file.write_text("labels:\n  horizon: 12\n")
    assert load(file, Strategy).labels == LabelConfig(horizon=12)
    file.write_text("labels: [high_030_4, mid_030_4]\n")
    with pytest.raises(ConfigError, match=r"must be like high_030_4.*'mid_030_4'"):
        load(file, Strategy)
    file.write_text("labels:\n  kind: barrier\n  names: [high_030_12]\n")
    with pytest.raises(ConfigError, match=r"yaml:3: labels.names: is for .*kind highlow"):
        load(file, Strategy)
