"""Which episode comes next: where it begins, under which lease, and in which market."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from envs.config import EnvConfig, Randomisation
from envs.reel import Reel
from market.execution.costs import (
    COMMISSION,
    FUNDING_RATE,
    HALF_SPREAD,
    IMPACT,
    LIQUIDATION_FEE,
    MAKER,
    PER_UNIT,
    SEED,
    SLIPPAGE,
)

__all__ = ["Episodes", "Markets"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FEES = [COMMISSION, MAKER, PER_UNIT, FUNDING_RATE, LIQUIDATION_FEE]


class Markets(NamedTuple):
    """Terms of some episodes.

    Parameters
    ----------
    terms, delays
        ``float64[k, 16]``, ``float64[k, 65]``.
    stretches
        ``float64[k]``: what the price's moves are multiplied with.
    """

    terms: Floats
    delays: Floats
    stretches: Floats

    @classmethod
    def drawn(
        cls, reel: Reel, tapes: Ints, how: Randomisation, rng: np.random.Generator
    ) -> Markets:
        """Draw the markets of episodes on ``tapes``."""
        terms, delays = reel.terms[tapes], reel.delays[tapes]
        ranges = (how.fees, how.spread, how.slippage, how.impact, how.latency, how.volatility)
        low, high = np.array(ranges).T
        fees, spread, slippage, impact, latency, volatility = rng.uniform(
            low, high, (len(tapes), len(ranges))
        ).T
        terms[:, _FEES] *= fees[:, None]
        terms[:, HALF_SPREAD] *= spread
        terms[:, SLIPPAGE] *= slippage
        terms[:, IMPACT] *= impact
        terms[:, SEED] = rng.integers(1, 1 << 31, len(tapes))
        delays += np.round(1e9 * latency)[:, None]
        return cls(terms, delays, volatility)


class Episodes:
    """Draws episodes of all tapes alike: every decision that has room behind it begins one.

    Parameters
    ----------
    reel
        The tapes.
    config
        How episodes are made.
    """

    def __init__(self, reel: Reel, config: EnvConfig) -> None:
        self._reel, self._config = reel, config
        lengths = np.diff(reel.spans, axis=1)[:, 0] - 1
        self._steps = np.minimum(lengths, config.episode)
        # A tape of m rows has m - steps places where an episode can begin.
        self._places = np.cumsum(lengths + 1 - self._steps)

    def drawn(self, k: int, rng: np.random.Generator) -> Ints:
        """Draw tape, first and last row of ``k`` episodes, ``int64[k, 3]``."""
        places = rng.integers(self._places[-1], size=k)
        tapes = np.searchsorted(self._places, places, side="right")
        before = np.concatenate(([0], self._places))[tapes]
        rows = places - before + self._reel.spans[tapes, 0]
        return np.column_stack((tapes, rows, rows + self._steps[tapes]))

    def whole(self, k: int, at: int) -> Ints:
        """Return ``k`` episodes from row ``at`` of the first tape to its end.

        Raises
        ------
        ValueError
            There is no decision behind that row.
        """
        last = int(self._reel.spans[0, 1]) - 1
        if not 0 <= at < last:
            raise ValueError(f"start must be from 0 to {last - 1}, was {at}")
        return np.tile(np.array([0, at, last], np.int64), (k, 1))

    def leases(self, k: int, rng: np.random.Generator) -> Floats:
        """Draw ``k`` leases, ``float64[k]``."""
        if self._config.lease == 1.0:
            return np.ones(k)
        return rng.uniform(self._config.lease, 1.0, k)
