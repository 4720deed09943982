"""Resampled decisions: every one is followed by what it was followed by, and no seam is hidden."""

import numpy as np
import pytest

from envs.market import MarketVectorEnv
from envs.markets.resampled import resampled
from envs.planted import planted
from market.execution import Costs
from tests.env_tapes import laid


@pytest.mark.parametrize("kind", ["stationary", "circular"])
@pytest.mark.parametrize("every", [1, 3])
def test_a_row_brings_its_context_its_return_and_its_events(kind, every):
    tape = laid(60, every, seed=3)
    made, fresh = resampled(tape, 8, np.random.default_rng(1), kind)
    assert len(made) == len(fresh) == 60
    # The third column is drawn from a continuum: it names its source.
    source = np.array([np.flatnonzero(tape.rows[:, 2] == said)[0] for said in made.rows[:, 2]])
    np.testing.assert_array_equal(made.rows[:, 2:], tape.rows[source][:, 2:])
    follows = np.diff(source) == 1
    assert (fresh[1:-1] == ~follows[:-1]).all()
    # A block that goes around the circle has a seam of its own.
    assert 8 <= fresh.sum() <= 10 if kind == "circular" else 3 < fresh.sum() < 16
    events, at = made.happening
    was, then = tape.happening
    for row in range(59):
        one = events.values[at[row] + 1 : at[row + 1] + 1]
        other = was.values[then[source[row]] + 1 : then[source[row] + 1] + 1]
        np.testing.assert_allclose(
            one[:, :4] / made.price[row], other[:, :4] / tape.price[source[row]], rtol=1e-12
        )
        np.testing.assert_array_equal(one[:, 4:], other[:, 4:])
    assert made.price.tolist() == events.values[at, 3].tolist()
    assert made.times.tolist() == events.times[at].tolist()
    assert (np.diff(events.times) > 0).all()


def test_it_is_drawn_from_the_generator_and_can_be_played():
    tape = laid(50, 2)
    one, same, other = (resampled(tape, 5, np.random.default_rng(k)).tape for k in (1, 1, 2))
    np.testing.assert_array_equal(one.rows, same.rows)
    assert not np.array_equal(one.rows, other.rows)
    env = MarketVectorEnv([one], 3)
    env.reset(seed=1)
    for action in np.random.default_rng(1).integers(0, 6, (49, 3)):
        env.step(action)
    assert (env.equity != 10_000.0).all()
    with pytest.raises(ValueError, match="block must be at least 1, was 0"):
        resampled(tape, 0, np.random.default_rng(1))


def test_a_prediction_stays_as_good_as_it_was():
    tape = planted(4000, 0.3, 0.9, 0.0, np.random.default_rng(1))
    made = resampled(tape, 50, np.random.default_rng(2)).tape

    def worth(one):
        edge = one.rows[:-1, 4] - one.rows[:-1, 2]
        return np.corrcoef(edge, np.diff(np.log(one.price)))[0, 1]

    assert worth(tape) > 0.2
    assert worth(made) == pytest.approx(worth(tape), abs=0.06)
    assert made.instrument.costs == Costs()
