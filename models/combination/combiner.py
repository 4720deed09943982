"""A combination as it runs: one formula, live and in batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from models.combination.calibration import calibrate
from models.combination.card import CombinationCard, PoolCard
from models.combination.pool import Pool, disagreement
from models.combination.vote import Vote

__all__ = ["Combined", "Combiner"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Combined:
    """What an ensemble says of ``n`` decisions.

    Parameters
    ----------
    proba
        ``float64[n, 3]``.
    disagreement
        ``float64[n]``.
    abstained
        ``bool[n]``: whether ``proba`` is the class frequencies because it had nothing to say.
    """

    __slots__ = ("abstained", "disagreement", "proba")

    def __init__(
        self, proba: Floats, disagreement: Floats, abstained: npt.NDArray[np.bool_]
    ) -> None:
        self.proba, self.disagreement, self.abstained = proba, disagreement, abstained


class Combiner:
    """Put members' probabilities together as a card says.

    Parameters
    ----------
    card
        The fitted combination.
    frequencies
        ``(down, flat, up)`` of the training: what an ensemble that abstains says.
    """

    def __init__(self, card: CombinationCard, frequencies: tuple[float, float, float]) -> None:
        self.card = card
        self._base = np.array(frequencies)
        self._pools = tuple(_pool(card.kind, one) for one in card.pools)

    def __call__(self, said: Floats, regimes: Ints | None = None) -> Combined:
        """Combine.

        Parameters
        ----------
        said
            ``float64[M, n, 3]``: each member's probabilities.
        regimes
            ``int64[n]``, each from 0; needed where there is a pool for each.
        """
        apart = disagreement(said)
        proba, abstained = self._pooled(said, regimes)
        if self.card.calibration is not None:
            proba = calibrate(proba, self.card.calibration)
        limits = self.card.abstain
        if limits is not None:
            abstained |= proba.max(axis=1) < limits.confidence
            abstained |= np.abs(proba[:, 2] - proba[:, 0]) < limits.edge
            abstained |= apart > limits.disagreement
        if abstained.any():
            proba[abstained] = self._base
        return Combined(proba, apart, abstained)

    def _pooled(self, said: Floats, regimes: Ints | None) -> tuple[Floats, npt.NDArray[np.bool_]]:
        n = said.shape[1]
        if len(self._pools) == 1:
            (pool,) = self._pools
            assert pool is not None  # a lone pool has weights
            return pool(said), np.zeros(n, np.bool_)
        if regimes is None:
            raise ValueError(f"regimes must choose among {len(self._pools)} pools, were None")
        proba, abstained = np.tile(self._base, (n, 1)), np.ones(n, np.bool_)
        for regime, pool in enumerate(self._pools):
            here = np.flatnonzero(regimes == regime)
            if pool is not None and len(here):
                proba[here], abstained[here] = pool(said[:, here]), False
        return proba, abstained


def _pool(kind: str, card: PoolCard) -> Callable[[Floats], Floats] | None:
    if not any(card.weights) and not any(card.bias):
        return None
    return Pool(card.weights, card.bias) if kind == "stack" else Vote(card.weights)
