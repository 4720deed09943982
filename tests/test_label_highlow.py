"""High and low labels against pandas and a plain loop, at ties and gaps, and the seeds' names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.labels import DOWN, FLAT, NO, NONE, UP, YES, LabelConfig, label
from features.labels.highlow import HighLow, binary
from market.tape import Tape
from tests.label_tapes import bars_of, tape_of, tapes

PAIR = ("high_030_4", "low_030_4")
STILL = (100.0, 100.0, 100.0, 100.0)
UPWARD = (100.0, 100.4, 99.9, 100.0)
DOWNWARD = (100.0, 100.1, 99.6, 100.0)
BOTH = (100.0, 100.4, 99.6, 100.0)


def asked(
    tape: Tape, row: int, name: str, rule: str = "touch", tolerance: float = 1.0
) -> tuple[int, int]:
    """Look at one bar after the other."""
    side, hundredths, horizon = name.split("_")
    away = int(hundredths) / 10_000 * (1 if side == "high" else -1)
    price = tape.close[row]
    for i in range(row + 1, row + int(horizon) + 1):
        if i >= len(tape) or tape.fresh[i]:
            return NONE, row
        _, high, low, _ = tape.values[i, :4]
        reached = {1: lambda goal, high=high: high >= goal, -1: lambda goal, low=low: low <= goal}
        sign = 1 if side == "high" else -1
        if rule == "first" and reached[-sign](price * (1.0 - away * tolerance)):
            return NO, i
        if reached[sign](price * (1.0 + away)):
            return YES, i
    return NO, row + int(horizon)


@settings(max_examples=150, deadline=None)
@given(
    tape=tapes(),
    name=st.sampled_from(["high_030_4", "low_030_4", "high_15_12", "low_100_40", "high_005_33"]),
    rule=st.sampled_from(["touch", "first"]),
    tolerance=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
def test_equals_a_plain_loop(tape, name, rule, tolerance) -> None:
    rows = np.arange(len(tape))
    labels, ends = binary(HighLow.parse(name), tape, rows, rule, tolerance)
    assert labels.dtype == np.int8
    for row in rows:
        assert (labels[row], ends[row]) == asked(tape, int(row), name, rule, tolerance), row


def test_touch_is_the_rolling_maximum_of_what_comes() -> None:
    rng = np.random.default_rng(5)
    n, horizon = 5000, 12
    close = 100.0 * np.exp(rng.normal(0, 0.001, n).cumsum())
    high, low = close * (1 + rng.exponential(5e-4, n)), close * (1 - rng.exponential(5e-4, n))
    tape = bars_of(list(zip(close, high, low, close, strict=True)))
    rows = np.arange(n - horizon)
    highest = pd.Series(high)[::-1].rolling(horizon).max()[::-1].shift(-1).to_numpy()[rows]
    lowest = pd.Series(low)[::-1].rolling(horizon).min()[::-1].shift(-1).to_numpy()[rows]
    above, _ = binary(HighLow.parse("high_030_12"), tape, rows)
    below, _ = binary(HighLow.parse("low_030_12"), tape, rows)
    np.testing.assert_array_equal(above, highest >= close[rows] * 1.003)
    np.testing.assert_array_equal(below, lowest <= close[rows] * 0.997)
    assert 0.2 < above.mean() < 0.8


@settings(max_examples=80, deadline=None)
@given(
    tape=tapes(),
    names=st.sampled_from(
        [PAIR, PAIR[::-1], PAIR[:1], PAIR[1:], ("high_015_3", "low_080_20"), ("low_030_40",)]
    ),
    rule=st.sampled_from(["touch", "first"]),
)
def test_the_classes_of_a_pair(tape, names, rule) -> None:
    rows = np.arange(len(tape))
    config = LabelConfig(kind="highlow", names=names, rule=rule)
    labels, ends = label(config, tape, rows, np.full(len(tape), np.nan))
    for row in rows:
        answers = {name[0]: asked(tape, int(row), name, rule) for name in names}
        high, low = (answers.get(side, (NO, 0))[0] for side in "hl")
        want = UP if high > low else DOWN if low > high else FLAT
        want = NONE if NONE in (high, low) else want
        end = row if want == NONE else max(end for _, end in answers.values())
        assert (labels[row], ends[row]) == (want, end)


def classes(*bars: tuple[float, float, float, float], **keys: object) -> tuple[int, int]:
    """Class of a decision at 100, four bars to go, and its end."""
    config = LabelConfig(kind="highlow", **keys)
    labels, ends = label(config, bars_of([STILL, *bars]), np.array([0]), np.array([0.01]))
    return int(labels[0]), int(ends[0])


def test_by_hand() -> None:
    assert classes(STILL, UPWARD, STILL, STILL) == (UP, 4)  # the low one might yet be reached
    assert classes(STILL, UPWARD, DOWNWARD, STILL) == (FLAT, 3)
    assert classes(STILL, STILL, STILL, DOWNWARD) == (DOWN, 4)
    assert classes(STILL, UPWARD, STILL) == (NONE, 0)
    assert classes(STILL, UPWARD, STILL, names=("high_030_4",)) == (UP, 2)
    assert classes(DOWNWARD, names=("low_030_4",)) == (DOWN, 1)
    assert classes(STILL, UPWARD, STILL, STILL, names=("low_030_4",)) == (FLAT, 4)


def test_which_price_was_reached_first() -> None:
    assert classes(UPWARD, DOWNWARD, rule="first") == (UP, 1)
    assert classes(STILL, DOWNWARD, UPWARD, rule="first") == (DOWN, 2)
    # .10 % the other way is too much for a tolerance of a third
    dip = (100.0, 100.0, 99.9, 100.0)
    assert classes(dip, UPWARD, STILL, STILL, rule="first", tolerance=0.3)[0] == FLAT
    assert classes(dip, UPWARD, STILL, STILL, rule="first", tolerance=0.5)[0] == UP


def test_a_tie_inside_one_bar_is_no_win() -> None:
    assert classes(STILL, BOTH, STILL, STILL, rule="first") == (FLAT, 2)
    assert classes(STILL, BOTH, STILL, STILL) == (FLAT, 2)
    tape = bars_of([STILL, BOTH])
    for name in PAIR:
        assert binary(HighLow.parse(name), tape, np.array([0]), "first")[0].tolist() == [NO]
        assert binary(HighLow.parse(name), tape, np.array([0]), "touch")[0].tolist() == [YES]


def test_ticks_and_gaps() -> None:
    prices = [100.0, 100.1, 100.3, 100.0, 99.0]
    answers = [binary(HighLow.parse("high_030_3"), tape_of(prices, gaps), np.arange(5))
               for gaps in ((), (2,), (3,))]  # fmt: skip
    assert answers[0][0].tolist() == [YES, NO, NONE, NONE, NONE]
    assert answers[0][1].tolist() == [2, 4, 2, 3, 4]
    assert answers[1][0].tolist() == [NONE, NONE, NONE, NONE, NONE]
    assert answers[2][0].tolist() == [YES, NONE, NONE, NONE, NONE]


@pytest.mark.parametrize(
    ("name", "side", "threshold", "horizon"),
    [
        ("high_030_4", "high", 0.003, 4),
        ("low_040_4", "low", 0.004, 4),
        ("high_30_12", "high", 0.003, 12),
        ("low_250_1", "low", 0.025, 1),
    ],
)
def test_names(name: str, side: str, threshold: float, horizon: int) -> None:
    assert HighLow.parse(name) == HighLow(side, threshold, horizon)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    ["mid_030_4", "high_3_4", "high_0300_4", "high_030", "high_030_4 ", "high_030_4\n",
     "high_000_4", "high_030_0", "high_030_1000001", "high_٠٣٠_4", "HIGH_030_4", ""],
)  # fmt: skip
def test_wrong_names(name: str) -> None:
    with pytest.raises(ValueError, match="must"):
        HighLow.parse(name)
