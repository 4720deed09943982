"""The trader over whole stretches ends as it does event by event."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.spec import BracketActions, ExposureActions, FeatureUse, PolicySpec
from market.errors import DataError, StateError
from market.events import Tick
from market.execution import Costs, Funding, Latency, Margin
from policies.baselines import Follow
from risk.lease import Condition, LeaseBook
from tests import toys
from trading.foretold import Foretold
from trading.journal import MemoryJournal
from trading.paper import PaperBroker
from trading.stretch import Stretch
from trading.trader import Trader

COSTS = {
    "plain": toys.INSTRUMENT.costs,
    "slow": Costs(commission=1e-4, latency=Latency(seconds=3.0, sigma=0.5)),
    "parts": Costs(half_spread=1e-4, participation=0.5),
    "future": Costs(
        commission=1e-4,
        funding=Funding(rate=1e-4, interval_seconds=60.0),
        margin=Margin(stop_out=0.02),
    ),
}
SPECS = {
    "exposure": PolicySpec(
        features=(FeatureUse(name="momentum_1", scale=2.0),),
        action=ExposureActions(levels=(-1.0, 0.0, 1.0)),
        max_hold=9,
    ),
    "bracket": PolicySpec(
        action=BracketActions(losses=(2.0,), profits=(3.0,)), max_hold=20, trades_per_hour=40
    ),
}


class Leaning:
    """Answers by the forecast and by what it sees of the position and of a feature."""

    name, version = "leaning", "1"

    def __init__(self, spec):
        self.spec = spec

    def act(self, seen):
        lean = float(seen[0]) + 0.1 * float(seen[-1]) - 0.3 * float(seen[5])
        if abs(lean) < 1.5:
            return 0
        return (1 if lean > 0 else 2) + (len(self.spec.table) > 4)


def trader(costs="plain", policy=None, every=1, ensemble=None):
    instrument = toys.INSTRUMENT.model_copy(update={"costs": COSTS[costs]})
    engine = toys.FeatureEngine(toys.FEATURES)
    return Trader(
        instrument, engine, ensemble or toys.Reverting(engine.names), policy or Follow(enter=0.15),
        PaperBroker(instrument, toys.CAPITAL), MemoryJournal(keep=False), every, toys.CAPITAL,
    )  # fmt: skip


def state(one):
    return one.snapshot(), one.status().counters


def by_events(one, tape, leases):
    made = []
    for event in tape.events():
        lease = leases.get(event.time)
        if lease is not None and not hasattr(event, "start"):
            one.take(lease)
        decision = one.on_event(event, event.time)
        if decision is not None:
            made.append(decision)
    return made


def by_stretches(one, tape, leases, splits):
    parts = []
    for first, stop in zip([0, *splits], [*splits, len(tape)], strict=True):
        stretch = Stretch(one, tape.slice(first, stop))
        for row in [r - first for r in range(first, stop) if int(tape.times[r]) in leases]:
            stretch.take(row)
            one.take(leases[int(tape.times[row + first])])
        stretch.take(stop - first)
        parts.append(stretch.made())
    return parts


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_random_splits_leave_the_very_same_state(data):
    events = 260
    tape = toys.tape(events, data.draw(st.integers(0, 99), "seed"))
    if data.draw(st.booleans(), "bars"):
        tape = toys.as_bars(tape)
    costs = data.draw(st.sampled_from(sorted(COSTS)), "costs")
    every = data.draw(st.sampled_from([1, 3]), "every")
    spec = data.draw(st.sampled_from([None, *sorted(SPECS)]), "spec")
    policy = Leaning(SPECS[spec]) if spec else None
    rows = st.integers(1, events - 1)
    splits = sorted(data.draw(st.sets(rows, max_size=4), "splits"))
    states = st.sampled_from([Condition.RUNNING] * 4 + [Condition.REDUCE_ONLY, Condition.HALTED])
    leases = {}
    for row in {0, *data.draw(st.sets(rows, max_size=5), "leases")}:
        time, length = int(tape.times[row]), data.draw(st.sampled_from([40, 4000]), "length")
        leases[time] = toys.lease(
            data.draw(st.sampled_from([700.0, 5000.0]), "notional"),
            data.draw(states, "state"), time, time + length * toys.SECOND,
        )  # fmt: skip
    one, two = trader(costs, policy, every), trader(costs, policy, every)
    made = by_events(one, tape, leases)
    parts = by_stretches(two, tape, leases, splits)
    assert state(one) == state(two)
    told = {
        "times": "time", "price": "price", "action": "action", "units": "units",
        "allowed": "allowed", "equity": "equity", "regime": "regime",
    }  # fmt: skip
    for column, name in told.items():
        found = np.concatenate([getattr(part, column) for part in parts])
        assert found.tolist() == [getattr(decision, name) for decision in made], column
    said = np.concatenate([part.told for part in parts])
    for row, decision in zip(said, made, strict=True):
        assert decision.probabilities is None or tuple(row[:3]) == decision.probabilities


def test_enough_happens_for_that_to_mean_something():
    seen = {}
    for costs in COSTS:
        for name, spec in SPECS.items():
            one = trader(costs, Leaning(spec))
            one.take(toys.lease())
            Stretch(one, toys.as_bars(toys.tape(300))).take(300)
            seen[costs, name] = one.status().trades
    assert min(seen.values()) > 8, seen


def test_what_was_foretold_is_traded_alike_by_both():
    tape = toys.tape(200)
    signal = np.sign(np.random.default_rng(3).normal(size=200))
    foretold = Foretold.of_signal(tape.times, signal)
    one, two = (trader(ensemble=foretold) for _ in range(2))
    leases = {int(tape.times[0]): toys.lease()}
    made = by_events(one, tape, leases)
    by_stretches(two, tape, leases, [77])
    assert state(one) == state(two)
    assert len({decision.probabilities for decision in made}) == 2
    with pytest.raises(DataError, match="nothing was foretold for the decision"):
        foretold.at(5)


def test_what_cannot_be_taken_in_stretches_is_refused():
    tape = toys.tape(20)
    keeping = toys.trader(MemoryJournal())
    with pytest.raises(StateError, match="journal keeps every decision"):
        Stretch(keeping, tape)
    late = trader()
    late.on_event(Tick(toys.SYMBOL, int(tape.times[3]), 100.0), int(tape.times[3]))
    with pytest.raises(DataError, match="time must increase"):
        Stretch(late, tape)


def test_leases_of_a_book_are_renewed_between_stretches():
    tape = toys.tape(300)
    one, two = trader(), trader()
    book = LeaseBook(toys.RISK, [toys.SYMBOL])
    toys.trade(one, tape.events(), book)
    stretch, again = Stretch(two, tape), LeaseBook(toys.RISK, [toys.SYMBOL])
    windows = np.array([toys.RISK.window(int(time)) for time in tape.times])
    for row in np.flatnonzero(np.diff(windows, prepend=-1)).tolist():
        stretch.take(row)
        now = int(tape.times[row])
        two.take(again.renew(two.report(now), now))
    stretch.take(300)
    assert state(one) == state(two)
