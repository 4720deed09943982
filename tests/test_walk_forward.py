"""Walk-forward: the test comes later, nothing is shared, and calendars are the calendar's."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from market.errors import DataError
from validation.splits import WalkForwardConfig, walk_forward


def hourly(first: datetime, last: datetime) -> np.ndarray:
    """Venue times from ``first`` to ``last``, both included."""
    return np.arange(int(first.timestamp()), int(last.timestamp()) + 1, 3600) * 10**9


def day_of(times: np.ndarray, i: int) -> str:
    return datetime.fromtimestamp(int(times[i]) // 10**9, UTC).strftime("%m-%d %H")


def test_the_seeds_three_months_and_one() -> None:
    times = hourly(datetime(2022, 12, 1, tzinfo=UTC), datetime(2023, 6, 30, 23, tzinfo=UTC))
    rows = np.arange(len(times))
    steps = list(walk_forward(rows + 5, rows, WalkForwardConfig(), times))
    spans = [tuple(day_of(times, i) for i in (a[0], a[-1], b[0], b[-1])) for a, b in steps]
    assert spans == [
        ("12-01 00", "02-28 18", "03-01 00", "03-31 23"),
        ("01-01 00", "03-31 18", "04-01 00", "04-30 23"),
        ("02-01 00", "04-30 18", "05-01 00", "05-31 23"),
        ("03-01 00", "05-31 18", "06-01 00", "06-30 23"),
    ]
    grown = list(walk_forward(rows + 5, rows, WalkForwardConfig(anchored=True), times))
    assert [a[0] for a, _ in grown] == [0, 0, 0, 0]
    assert [b.tolist() for _, b in grown] == [b.tolist() for _, b in steps]


def test_months_from_a_31st_end_with_the_shorter_month() -> None:
    times = hourly(datetime(2023, 1, 31, 9, tzinfo=UTC), datetime(2023, 4, 29, 23, tzinfo=UTC))
    rows = np.arange(len(times))
    config = WalkForwardConfig(train=1, test=1, step=1)
    firsts = [day_of(times, test[0]) for _, test in walk_forward(rows, rows, config, times)]
    assert firsts == ["02-28 00", "03-31 00"]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    unit=st.sampled_from(["decisions", "events"]),
    train=st.integers(5, 30),
    test=st.integers(1, 12),
    step=st.integers(1, 15),
    anchored=st.booleans(),
    reduce_test=st.booleans(),
    embargo=st.integers(0, 4),
)
def test_spans_are_those_asked_for_and_share_no_outcome(
    seed: int,
    unit: str,
    train: int,
    test: int,
    step: int,
    anchored: bool,
    reduce_test: bool,
    embargo: int,
) -> None:
    rng = np.random.default_rng(seed)
    rows = 7 + np.cumsum(rng.integers(1, 4, 90))
    ends = rows + rng.integers(0, 4, 90)
    config = WalkForwardConfig(
        unit=unit, train=train, test=test, step=step,
        anchored=anchored, reduce_test=reduce_test, embargo=embargo,
    )  # fmt: skip
    place = np.arange(90) if unit == "decisions" else rows - rows[0]
    past = place[-1] + 1
    expected = []
    for first in range(0, past, step):
        cut, stop = first + train, first + train + test
        if cut >= past or (stop > past and not reduce_test):
            break
        tested = np.flatnonzero((place >= cut) & (place < stop))
        if len(tested):
            known = (place >= (0 if anchored else first)) & (place < cut)
            expected.append((known & (ends + embargo < rows[tested[0]]), tested))
        if stop > past:
            break
    if any(not known.any() for known, _ in expected):
        with pytest.raises(DataError, match="nothing to train on"):
            list(walk_forward(ends, rows, config))
        return
    found = list(walk_forward(ends, rows, config))
    assert len(found) == len(expected)
    for (kept, tested), (known, due) in zip(found, expected, strict=True):
        assert kept.tolist() == np.flatnonzero(known).tolist(), "no more and no less is purged"
        assert tested.tolist() == due.tolist()


def test_history_of_just_the_length_is_enough() -> None:
    rows = np.arange(6)
    for reduce in (False, True):
        config = WalkForwardConfig(unit="decisions", train=4, test=2, reduce_test=reduce)
        ((train, test),) = list(walk_forward(rows, rows, config))[:1]
        assert (train.tolist(), test.tolist()) == ([0, 1, 2, 3], [4, 5])


def test_a_hole_costs_only_the_steps_it_swallows() -> None:
    rows = np.concatenate((np.arange(40), np.arange(100, 140)))
    config = WalkForwardConfig(unit="ticks", train=20, test=10, step=10)
    found = [(rows[a[0]], rows[b[0]]) for a, b in walk_forward(rows, rows, config)]
    assert found == [(0, 20), (10, 30), (100, 110), (100, 120), (110, 130)]


def test_wrong_calls_say_why() -> None:
    rows = np.arange(100)
    times = hourly(datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 3, 15, tzinfo=UTC))
    spots = np.arange(len(times))
    with pytest.raises(DataError, match=r"needs 4 months \(3 .* then 1 .*history holds 2; bring"):
        list(walk_forward(spots, spots, WalkForwardConfig(), times))
    bars = WalkForwardConfig(unit="bars", train=80, test=30)
    with pytest.raises(DataError, match=r"needs 110 events .*history holds 100"):
        list(walk_forward(rows, rows, bars))
    assert len(list(walk_forward(rows, rows, bars.model_copy(update={"reduce_test": True})))) == 1
    with pytest.raises(DataError, match="history holds none"):
        list(walk_forward(rows[:0], rows[:0], bars))
    short = WalkForwardConfig(unit="decisions", train=5, test=5, embargo=3)
    with pytest.raises(DataError, match=r"step 1 has nothing to train on: none of its 5 .*shorten"):
        list(walk_forward(rows + 2, rows, short))
    with pytest.raises(ValueError, match="pass each decision's venue time"):
        list(walk_forward(rows, rows, WalkForwardConfig()))
    with pytest.raises(ValueError, match="times must match rows, were 9 and 100"):
        list(walk_forward(rows, rows, WalkForwardConfig(), times[:9]))
    with pytest.raises(ValueError, match="times must not decrease"):
        list(walk_forward(rows, rows, WalkForwardConfig(), times[99::-1]))
    with pytest.raises(ValidationError, match="months"):
        WalkForwardConfig(unit="weeks")
