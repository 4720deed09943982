"""Fitting a combination on what members said out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from market.errors import ConfigError
from models.combination.calibration_fit import fit_calibration
from models.combination.card import AbstainCard, CombinationCard, PoolCard
from models.combination.combiner import Combiner
from models.combination.comparison import compare, losses
from models.combination.config import (
    AbstainConfig,
    CombinationConfig,
    StackConfig,
    SwitchConfig,
    VoteConfig,
)
from models.combination.pool import Pool, disagreement
from models.combination.stack import fit_pool
from models.member import Floats, Ints, frequencies
from models.regime.card import RegimeCard

__all__ = ["Learner"]

FEW = 100.0
"""Independent outcomes' worth of all regimes' class frequencies in those of one."""


class Learner:
    """Fits combinations of one ensemble's members, from whatever decisions it is given.

    Parameters
    ----------
    config
        How members are put together.
    calibration
        What is done to the outcome.
    abstain
        When nothing is said.
    names
        Of the members, in order.
    overlap
        Decisions per independent outcome.
    seed
        Of the comparison's bootstrap.
    """

    def __init__(
        self,
        config: CombinationConfig,
        calibration: Literal["none", "temperature", "vector"],
        abstain: AbstainConfig | None,
        names: Sequence[str],
        overlap: float,
        seed: int,
    ) -> None:
        self._config, self._calibration, self._abstain = config, calibration, abstain
        self._names, self._overlap, self._seed = tuple(names), overlap, seed

    def fit(
        self, said: Floats, labels: Ints, regime: RegimeCard | None, regimes: Ints | None
    ) -> CombinationCard:
        """Fit.

        Parameters
        ----------
        said
            ``float64[M, n, 3]``: what members said of decisions that they were not fitted on.
        labels
            ``int64[n]``: what happened.
        regime, regimes
            The regime model, and what it says of each decision; ``None`` where there is none.
        """
        config, alone = self._config, ""
        if isinstance(config, VoteConfig):
            pools: tuple[PoolCard, ...] = (self._vote(config.weights),)
        elif isinstance(config, SwitchConfig):
            self.check(regime)
            pools = tuple(self._vote(one) for one in config.votes)
        else:
            pools, alone = self._stack(config, said, labels, regime, regimes)
        card = CombinationCard(config.kind, pools, regime, alone=alone)
        combiner = Combiner(card, self._base(labels))
        if self._calibration != "none":
            told = combiner(said, regimes)
            heard = ~told.abstained
            if heard.any():  # a switch may be silent all along
                fitted = fit_calibration(
                    told.proba[heard], labels[heard], self._calibration, self._overlap
                )
                card = CombinationCard(card.kind, card.pools, card.regime, fitted, None, alone)
        if self._abstain is None:
            return card
        most = self._abstain.disagreement
        if self._abstain.quantile < 1.0:
            most = min(most, float(np.quantile(disagreement(said), self._abstain.quantile)))
        limits = AbstainCard(self._abstain.confidence, self._abstain.edge, most)
        return CombinationCard(card.kind, card.pools, card.regime, card.calibration, limits, alone)

    def check(self, regime: RegimeCard | None) -> None:
        """Raise :class:`ConfigError` where a switch has not one vote for each regime."""
        config, count = self._config, 0 if regime is None else len(regime.frequencies)
        if isinstance(config, SwitchConfig) and len(config.votes) != count:
            raise ConfigError(
                f"ensemble.combination.votes: {len(config.votes)} for {count} regimes; "
                "give one for each regime of ensemble.regime"
            )

    def _vote(self, weights: dict[str, float] | None) -> PoolCard:
        if weights is None:
            return PoolCard((0.0,) * len(self._names))
        return PoolCard(tuple(weights.get(name, 0.0) if weights else 1.0 for name in self._names))

    def _stack(
        self,
        config: StackConfig,
        said: Floats,
        labels: Ints,
        regime: RegimeCard | None,
        regimes: Ints | None,
    ) -> tuple[tuple[PoolCard, ...], str]:
        pool = fit_pool(said, labels, config.shrink, config.spread, self._overlap)
        pools: tuple[PoolCard, ...] = (PoolCard(pool.weights, pool.bias),)
        if config.by_regime:
            assert regime is not None  # the configuration sees to that
            assert regimes is not None
            count = len(regime.frequencies)
            pools = self._by_regime(config, said, labels, count, regimes, pool)
        if config.single == "if_better" and len(said) > 1:
            card = CombinationCard(config.kind, pools, regime)
            together = Combiner(card, self._base(labels))(said, regimes).proba
            better = self._better(config, together, said, labels)
            if better is not None:
                weights = [0.0] * len(said)
                weights[better[0]] = better[1].weights[0]
                return (PoolCard(tuple(weights), better[1].bias),), self._names[better[0]]
        return pools, ""

    def _by_regime(
        self,
        config: StackConfig,
        said: Floats,
        labels: Ints,
        count: int,
        regimes: Ints,
        pool: Pool,
    ) -> tuple[PoolCard, ...]:
        """Fit a pool for each regime, pulled towards that of all; where nothing is known, that."""
        found, base, few = [], frequencies(labels), FEW * self._overlap
        for number in range(count):
            here = regimes == number
            counts = np.bincount(labels[here], minlength=3)
            shares = (counts + few * base) / (counts.sum() + few)
            own = pool
            if here.any():
                own = fit_pool(
                    said[:, here],
                    labels[here],
                    config.shrink,
                    config.spread,
                    self._overlap,
                    np.array(pool.weights),
                    shares,
                )
            found.append(PoolCard(own.weights, own.bias))
        return tuple(found)

    def _better(
        self, config: StackConfig, together: Floats, said: Floats, labels: Ints
    ) -> tuple[int, Pool] | None:
        """Return the member that alone is surely better than all together, if there is one.

        Each is compared as it would be used: alone in a pool with the class frequencies.
        """
        own = losses(together, labels)
        block = max(50, round(4.0 * self._overlap))
        best: tuple[float, int, Pool] | None = None
        for index in range(len(said)):
            alone = fit_pool(said[index : index + 1], labels, config.shrink, 0.0, self._overlap)
            rng = np.random.default_rng(self._seed)
            found = compare(own, losses(alone(said[index : index + 1]), labels), block, rng)
            heard = alone.weights[0] > 0.0
            if heard and found.sure and (best is None or found.gain > best[0]):
                best = found.gain, index, alone
        return None if best is None else best[1:]

    def _base(self, labels: Ints) -> tuple[float, float, float]:
        down, flat, up = frequencies(labels).tolist()
        return down, flat, up
