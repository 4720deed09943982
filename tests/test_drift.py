"""Drift of errors and of columns: against river and scipy, on streams that change or don't."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.drift import ADWIN
from scipy import stats

from market.errors import SchemaMismatch, StateError
from models.drift import (
    Adwin,
    ColumnDrift,
    ColumnDriftConfig,
    DriftConfig,
    DriftMonitor,
    Reference,
)
from models.drift.distance import gamma_tail, ks, psi
from models.drift.reference import BINS
from validation.holm import holm


def ar(rng: np.random.Generator, n: int, columns: int, rho: float) -> np.ndarray:
    """Standard normal columns with memory."""
    noise = rng.normal(size=(n, columns)) * math.sqrt(1 - rho**2)
    noise[0] /= math.sqrt(1 - rho**2)
    for i in range(1, n):
        noise[i] += rho * noise[i - 1]
    return noise.astype(np.float32)


@pytest.mark.parametrize("clock", [1, 8, 32])
@pytest.mark.parametrize("delta", [0.002, 0.1])
def test_adwin_is_rivers_up_to_a_change(clock: int, delta: float) -> None:
    changes = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        stream = rng.normal(0.0, 1.0, 2500) + np.repeat(rng.normal(0.0, 0.4, 5), 500)
        river, own = ADWIN(delta=delta, clock=clock), Adwin(delta, clock)
        for value in stream.tolist():
            river.update(value)
            if own.update(value):
                assert river.drift_detected
                changes += 1
                break
            assert not river.drift_detected
            assert own.width == river.width
            assert own.mean == pytest.approx(river.estimation, abs=1e-12)
            # what river calls the variance is the sum of squares
            assert own.variance * own.width == pytest.approx(river.variance, rel=1e-9)
        assert own.mean == pytest.approx(stream[i_of(own, stream) :][: own.width].mean())
    assert changes > 6


def i_of(own: Adwin, stream: np.ndarray) -> int:
    """Where the window begins, from how many values were taken."""
    return int(own._counts[1]) - own.width


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=400), st.integers(0, 400))
def test_adwin_goes_on_where_it_was(values: list[float], cut: int) -> None:
    whole, first, second = Adwin(0.3, 1), Adwin(0.3, 1), Adwin(0.3, 1)
    told = [whole.update(value) for value in values]
    parts = [first.update(value) for value in values[:cut]]
    second.restore(first.snapshot())
    parts += [second.update(value) for value in values[cut:]]
    assert parts == told
    assert second.snapshot() == whole.snapshot()
    window = np.array(values[len(values) - whole.width :])
    assert whole.mean == pytest.approx(window.mean(), abs=1e-6)
    assert whole.variance == pytest.approx(window.var(), abs=1e-4)


def test_the_window_starts_at_the_change() -> None:
    rng = np.random.default_rng(0)
    starts = []
    for _ in range(20):
        adwin = Adwin()
        for value in np.append(rng.normal(0, 1, 1000), rng.normal(1.5, 1, 1000)).tolist():
            adwin.update(value)
        starts.append(2000 - adwin.width)
    assert np.median(starts) == pytest.approx(1000, abs=40)


def test_the_monitor_is_silent_until_the_losses_change() -> None:
    rng = np.random.default_rng(1)
    same = rng.exponential(0.9, 10_000)
    monitor = DriftMonitor(DriftConfig())
    assert not any(monitor.update(loss) for loss in same.tolist())
    assert monitor.mean == pytest.approx(np.minimum(same, 4.0).mean())
    alarms = [monitor.update(loss) for loss in rng.exponential(1.4, 1000).tolist()]
    alarm = next(alarm for alarm in alarms if alarm)
    assert alarm.worse
    assert alarm.losses - 10_000 < 400
    assert alarm.before == pytest.approx(0.89, abs=0.05)
    better = [monitor.update(loss) for loss in rng.exponential(0.5, 1000).tolist()]
    assert any(alarm and not alarm.worse for alarm in better)


def test_losses_of_overlapping_labels_are_no_alarms() -> None:
    rng = np.random.default_rng(2)
    k, n = 12, 60_000
    shared = np.convolve(rng.exponential(1.0, n + k - 1), np.ones(k) / k, mode="valid")
    losses = (1.0 + (shared - 1.0) * math.sqrt(k) * 0.4).tolist()
    naive, aware = DriftMonitor(DriftConfig()), DriftMonitor(DriftConfig(), overlap=k)
    false = sum(naive.update(loss) is not None for loss in losses)
    assert false > 20  # a positive control: the overlap is what makes them
    assert sum(aware.update(loss) is not None for loss in losses) <= 1
    found = [alarm for x in losses[:3000] if (alarm := aware.update(x + 0.4))]
    assert found
    assert found[0].worse
    assert found[0].after - found[0].before == pytest.approx(0.4, abs=0.2)


def test_the_monitor_goes_on_where_it_was() -> None:
    losses = np.random.default_rng(3).exponential(1.0, 1500)
    losses[700:] += 0.7
    whole, first = DriftMonitor(DriftConfig(), 3), DriftMonitor(DriftConfig(), 3)
    told = [whole.update(loss) for loss in losses.tolist()]
    parts = [first.update(loss) for loss in losses[:710].tolist()]
    second = DriftMonitor(DriftConfig(), 3)
    second.restore(first.snapshot())
    parts += [second.update(loss) for loss in losses[710:].tolist()]
    assert parts == told
    assert any(told)
    with pytest.raises(StateError, match="start anew"):
        second.restore(b"\x00")
    with pytest.raises(ValueError, match="must be finite"):
        Adwin().update(math.nan)


def test_tails_are_those_of_scipy() -> None:
    for shape in (4.0, 11.0, 19.0):
        for q in (0.5, 0.05, 1e-3, 1e-5):
            x = float(stats.gamma.isf(q, shape))
            assert gamma_tail(x, shape, math.sqrt(shape)) == pytest.approx(q, rel=0.5)
    p = np.array([0.001, 0.04, 0.03, 0.6, 0.01])
    # Holm by hand: times 5, 4, 3, 2, 1 in order of size, never decreasing
    assert holm(p).tolist() == pytest.approx([0.005, 0.09, 0.09, 0.6, 0.04])


def test_the_statistics_are_those_of_the_values() -> None:
    rng = np.random.default_rng(4)
    train, window = rng.normal(size=(4000, 1)), rng.normal(0.3, 1.2, (500, 1))
    reference = Reference.of(train.astype(np.float32), ("x",))
    drift = ColumnDrift(reference, ColumnDriftConfig())
    for row in window.astype(np.float32):
        drift.update(row)
    (told,) = drift.look()
    exact = stats.ks_2samp(train[:, 0], window[:, 0]).statistic
    assert exact - 0.03 < told.ks <= exact
    deciles = np.quantile(train, np.arange(0.1, 0.95, 0.1), method="inverted_cdf")
    q = (np.bincount(np.searchsorted(deciles, window[:, 0]), minlength=10) + 0.5) / 505.5
    want = ((q - 0.1) * np.log(q / 0.1)).sum()
    assert told.psi == pytest.approx(want, rel=0.02)
    # rows without memory: windows differ as independent draws do, or are taken to differ more
    independent = stats.kstwobign.mean() / math.sqrt(500), stats.kstwobign.std() / math.sqrt(500)
    assert 1.0 <= reference.ks_mean[0] / independent[0] * (1 + 1e-9) < 1.4
    assert 1.0 <= reference.ks_sd[0] / independent[1] * (1 + 1e-9) < 1.8


def test_a_column_with_memory_is_given_more_room() -> None:
    rng = np.random.default_rng(5)
    X = np.hstack([ar(rng, 20_000, 1, 0.0), ar(rng, 20_000, 1, 0.98)])
    free, slow = Reference.of(X, ("free", "slow")).ks_mean
    assert 3.0 < slow / free < 12.0  # sqrt((1 + rho) / (1 - rho)) is 9.9 for the mean


def test_ties_and_unknown_values_have_their_own_bins() -> None:
    rng = np.random.default_rng(6)
    X = np.column_stack([rng.random(2000) < 0.1, rng.normal(size=2000)]).astype(np.float32)
    X[::10, 1] = np.nan
    reference = Reference.of(X, ("flag", "holes"), window=200)
    assert reference.shares[0][0] == pytest.approx(0.9, abs=0.03)
    assert reference.shares[1][BINS] == pytest.approx(0.1)
    drift = ColumnDrift(reference, ColumnDriftConfig(every=50))
    told = [one for _ in range(300) for one in drift.update(np.array([1, 0], np.float32))]
    assert {one.name for one in told} == {"flag", "holes"}
    written = msgspec.json.encode(reference)
    assert msgspec.json.decode(written, type=Reference) == reference


@pytest.mark.parametrize("rho", [0.0, 0.95])
def test_finds_the_columns_that_moved_and_no_others(rho: float) -> None:
    rng = np.random.default_rng(7)
    X = ar(rng, 30_000, 30, rho)
    names = tuple(f"c{j}" for j in range(30))
    drift = ColumnDrift(Reference.of(X[:10_000], names), ColumnDriftConfig())
    for row in X[10_000:20_000]:
        assert drift.update(row) == ()
    X[20_000:, 3] += 2.5
    X[20_000:, 8] *= 10.0
    told = {one.name for row in X[20_000:22_000] for one in drift.update(row)}
    assert told == {"c3", "c8"}
    assert set(drift.drifted) <= told


def test_the_window_goes_on_where_it_was() -> None:
    rng = np.random.default_rng(8)
    X = ar(rng, 3000, 4, 0.5)
    names = ("a", "b", "c", "d")
    reference, config = Reference.of(X[:2000], names, 100), ColumnDriftConfig(every=10)
    X[2500:, 1] += 3.0
    for cut in (2030, 2600):
        whole, first, second = (ColumnDrift(reference, config) for _ in range(3))
        told = [whole.update(row) for row in X[2000:]]
        parts = [first.update(row) for row in X[2000:cut]]
        second.restore(first.snapshot())
        assert second.look() == first.look()
        parts += [second.update(row) for row in X[cut:]]
        assert parts == told
        assert second.snapshot() == whole.snapshot()
    assert [one.name for found in told for one in found] == ["b"]
    with pytest.raises(SchemaMismatch, match="start anew"):
        ColumnDrift(Reference.of(X[:2000], names[::-1], 100), config).restore(whole.snapshot())
    with pytest.raises(ValueError, match="at least 160, were 20"):
        Reference.of(X[:20], names)
    with pytest.raises(ValueError, match="one per column"):
        Reference.of(X, ("a",))


def test_distances_of_equal_and_of_disjoint_samples() -> None:
    shares = np.array([0.25, 0.25, 0.5, 0.0])
    assert ks(shares, shares * 400) == pytest.approx(0.0)
    assert psi(shares, shares * 400, 1e9) == pytest.approx(0.0, abs=1e-4)
    assert ks(shares, np.array([0.0, 0.0, 0.0, 9.0])) == pytest.approx(1.0)
    assert math.isfinite(psi(shares, np.array([0.0, 0.0, 0.0, 9.0]), 100))
