"""Rise/fall contracts: a bet that the price is higher, or lower, some ticks after its entry.

Compiled.

The entry is the tick after the purchase. A bet of ``ticks`` is decided by the tick that many after
the entry; it pays ``payout`` times its stake or nothing. At equal prices it loses (Deriv's ``CALL``
and ``PUT``) or wins (``CALLE`` and ``PUTE``, which pay less). The payout offered is what the house
makes of its chance: on a fair coin 1.95 or so, and a bettor must be right in 1 / 1.95 = 51.3 % of
the bets to lose nothing.
"""

from __future__ import annotations

import math
from typing import Annotated

import numba as nb
import numpy as np
import numpy.typing as npt
from pydantic import Field

from market.config import Config

__all__ = ["RiseFall", "bet", "bets"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@nb.njit(cache=True, error_model="numpy")
def bet(prices: Floats, row: int, sign: int, ticks: int, payout: float, ties: bool) -> float:
    """Profit of one bet decided on ``row``, for one staked.

    Parameters
    ----------
    prices
        ``float64[n]``: quotes.
    row
        Where it is bought; the entry is the next quote.
    sign
        1: on a rise, -1: on a fall.
    ticks
        From the entry to the tick that decides.
    payout
        What it pays when it wins, for one staked, the stake included.
    ties
        Whether it wins at equal prices.

    Returns
    -------
    float
        ``payout - 1`` or -1; ``nan`` where the prices end before it is decided.
    """
    if row + 1 + ticks >= len(prices):
        return math.nan
    move = sign * (prices[row + 1 + ticks] - prices[row + 1])
    return payout - 1.0 if move > 0.0 or (ties and move == 0.0) else -1.0


@nb.njit(cache=True, error_model="numpy")
def bets(
    prices: Floats, rows: Ints, signs: Ints, ticks: int, payout: float, ties: bool, out: Floats
) -> None:
    """Profit of many bets, each by itself: :func:`bet` for every one of ``rows``, into ``out``."""
    for k in range(len(rows)):
        out[k] = bet(prices, rows[k], signs[k], ticks, payout, ties)


class RiseFall(Config):
    """A rise/fall contract's terms.

    Parameters
    ----------
    payout
        What a bet pays when it wins, for one staked, the stake included.
    ticks
        From the entry to the tick that decides, 1 to 10 at the venue.
    ties
        Whether it wins at equal prices.

    Examples
    --------
    >>> terms = RiseFall(payout=1.95, ticks=5)
    >>> round(terms.break_even, 4), round(terms.expected(0.5), 4)
    (0.5128, -0.025)
    >>> terms.run(np.array([1.0, 2.0, 3.0, 3.0]), [0, 1, 2], [1, 1, 1]).tolist()
    [nan, nan, nan]
    >>> RiseFall(ticks=1).run(np.array([1.0, 2.0, 3.0, 3.0]), [0, 1, 2], [1, 1, 1]).tolist()
    [0.95, -1.0, nan]
    """

    payout: Annotated[float, Field(gt=1.0, le=100.0)] = 1.95
    ticks: Annotated[int, Field(ge=1, le=86_400)] = 5
    ties: bool = False

    @property
    def break_even(self) -> float:
        """Share of bets that must win, ties counted as what they are here: ``1 / payout``."""
        return 1.0 / self.payout

    def expected(self, chance: float) -> float:
        """Return the mean profit for one staked of a bet that wins with ``chance``."""
        return chance * self.payout - 1.0

    def kelly(self, chance: float) -> float:
        """Fraction of the capital that grows it fastest, ``(p b - q) / b``; 0 without an edge."""
        odds = self.payout - 1.0
        return max(0.0, (chance * odds - (1.0 - chance)) / odds)

    def run(self, prices: npt.ArrayLike, rows: npt.ArrayLike, signs: npt.ArrayLike) -> Floats:
        """Bet on each of ``rows``; return the profits for one staked, ``float64[k]``.

        ``nan`` where the prices end before a bet is decided.
        """
        which = np.asarray(rows, np.int64)
        out = np.empty(len(which))
        bets(
            np.asarray(prices, np.float64), which, np.asarray(signs, np.int64),
            self.ticks, self.payout, self.ties, out,
        )  # fmt: skip
        return out
