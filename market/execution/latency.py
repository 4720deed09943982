"""How long an order takes to the venue: fixed, drawn from a distribution, or as recorded."""

from __future__ import annotations

from typing import Annotated, Self

import numba as nb
import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from market.config import Config

__all__ = ["QUANTILES", "Latency", "delay"]

QUANTILES = 65
"""Points of a table of delays."""

Seconds = Annotated[float, Field(ge=0.0, le=3600.0)]


class Latency(Config):
    """From decision to arrival at the venue.

    Parameters
    ----------
    seconds
        The median; fixed where ``sigma`` is 0.
    sigma
        Standard deviation of the logarithm: delays are log-normal.
    quantiles
        Seconds at evenly spaced probabilities from 0 to 1, as they were measured; in place of
        ``seconds`` and ``sigma``.

    Examples
    --------
    >>> Latency(seconds=0.05).table()[[0, 64]].tolist()
    [50000000.0, 50000000.0]
    """

    seconds: Seconds = 0.0
    sigma: Annotated[float, Field(ge=0.0, le=3.0)] = 0.0
    quantiles: tuple[Seconds, ...] = ()

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.quantiles and (self.seconds or self.sigma):
            raise ValueError("quantiles: are given in place of seconds and sigma; leave those out")
        if self.sigma and not self.seconds:
            raise ValueError("sigma: needs seconds, the median it spreads around")
        if len(self.quantiles) == 1 or list(self.quantiles) != sorted(self.quantiles):
            raise ValueError("quantiles: must be two or more, and must not fall")
        return self

    @classmethod
    def of(cls, differences: npt.ArrayLike, least: float | None = None) -> Self:
        """Take the quantiles of recorded times from one clock to the other.

        Parameters
        ----------
        differences
            Nanoseconds: when each message was received, less the venue's time in it.
        least
            Seconds that the quickest took, where the two clocks disagree (half of the shortest
            round trip is a fair guess): what is measured is then how much later than the quickest
            each was. ``None``: the clocks agree.

        Raises
        ------
        ValueError
            There are fewer than two, or some were received before they were sent: give ``least``.

        Examples
        --------
        >>> Latency.of([1_030_000_000, 1_010_000_000, 1_020_000_000], least=0.005).quantiles[::32]
        (0.005, 0.015, 0.025)
        """
        apart = np.sort(np.asarray(differences, np.float64)) / 1e9
        if len(apart) < 2 or not np.isfinite(apart).all():
            raise ValueError(f"differences must be two or more numbers, were {len(apart)}")
        if least is not None:
            apart = least + (apart - apart[0])
        elif apart[0] < 0.0:
            raise ValueError(
                f"differences: one was received {-apart[0]:g} s before it was sent: the clocks "
                "disagree; give least, the seconds that the quickest message took"
            )
        found = np.quantile(apart, np.linspace(0.0, 1.0, QUANTILES))
        return cls(quantiles=tuple(round(one, 9) for one in found.tolist()))

    def table(self) -> npt.NDArray[np.float64]:
        """Return delays at evenly spaced probabilities, nanoseconds, for :func:`delay`.

        ``float64[65]``; of a log-normal, the probabilities (k + .5) / 65: its far
        tails are cut.
        """
        if self.quantiles:
            known = np.linspace(0.0, 1.0, len(self.quantiles))
            at = np.linspace(0.0, 1.0, QUANTILES)
            return np.round(1e9 * np.interp(at, known, self.quantiles))
        if self.sigma == 0.0:
            return np.full(QUANTILES, round(1e9 * self.seconds), np.float64)
        from statistics import NormalDist

        normal = NormalDist()
        scores = [normal.inv_cdf((k + 0.5) / QUANTILES) for k in range(QUANTILES)]
        return np.round(1e9 * self.seconds * np.exp(self.sigma * np.array(scores)))


@nb.njit(cache=True, error_model="numpy")
def delay(table: npt.NDArray[np.float64], seed: int, time: int) -> int:
    """Delay of the order decided at ``time``, nanoseconds.

    A pure function of its arguments, so that a restart, a batch and a single order agree: the
    quantile that splitmix64 (Steele, Lea and Flood, 2014) of ``seed`` and ``time`` points at.

    Parameters
    ----------
    table
        See :meth:`Latency.table`.
    seed
        Of all the delays of a run.
    time
        Venue time of the decision.

    Examples
    --------
    >>> table = Latency(quantiles=(0.01, 0.02)).table()
    >>> delay(table, 1, 5) == delay(table, 1, 5), 10_000_000 <= delay(table, 1, 5) <= 20_000_000
    (True, True)
    """
    last = len(table) - 1
    if table[0] == table[last]:
        return int(table[0])
    z = np.uint64(time) ^ (np.uint64(seed) * np.uint64(0xD1B54A32D192ED03))
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    place = np.float64(z >> np.uint64(11)) / 9007199254740992.0 * last
    below = min(int(place), last - 1)
    share = place - below
    return int(table[below] + share * (table[below + 1] - table[below]))
