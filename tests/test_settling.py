"""Labels told event by event are the batch labels, each on the very event that settled it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.labels import NONE, LabelConfig, label
from features.labels.settling import Settled, Settling
from market.errors import DataError, SchemaMismatch, StateError
from market.execution import Costs
from market.tape import Tape
from tests.label_tapes import tape_of, tapes

KINDS = {
    "direction": LabelConfig(horizon=7),
    "barrier": LabelConfig(kind="barrier", horizon=12, target=0.8, stop=0.5),
    "wide barrier": LabelConfig(kind="barrier", horizon=25, target=0.3, stop=1.0, expiry="sign"),
    "highlow": LabelConfig(kind="highlow"),
    "highlow, first": LabelConfig(
        kind="highlow", names=("high_040_3", "low_060_40"), rule="first", tolerance=0.5
    ),
}
COSTS = Costs(commission=0.0004, per_unit=0.05)
each_kind = pytest.mark.parametrize("config", KINDS.values(), ids=KINDS)


def streamed(
    settling: Settling, tape: Tape, rows: set[int], noise: list[float], start: int = 0
) -> dict[int, list[Settled]]:
    """What each event settles, by the event's row."""
    told = {}
    for i in range(start, len(tape)):
        prices = tape.values[i, :4].tolist()
        if found := settling.event(int(tape.times[i]), *prices, fresh=bool(tape.fresh[i])):
            told[i] = list(found)
        if i in rows:
            settling.decide(noise[i])
    return told


@each_kind
@settings(max_examples=40, deadline=None)
@given(
    tape=tapes(150),
    every=st.integers(1, 9),
    seed=st.integers(0, 99),
    cut=st.integers(0, 149),
)
def test_equals_the_batch_labels_whatever_the_breaks(
    config: LabelConfig, tape: Tape, every: int, seed: int, cut: int
) -> None:
    noise = np.random.default_rng(seed).choice([0.0, 0.001, 0.003, 0.01, np.nan], len(tape))
    rows = np.arange(0, len(tape), every)
    labels, ends = label(config, tape, rows, noise[rows], COSTS)
    wanted: dict[int, list[Settled]] = {}
    walls = np.append(np.flatnonzero(tape.fresh), len(tape))
    for row, its, end in zip(rows.tolist(), labels.tolist(), ends.tolist(), strict=True):
        at = end
        if its == NONE:  # told once it is certain: behind the gap, or where the horizon is over
            at = min(int(walls[np.searchsorted(walls, row, side="right")]), row + config.horizon)
        if at < len(tape):
            time = int(tape.times[row])
            wanted.setdefault(at, []).append(Settled(time, its, end - row))

    settling, asked = Settling(config, COSTS), set(rows.tolist())
    told = streamed(settling, tape.slice(0, cut), asked, noise.tolist())
    fresh = Settling(config, COSTS)
    fresh.restore(settling.snapshot())
    assert fresh.snapshot() == settling.snapshot()
    told |= streamed(fresh, tape, asked, noise.tolist(), start=cut)

    assert told == wanted
    assert fresh.waiting == len(rows) - sum(map(len, wanted.values()))


@each_kind
def test_goes_round_its_memory_many_times(config: LabelConfig) -> None:
    rng = np.random.default_rng(5)
    tape = tape_of(list(1000.0 + rng.integers(-4, 5, 1500).cumsum()), gaps=(400, 401, 1100))
    rows = np.arange(2, 1500, 3)
    labels, ends = label(config, tape, rows, np.full(len(rows), 0.003), COSTS)
    settling = Settling(config, COSTS)
    told = streamed(settling, tape, set(rows.tolist()), [0.003] * 1500)
    known = {one.time: one for found in told.values() for one in found if one.label != NONE}
    assert known == {
        int(tape.times[row]): Settled(int(tape.times[row]), its, end - row)
        for row, its, end in zip(rows.tolist(), labels.tolist(), ends.tolist(), strict=True)
        if its != NONE
    }
    assert len(known) > 480
    assert len(settling.snapshot()) < 10_000


def test_says_what_is_wrong() -> None:
    settling = Settling(LabelConfig(horizon=3))
    with pytest.raises(StateError, match="before the first event"):
        settling.decide(0.01)
    settling.event(5, 1.0, 1.0, 1.0, 1.0)
    settling.decide(0.01)
    with pytest.raises(StateError, match="twice on the event of 5"):
        settling.decide(0.01)
    with pytest.raises(DataError, match="time must increase, was 5 after 5"):
        settling.event(5, 1.0, 1.0, 1.0, 1.0)
    for price in (0.0, np.nan, np.inf):
        with pytest.raises(DataError, match="positive and finite"):
            settling.event(6, price, price, price, price)
    with pytest.raises(SchemaMismatch, match=r"horizon.*start anew"):
        Settling(LabelConfig(horizon=4)).restore(settling.snapshot())
    with pytest.raises(StateError, match="not a snapshot"):
        settling.restore(b"nonsense")
