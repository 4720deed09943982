"""Weights of labels against the indicator matrix they are defined by, and the book's example."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.labels import LabelConfig, WeightConfig, label, weigh
from features.labels.weights import attribution, concurrency, time_decay, uniqueness
from tests.label_tapes import tape_of

Spans = tuple[np.ndarray, np.ndarray]


@st.composite
def spans(draw: st.DrawFn, n: int = 80) -> Spans:
    """Labels of a tape of n events, one in five without end."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = np.sort(rng.integers(0, n, draw(st.integers(1, 60))))
    end = np.minimum(rows + rng.integers(1, 20, len(rows)), n - 1)
    return rows, np.where(rng.random(len(rows)) < 0.2, rows, end)


def indicators(rows: np.ndarray, end: np.ndarray, n: int) -> np.ndarray:
    """One row per event, one column per label: 1 where the label holds the event's return."""
    matrix = np.zeros((n, len(rows)))
    for k, (row, last) in enumerate(zip(rows, end, strict=True)):
        matrix[row + 1 : last + 1, k] = 1.0
    return matrix


def shares(matrix: np.ndarray) -> np.ndarray:
    """Each label's part of each return."""
    counts = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, counts, out=np.zeros_like(matrix), where=counts > 0)


def test_the_example_of_the_book() -> None:
    # Lopez de Prado 2018, ch. 4.5.3: labels of r[0,3], r[2,5] and r[4,6]
    rows, end = np.array([0, 2, 4]), np.array([3, 5, 6])
    assert concurrency(rows, end, 7).tolist() == [0, 1, 1, 2, 1, 2, 1]
    np.testing.assert_allclose(uniqueness(rows, end, 7), [5 / 6, 2 / 3, 3 / 4], rtol=1e-15)


@settings(max_examples=100, deadline=None)
@given(spans=spans())
def test_equal_the_indicator_matrix(spans: Spans) -> None:
    rows, end = spans
    matrix = indicators(rows, end, 80)
    np.testing.assert_array_equal(concurrency(rows, end, 80), matrix.sum(axis=1))
    length = np.maximum(matrix.sum(axis=0), 1)
    want = shares(matrix).sum(axis=0) / length
    np.testing.assert_allclose(uniqueness(rows, end, 80), want, rtol=1e-12)

    prices = 100.0 * np.exp(np.random.default_rng(len(rows)).normal(0, 0.01, 80).cumsum())
    returns = np.append(0.0, np.diff(np.log(prices)))
    want = np.abs((shares(matrix) * returns[:, None]).sum(axis=0))
    # returns of either sign may cancel: a millionth of a millionth of one is nothing
    np.testing.assert_allclose(
        attribution(tape_of(list(prices)), rows, end), want, rtol=1e-9, atol=1e-14
    )


def test_labels_that_share_nothing_and_labels_that_share_everything() -> None:
    apart = uniqueness(np.array([0, 3, 6]), np.array([3, 6, 9]), 10)
    assert apart.tolist() == [1.0, 1.0, 1.0]
    same = uniqueness(np.array([2, 2, 2, 2]), np.array([9, 9, 9, 9]), 10)
    np.testing.assert_allclose(same, 0.25, rtol=1e-15)
    nothing = uniqueness(np.array([2, 3]), np.array([2, 9]), 10)
    assert nothing.tolist() == [0.0, 1.0]


def test_no_rounding_piles_up_over_a_long_tape() -> None:
    n = 200_000
    rows = np.arange(0, n - 40)
    end = rows + 30
    # every event but the first and last 29 is shared by 30 labels
    inner = uniqueness(rows, end, n)[40:-40]
    np.testing.assert_allclose(inner, 1 / 30, rtol=1e-13)


@settings(max_examples=50, deadline=None)
@given(spans=spans(), oldest=st.sampled_from([1.0, 0.7, 0.0, -0.3, -0.9]))
def test_time_decay_equals_the_snippet(spans: Spans, oldest: float) -> None:
    own = uniqueness(*spans, 80)
    run = own.cumsum()
    if run[-1] == 0.0:
        assert time_decay(own, oldest).tolist() == [1.0] * len(own)
        return
    # ch. 4.7, snippet 4.11
    slope = (1.0 - oldest) / run[-1] if oldest >= 0 else 1.0 / ((oldest + 1.0) * run[-1])
    want = np.maximum(1.0 - slope * run[-1] + slope * run, 0.0)
    np.testing.assert_allclose(time_decay(own, oldest), want, rtol=1e-9, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(
    spans=spans(),
    by=st.sampled_from(["uniqueness", "returns", "equal"]),
    oldest=st.sampled_from([1.0, 0.5, 0.0, -0.5]),
)
def test_weights_are_one_on_average(spans: Spans, by: str, oldest: float) -> None:
    rows, end = spans
    prices = 100.0 * np.exp(np.random.default_rng(3).normal(0, 0.01, 80).cumsum())
    weights = weigh(WeightConfig(by=by, oldest=oldest), tape_of(list(prices)), rows, end)
    labelled = end > rows
    assert (weights[~labelled] == 0.0).all()
    assert (weights >= 0.0).all()
    if weights.any():
        assert weights[labelled].mean() == pytest.approx(1.0, rel=1e-12)
    else:
        assert not labelled.any() or oldest <= 0.0
    if by == "equal" and oldest == 1.0:
        assert (weights[labelled] == 1.0).all()


def test_weights_of_labels_as_they_are_made() -> None:
    prices = list(100.0 + np.random.default_rng(1).integers(-3, 4, 200).cumsum())
    tape = tape_of(prices, (90,))
    rows = np.arange(0, 200, 2)
    labels, end = label(LabelConfig(horizon=10), tape, rows, np.full(100, 0.01))
    weights = weigh(WeightConfig(), tape, rows, end)
    assert ((weights > 0.0) == (labels >= 0)).all()
    # the first after the gap shares its first returns with nobody
    first = int(np.searchsorted(rows, 90))
    assert weights[first] > weights[first + 10]


def test_what_has_no_weight_at_all() -> None:
    tape, none = tape_of([100.0] * 5), np.zeros(0, np.int64)
    assert weigh(WeightConfig(), tape, none, none).tolist() == []
    rows = np.array([0, 2])
    assert weigh(WeightConfig(), tape, rows, rows).tolist() == [0.0, 0.0]
    assert weigh(WeightConfig(by="returns"), tape, rows, rows + 1).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("rows", "end", "message"),
    [
        ([0, 1], [2], "equally many, were 2 and 1"),
        ([3, 1], [4, 4], "in order of time"),
        ([0, 1], [2, 5], "within the 5 events"),
        ([0, 3], [2, 2], "within the 5 events"),
        ([-1, 3], [2, 4], "within the 5 events"),
    ],
)
def test_wrong_spans(rows: list[int], end: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        weigh(WeightConfig(), tape_of([100.0] * 5), np.array(rows), np.array(end))


@pytest.mark.parametrize("wrong", [{"by": "age"}, {"oldest": -1.0}, {"oldest": 1.1}, {"newest": 1}])
def test_config_is_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WeightConfig(**wrong)
    with pytest.raises(ValueError, match="oldest must be above -1"):
        time_decay(np.ones(2), -1.0)
