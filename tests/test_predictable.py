"""Laws that can be predicted: as well as they say, over the seams of their pieces too."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
import pytest

from market.predictable import OrnsteinUhlenbeck, Planted, Regimes, Walk
from market.processes import YEAR, Process
from market.synthetics import SYNTHETICS
from venues.simulated.deriv.record import Record

N = 400_000


def returns(process: Process, pieces: int = 1, seed: int = 5) -> np.ndarray:
    """Log returns of a path drawn in so many pieces."""
    walk = Walk(process, 1e4, np.random.default_rng(seed))
    prices = np.concatenate([walk.prices(N // pieces) for _ in range(pieces)])
    return np.diff(np.log(prices))


def served(symbol: str) -> np.ndarray:
    """Log returns of an index as the exchange draws it."""
    record = Record(symbol, seed=3, origin=1_000_000)
    record.publish(N)
    return np.diff(np.log(record.prices(np.arange(N))))


@pytest.mark.parametrize("interval", [1.0, 60.0])
def test_ornstein_uhlenbeck_whatever_the_interval(interval: float) -> None:
    process = OrnsteinUhlenbeck(1e4, 600.0, 0.75, interval, 9)
    away = np.log(process.prices(1e4, N, np.random.default_rng(1)) / 1e4)
    # In the long run the deviation has the spread it states; neighbours are alike, so the
    # independent ones among them are fewer.
    alone = N * interval / (2 * 600 / log(2))
    assert away.std() == pytest.approx(process.spread, rel=4 / sqrt(2 * alone))
    assert abs(away.mean()) < 4 * process.spread / sqrt(alone)
    # What is left of a deviation a tick later, by regression.
    kept = (away[1:] @ away[:-1]) / (away[:-1] @ away[:-1])
    keeps = exp(-log(2.0) * interval / 600.0)
    assert kept == pytest.approx(keeps, abs=4 * sqrt((1 - keeps**2) / N))
    left = away[1:] - keeps * away[:-1]
    assert left.std() == pytest.approx(process.spread * sqrt(1 - keeps**2), rel=0.01)


def test_ornstein_uhlenbeck_halves_a_deviation_in_its_half_life() -> None:
    process = OrnsteinUhlenbeck(1e4, 100.0, 0.01, 1.0, 6)
    ends = [process.prices(1.1e4, 100, np.random.default_rng(k))[-1] for k in range(200)]
    assert np.log(np.array(ends) / 1e4).mean() == pytest.approx(log(1.1) / 2, rel=0.001)


def test_ornstein_uhlenbeck_is_short_of_a_random_walk() -> None:
    long = returns(SYNTHETICS["OU10"].process)
    hours = long[: len(long) // 3600 * 3600].reshape(-1, 3600).sum(axis=1)
    # Six half-lives on, the log price has forgotten where it was: two draws of the long run.
    process = SYNTHETICS["OU10"].process
    assert isinstance(process, OrnsteinUhlenbeck)
    assert hours.std() == pytest.approx(sqrt(2) * process.spread, rel=4 / sqrt(2 * len(hours)))
    assert hours.std() < 0.6 * long.std() * sqrt(3600)


@pytest.mark.parametrize("pieces", [1, 400])
def test_regimes_last_as_long_as_they_say(pieces: int) -> None:
    # Without noise the regime shows in every move.
    process = Regimes(1e-4, 100.0, 0.0, 1.0, 9)
    walk = Walk(process, 1e4, np.random.default_rng(2))
    moves = [np.diff(np.log(walk.prices(N // pieces))) for _ in range(pieces)]
    regimes = np.round(np.concatenate(moves) / 1e-4)
    assert set(regimes.tolist()) == {-1.0, 0.0, 1.0}
    turns = (np.diff(regimes) != 0).mean()
    assert turns == pytest.approx(1 / 100, rel=4 / sqrt(N / 100))
    for regime in (-1.0, 0.0, 1.0):
        assert (regimes == regime).mean() == pytest.approx(1 / 3, abs=4 * sqrt(2 * 100 / 9 / N * 3))
    ends = np.flatnonzero(np.diff(regimes))
    follow = {(a, b) for a, b in zip(regimes[ends], regimes[ends + 1], strict=True)}
    assert len(follow) == 6, "each may follow each"


def test_regimes_outlive_the_pieces_a_path_is_drawn_in() -> None:
    process = Regimes(1e-4, 1e6, 0.0, 1.0, 9)
    one = returns(process, pieces=1000)
    assert (np.diff(np.round(one / 1e-4)) != 0).sum() <= 5
    afresh = [process.prices(1e4, 1, np.random.default_rng(k))[0] for k in range(50)]
    assert len(set(np.round(afresh))) == 3, "a path of its own begins in any regime"


def test_regimes_can_be_told_from_past_moves() -> None:
    moves = served("REGIME10")
    seen = np.convolve(moves, np.ones(200), "valid")[:-1]
    assert np.corrcoef(seen, moves[200:])[0, 1] > 10 / sqrt(len(seen))


@pytest.mark.parametrize(("ic", "pieces"), [(0.1, 1), (0.5, 1), (-0.3, 1), (0.5, 100_000)])
def test_planted_has_the_correlation_it_states(ic: float, pieces: int) -> None:
    process = Planted(ic, 0.75, 1.0, 6)
    moves = returns(process, pieces)
    assert np.corrcoef(moves[1:], moves[:-1])[0, 1] == pytest.approx(ic, abs=4 / sqrt(N))
    # The forecast explains ic² of the variance, and there is nothing else to find.
    left = moves[1:] - ic * moves[:-1]
    assert 1 - left.var() / moves[1:].var() == pytest.approx(ic**2, abs=8 * abs(ic) / sqrt(N))
    assert abs(np.corrcoef(left[1:], left[:-1])[0, 1]) < 4 / sqrt(N)
    assert moves.std() * sqrt(YEAR) == pytest.approx(0.75, rel=0.01)


def test_planted_is_served_as_it_is() -> None:
    moves = served("PLANTED10")
    assert np.corrcoef(moves[1:], moves[:-1])[0, 1] == pytest.approx(0.1, abs=4 / sqrt(N))


def earned(symbol: str, position: np.ndarray) -> float:
    """Log gain of holding ``position[t]`` from tick ``t`` on, after commission on each change."""
    gains = position[:-1] * served(symbol)
    return float(gains.sum() - SYNTHETICS[symbol].commission * np.abs(np.diff(position)).sum())


def held(signal: np.ndarray) -> np.ndarray:
    """Return the last signal that was not 0, at every tick."""
    last = np.maximum.accumulate(np.where(signal != 0.0, np.arange(len(signal)), 0))
    return signal[last]


def test_who_knows_the_law_earns_after_costs_where_it_is_said() -> None:
    process = SYNTHETICS["OU10"].process
    assert isinstance(process, OrnsteinUhlenbeck)
    away = np.cumsum(np.insert(served("OU10"), 0, 0.0)) / process.spread
    assert earned("OU10", held(-np.sign(away) * (np.abs(away) > 1.0))) > 0.4
    # The regime goes by how the price moved in the last five minutes.
    path = np.cumsum(np.insert(served("REGIME10"), 0, 0.0))
    trend = path - np.concatenate([np.full(300, path[0]), path[:-300]])
    assert earned("REGIME10", held(np.sign(trend) * (np.abs(trend) > 0.004))) > 0.5
    # The last move tells a tenth of the next, and a trade costs two of them.
    moves = np.insert(served("PLANTED10"), 0, 0.0)
    assert moves[1:] @ np.sign(moves[:-1]) > 0
    assert earned("PLANTED10", np.sign(moves)) < 0


def test_nothing_asked_nothing_drawn() -> None:
    for symbol in ("OU10", "REGIME10", "PLANTED10", "R_75"):
        walk = Walk(SYNTHETICS[symbol].process, 1e4, np.random.default_rng(1))
        walk.prices(3)
        assert len(walk.prices(0)) == 0
        assert len(walk.prices(3)) == 3
