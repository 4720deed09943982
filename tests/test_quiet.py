"""What `quiet` leaves out would have changed nothing."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from market.execution import Costs, Funding, Margin
from market.execution.quiet import quiet
from market.execution.sleeve import FILLS, SEEN, UNITS, advance, open_sleeve, place

COSTS = {
    "plain": Costs(commission=1e-4),
    "funding": Costs(funding=Funding(rate=1e-4, interval_seconds=7.0)),
    "margin": Costs(margin=Margin(maintenance=0.05, stop_out=0.02)),
}


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(COSTS)),
    st.integers(0, 10_000),
    st.sampled_from([-3.0, -1.0, 1.0, 12.0]),
    st.sampled_from([0.0, 0.004]),
    st.sampled_from([0.0, 0.006]),
    st.booleans(),
)
def test_leaving_quiet_stretches_out_changes_nothing(costs, seed, units, loss, profit, halts):
    rng = np.random.default_rng(seed)
    n = 60
    last = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 2e-3, n)))
    first = last * np.exp(rng.normal(0.0, 5e-4, n))
    high, low = np.maximum(first, last) * 1.0005, np.minimum(first, last) * 0.9995
    times = np.cumsum(rng.integers(1, 4, n)) * 1_000_000_000
    widen = np.where(rng.random(n) < 0.2, math.inf, 1.0) if halts else np.empty(0)
    terms, delays = COSTS[costs].terms(), COSTS[costs].delays()

    def run(skip):
        money, clock = open_sleeve(1000.0)
        place(money, clock, terms, delays, units, loss, profit, 0)
        fills, told, i = np.zeros((FILLS, 4)), [], 0
        while i < n:
            if skip:
                i = quiet(money, clock, terms, times, high, low, widen, i, n)
                if i == n:
                    break
            k = advance(
                money, clock, terms, first[i], high[i], low[i], last[i], math.nan, times[i],
                widen[i] if halts else 1.0, fills,
            )  # fmt: skip
            told += [(i, *row) for row in fills[:k].tolist()]
            i += 1
        clock[SEEN] = 0
        return told, money.tolist(), clock.tolist()

    assert run(skip=True) == run(skip=False)


def test_it_finds_the_first_event_that_touches_a_level():
    terms, delays = Costs().terms(), Costs().delays()
    money, clock = open_sleeve(1000.0)
    none, one = np.empty(0), np.ones(5)
    times = np.arange(1, 6)
    assert quiet(money, clock, terms, times, one, one, none, 1, 5) == 5  # flat
    place(money, clock, terms, delays, 2.0, 0.01, 0.02, 0)
    assert quiet(money, clock, terms, times, one, one, none, 1, 5) == 1  # under way
    advance(money, clock, terms, 100.0, 100.0, 100.0, 100.0, math.nan, 1, 1.0, np.zeros((FILLS, 4)))
    assert money[UNITS] == 2.0
    low = np.array([98.0, 99.5, 99.01, 99.0, 99.5])
    assert quiet(money, clock, terms, times, low + 0.5, low, none, 1, 5) == 3
    assert quiet(money, clock, terms, times, low + 3.0, low, none, 1, 5) == 1
    assert quiet(money, clock, terms, times, low + 0.5, low, none, 4, 5) == 5
