"""The other symbol: what is known of it when, and its columns against numpy and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.families import peer_columns as pairs
from features.families import peer_return
from features.peer import CAPACITY, PEER_SIZE, as_of, forget, push
from market.events import SECOND
from market.tape import Tape
from tests.peer_family import arrivals, peer_columns

START = 1_775_000_000 * SECOND
MINUTE = 60 * SECOND
N = 2000
FILED = (*pairs.FAMILIES, *peer_return.FAMILIES)
FAMILIES = {column.name: one for one in FILED for column in one.columns}
HOLE = 900
"""The event of one's own that follows a hole in one's own feed."""
DARK = (1300, 1420)
"""Between these events of one's own the other is silent, and has a hole in its feed."""


def tape_of(close, gap: int | None = None) -> Tape:
    close = np.asarray(close, float)
    fresh = np.zeros(len(close), np.bool_)
    if gap is not None:
        fresh[gap] = True
    values = np.column_stack([close] * 4 + [np.full(len(close), np.nan)])
    return Tape("X", True, START + np.arange(len(close)) * MINUTE, values, fresh)


class Market:
    """A tape that follows another symbol with a lag; the other's prices come at random times."""

    def __init__(self, holes: bool = True) -> None:
        rng = np.random.default_rng(1)
        minute = rng.standard_t(4, N) * 1e-3
        minute[500] = 4.6  # a price a hundred times as high
        minute[501] = -4.6
        own = 0.5 * minute + 0.5 * np.r_[0.0, minute[:-1]] + rng.normal(0.0, 1e-3, N)
        own[600], own[601] = 4.6, -4.6
        self.tape = tape_of(30.0 * np.exp(np.cumsum(own)), HOLE if holes else None)
        parts = 3
        shocks = np.repeat(minute / parts, parts) + rng.normal(0.0, 1e-4, N * parts)
        prices = 60_000.0 * np.exp(np.cumsum(shocks))
        times = START - MINUTE + np.arange(1, N * parts + 1) * MINUTE // parts
        times[rng.random(N * parts) < 0.5] -= 7 * SECOND
        self.times, self.prices, self.holes = times, prices, np.zeros(len(times), np.bool_)
        if not holes:
            return
        dark = (times > self.tape.times[DARK[0]]) & (times <= self.tape.times[DARK[1]])
        self.times, self.prices = times[~dark], prices[~dark]
        self.holes = np.zeros(len(self.times), np.bool_)
        self.holes[np.argmax(self.times > self.tape.times[DARK[1]])] = True

    def columns(self, family, args, **more):
        given = {"holes": self.holes, **more}
        return peer_columns(family, args, self.tape, self.times, self.prices, **given)

    def level(self) -> np.ndarray:
        """The other's log price as of each event of one's own, whether or not it is known."""
        at = np.searchsorted(self.times, self.tape.times, side="right") - 1
        return np.log(self.prices[at])

    def stretches(self) -> list[tuple[int, int]]:
        """From which event of one's own on a price is known, and before which it is lost."""
        own = self.tape.times
        # what came before the hole in one's own feed is forgotten; then any price is a beginning
        first = self.times[np.searchsorted(self.times, own[HOLE], side="left")]
        # the event after the hole in the other's says nothing, so that the hole is seen
        other = np.searchsorted(own, self.times[self.holes][0], side="right")
        return [(0, HOLE), (np.searchsorted(own, first, side="left"), other), (other, N)]


@pytest.fixture(scope="module")
def market() -> Market:
    return Market()


def reference(market: Market, template: str, n: int) -> np.ndarray:
    """The column by pandas and numpy, a window at a time, in each stretch without holes."""
    want = np.full(N, np.nan)
    level = market.level()
    x = np.log(market.tape.close)
    for a, b in market.stretches():
        own_start = HOLE if a >= HOLE else 0
        r = pd.Series(x[own_start:b]).diff()
        vol = (r**2).ewm(halflife=64, adjust=True).mean().to_numpy() ** 0.5
        other = np.diff(level[a:b])
        other_vol = pd.Series(other**2).ewm(halflife=64, adjust=True).mean().to_numpy() ** 0.5
        for i in range(a, b):
            # known on event i: as of events a to i - 1, whose differences are other[: i - 1 - a]
            known = i - 1 - a
            if known < n:
                continue
            y = other[known - n : known]
            span = np.arange(i - n, i)
            if template == "peer_return_{n}":
                if known >= 33:
                    want[i] = (level[i - 1] - level[i - 1 - n]) / (other_vol[known - 1] * n**0.5)
                continue
            shift = {"peer_lead_{n}": 1, "peer_lag_{n}": -1}.get(template, 0)
            span = span + shift
            if span[0] - 1 < own_start:
                continue
            z = x[span] - x[span - 1]
            if template == "peer_beta_{n}":
                want[i] = np.cov(z, y, ddof=0)[0, 1] / y.var() if np.ptp(y) else 0.0
            elif template == "relative_strength_{n}":
                beta = np.cov(z, y, ddof=0)[0, 1] / y.var() if np.ptp(y) else 0.0
                want[i] = (z - beta * y).sum() / (vol[i - own_start] * n**0.5)
            else:
                want[i] = np.corrcoef(z, y)[0, 1] if np.ptp(y) else 0.0
    return want if "peer_co" in template or "lead" in template else np.clip(want, -16.0, 16.0)


@pytest.mark.parametrize("n", [5, 64])
@pytest.mark.parametrize("template", FAMILIES)
def test_column_equals_its_reference(market: Market, template: str, n: int) -> None:
    got = market.columns(FAMILIES[template], (n,))[template.format(n=n)]
    want = reference(market, template, n)
    assert np.isfinite(want).sum() > 1400
    # where a value crosses 0 it is a difference of log prices whose rounding is of this size
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


def test_the_leader_is_found(market: Market) -> None:
    lead = market.columns(FAMILIES["peer_lead_{n}"], (256,))["peer_lead_256"]
    lag = market.columns(FAMILIES["peer_lag_{n}"], (256,))["peer_lag_256"]
    quiet = slice(1700, None)
    assert np.nanmean(lead[quiet]) > 0.25
    assert abs(np.nanmean(lag[quiet])) < 0.15


@pytest.mark.parametrize("family", FILED)
def test_unknown_while_the_other_is_and_finite_soon_after(market: Market, family) -> None:
    args = (16,)
    for name, values in market.columns(family, args).items():
        if name == "peer":
            continue
        dark = market.stretches()[2][0]
        assert np.isnan(values[dark : dark + 17]).all()
        late = slice(dark + family.warmup(args), None)
        for part in (slice(family.warmup(args) - 1, HOLE), late):
            assert np.isfinite(values[part]).all()


@pytest.mark.parametrize("family", FILED)
def test_when_prices_of_the_same_time_arrive_does_not_matter(family) -> None:
    market = Market(holes=False)
    first = market.columns(family, (16,))
    tied = np.isin(market.times, market.tape.times)
    assert tied.sum() > 500
    for delay in (-1, 1, 20 * SECOND, MINUTE - 1):
        # the price of an event's own time comes before it, after it, or just before the next
        after = arrivals(market.tape, market.times)
        after[tied] = arrivals(market.tape, market.times[tied], delay)
        after = np.maximum.accumulate(after)
        for name, values in market.columns(family, (16,), after=after).items():
            np.testing.assert_array_equal(values, first[name])


@pytest.mark.parametrize("family", FILED)
def test_nan_forever_without_the_other_and_zero_when_nothing_moves(family) -> None:
    tape = tape_of(np.full(300, 3.0))
    nothing = peer_columns(family, (16,), tape, np.zeros(0, np.int64), np.zeros(0))
    assert all(np.isnan(values).all() for values in nothing.values())
    still = peer_columns(family, (16,), tape, tape.times, np.full(300, 7.0))
    for name, values in still.items():
        if name != "peer":
            assert (values[family.warmup((16,)) - 1 :] == 0.0).all()
            assert np.isnan(values[: family.warmup((16,)) - 1]).all()


@pytest.mark.parametrize("family", FILED)
def test_nothing_of_the_present_is_known(market: Market, family) -> None:
    """Another price of the other's later than the event before changes nothing."""
    stop = 700
    first = market.columns(family, (16,))
    prices = market.prices.copy()
    prices[market.times > market.tape.times[stop - 1]] *= 3.0
    changed = peer_columns(family, (16,), market.tape, market.times, prices, holes=market.holes)
    name = family.names((16,))[0]
    np.testing.assert_array_equal(changed[name][: stop + 1], first[name][: stop + 1])
    assert changed[name][stop + 1] != first[name][stop + 1]


def test_as_of() -> None:
    p = np.zeros(PEER_SIZE)
    assert np.isnan(as_of(p, 9.0, 0.0))
    push(p, 10.0, 5.0, 100.0)
    push(p, 10.0, 7.0, 110.0)
    push(p, 11.0, 1.0, 121.0)
    push(p, 11.0, 1.0, np.nan)
    assert np.isnan(as_of(p, 10.0, 4.0))
    assert as_of(p, 10.0, 5.0) == 0.0
    assert as_of(p, 10.0, 6.0) == 0.0
    assert as_of(p, 10.0, 7.0) == pytest.approx(np.log(1.1))
    assert as_of(p, 11.0, 0.0) == pytest.approx(np.log(1.1))
    assert as_of(p, 12.0, 0.0) == pytest.approx(np.log(1.21))
    forget(p)
    push(p, 11.0, 9.0, 50.0)
    assert np.isnan(as_of(p, 12.0, 0.0)), "the first answer after a hole"
    assert as_of(p, 12.0, 0.0) == 0.0


def test_a_price_in_force_is_never_pushed_out() -> None:
    p = np.zeros(PEER_SIZE)
    push(p, 1.0, 1.0, 100.0)
    as_of(p, 1.0, 1.0)
    for i in range(10 * CAPACITY):
        push(p, 1.0, 10.0 + i, 200.0 + i)
    assert as_of(p, 1.0, 9.0) == 0.0
    kept = 10 * CAPACITY - CAPACITY
    assert as_of(p, 1.0, 10.0 + kept - 1) == 0.0, "the oldest that waited are lost"
    assert as_of(p, 1.0, 10.0 + kept) == pytest.approx(np.log((200.0 + kept) / 100.0))
    assert as_of(p, 1.0, 1e6) == pytest.approx(np.log((200.0 + 10 * CAPACITY - 1) / 100.0))


def test_a_late_price_comes_into_force_at_once() -> None:
    p = np.zeros(PEER_SIZE)
    push(p, 1.0, 1.0, 100.0)
    as_of(p, 1.0, 50.0)
    push(p, 1.0, 50.0, 110.0)
    for i in range(2 * CAPACITY):
        push(p, 1.0, 60.0 + i, 200.0)
    assert as_of(p, 1.0, 50.0) == pytest.approx(np.log(1.1))


def test_many_prices_between_two_events() -> None:
    """A tick every 50 ms beside bars of a minute: far more than can wait."""
    rng = np.random.default_rng(4)
    tape = tape_of(np.exp(np.cumsum(rng.normal(0.0, 1e-3, 60))))
    times = np.arange(START - MINUTE, tape.times[-1], SECOND // 20)
    prices = np.exp(np.cumsum(rng.normal(0.0, 1e-5, len(times))))
    seen = peer_columns(FILED[0], (4,), tape, times, prices)["peer"]
    at = np.searchsorted(times, tape.times[:-1], side="right") - 1
    np.testing.assert_allclose(seen[1:], np.log(prices[at] / prices[0]), rtol=0, atol=1e-15)
