"""Spikes of the Crash and Boom indices, put where they are known to be."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from features.families import spikes
from market.tape import Tape
from tests.family import columns
from tests.price_tapes import check, check_hard, check_unit, frame, half, hard, of_closes

SPIKES, DRIFT = spikes.FAMILIES
MEAN = 100
"""Events between spikes, on average."""
N = 6000
# net sums pass through 0 where spikes go both ways; the columns are around 1
ZERO = 1e-12


def index(sign: float, seed: int = 1) -> tuple[Tape, np.ndarray]:
    """Boom (1) or Crash (-1) as measured on the venue, or with spikes both ways (0); a hole.

    Of the spikes none is below a hundred times the median move, so where they are is known
    without looking for them.
    """
    rng = np.random.default_rng(seed)
    size = np.abs(rng.normal(0.875, 0.855, N)) / 1.0111 * 1e-3
    spiked = rng.random(N) < 1 / MEAN
    spiked[:60] = spiked[4000:4060] = False  # the median has settled
    size = np.where(spiked, np.maximum(size, 3e-4), np.minimum(size, 2e-3) / 300)
    way = np.where(rng.random(N) < 0.5, 1.0, -1.0) if sign == 0 else np.full(N, sign)
    returns = np.where(spiked, way, -way) * size
    returns[0] = returns[4000] = 0.0
    return of_closes(5000.0 * np.exp(np.cumsum(returns)), gap=4000), spiked


def stretches(tape: Tape, spiked: np.ndarray) -> list[pd.DataFrame]:
    parts = frame(tape)
    ends = np.cumsum([len(part) for part in parts])
    return [
        part.assign(spike=spiked[end - len(part) : end])
        for part, end in zip(parts, ends, strict=True)
    ]


def reference(f: pd.DataFrame, n: int) -> Mapping[str, pd.Series]:
    """Counted from the known places; event ``i`` weighs ``2 ** (-age / n)``."""
    spike = f.spike.astype(float).where(f.index > 0)
    where = pd.Series(np.where(f.spike, f.index, np.nan)).ffill()
    age = (f.index - where).fillna(n).clip(upper=n)
    keep = 2.0 ** (-1.0 / n)
    events = (1.0 - keep**f.index) / (1.0 - keep)
    seen, net = half(spike, n) * events, half(spike * np.sign(f.r), n) * events
    return {
        f"ticks_since_spike_{n}": np.log(1.0 + age),
        f"spike_hazard_{n}": (seen + 1.0) / (events + 500.0),
        f"spike_direction_{n}": (net / seen).fillna(0.0),
    }


def drift(f: pd.DataFrame, h: int) -> Mapping[str, pd.Series]:
    calm = f.r.where(~f.spike)
    return {f"drift_between_spikes_{h}": half(calm, h) / half(calm.abs(), h)}


@pytest.fixture(scope="module", params=[1.0, -1.0, 0.0], ids=["boom", "crash", "both"])
def case(request: pytest.FixtureRequest) -> tuple[Tape, np.ndarray]:
    return index(request.param)


@pytest.mark.parametrize("n", [2048, 50])
def test_spike_columns_equal_what_was_put_there(case, n: int) -> None:
    tape, spiked = case
    known = iter(stretches(tape, spiked))
    check(SPIKES, (n,), tape, lambda _: reference(next(known), n), ZERO)


@pytest.mark.parametrize("h", [32, 7])
def test_drift_equals_its_reference(case, h: int) -> None:
    tape, spiked = case
    known = iter(stretches(tape, spiked))
    check(DRIFT, (h,), tape, lambda _: drift(next(known), h), ZERO)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_boom_spikes_up_and_drifts_down_and_crash_the_other_way(sign: float) -> None:
    tape, _ = index(sign)
    assert columns(SPIKES, (2048,), tape)["spike_direction_2048"][-1] == sign
    assert columns(DRIFT, (32,), tape)["drift_between_spikes_32"][-1] == -sign


def test_the_hazard_finds_the_rate_and_knows_no_memory() -> None:
    rng = np.random.default_rng(9)
    n = 40_000
    spiked = rng.random(n) < 1 / MEAN
    spiked[:60] = False
    closes = np.exp(np.cumsum(np.where(spiked, 1e-3, -1e-5 * rng.uniform(0.5, 1.5, n))))
    got = columns(SPIKES, (8192,), of_closes(closes))
    hazard, age = got["spike_hazard_8192"], got["ticks_since_spike_8192"]
    assert hazard[-1] == pytest.approx(1 / MEAN, rel=0.15)
    young = age[300:-1] < np.log1p(MEAN / 2)
    rates = [spiked[301:][young].mean(), spiked[301:][~young].mean()]
    assert rates == pytest.approx([1 / MEAN] * 2, rel=0.2), "an old one is no likelier"


@pytest.mark.parametrize(("family", "args"), [(SPIKES, (2048,)), (DRIFT, (32,))])
def test_columns_stay_finite_and_bounded_and_free_of_the_unit(family, args) -> None:
    check_hard(family, args)
    check_unit(family, args)


def test_a_price_that_never_moves_has_no_spikes() -> None:
    got = columns(SPIKES, (2048,), hard()["constant"])
    assert got["ticks_since_spike_2048"][-1] == pytest.approx(np.log(2049))
    assert got["spike_direction_2048"][-1] == 0.0
    assert got["spike_hazard_2048"][-1] < 1 / 500
    assert columns(DRIFT, (32,), hard()["constant"])["drift_between_spikes_32"][-1] == 0.0
