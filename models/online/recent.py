"""Recent weights: who has foretold best lately, in each regime."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from market.errors import SchemaMismatch, StateError
from models.combination.pool import SMALLEST
from models.online.config import RecentConfig

__all__ = ["RecentWeights"]

Floats = npt.NDArray[np.float64]


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shape: tuple[int, int]
    losses: bytes
    mass: bytes


class RecentWeights:
    """A mixture of what the ensemble says and what its members say, by their recent losses.

    The ensemble's own probabilities are one forecaster among the others, the first. With *L* a
    forecaster's losses in a regime, each worth ``share`` and half as much after a half-life,

        ``w ∝ prior · exp(-rate · (L - min L))``,  then ``(1 - keep) w + keep · prior``,

    and the mixture is ``Σ w p``. *L* is a sum, no mean: where little is known, little is changed.

    Parameters
    ----------
    config
        How fast and how strongly.
    prior
        Of the members, any scale; they have what the ensemble leaves them.
    regimes
        How many there are; the regime -1, for an unknown one, has its own weights.

    Notes
    -----
    Discounted Bayesian model averaging: Raftery, Karny and Ettler, 2010, dynamic model averaging;
    Herbster and Warmuth, 1998, fixed share. At rate 1 and shares of 1, without forgetting and
    keeping, the weights are those of Bayes' rule, and in each regime all losses of the mixture
    together are at most ``-log(base)`` nats above all of the ensemble's, however long it runs.

    Examples
    --------
    >>> weights = RecentWeights(RecentConfig(base=0.5), (0.5, 0.5))
    >>> weights.of(0).tolist()
    [0.5, 0.25, 0.25]
    >>> base, said = np.full(3, 1 / 3), np.array([[0.2, 0.2, 0.6], [0.6, 0.2, 0.2]])
    >>> for _ in range(20):
    ...     weights.learn(base, said, 0, label=2)
    >>> weights.of(0).round(2).tolist(), weights.of(-1).tolist()
    ([0.01, 0.98, 0.01], [0.5, 0.25, 0.25])
    """

    def __init__(self, config: RecentConfig, prior: tuple[float, ...], regimes: int = 1) -> None:
        if not prior or min(prior) < 0.0 or not sum(prior) > 0.0 or regimes < 1:
            raise ValueError(
                f"prior must be one weight or more, none negative and not all 0, and regimes at "
                f"least 1; were {prior} and {regimes}"
            )
        self.config = config
        shares = np.array(prior) / sum(prior)
        self._prior = np.append(config.base, (1.0 - config.base) * shares)
        self._decay = 2.0 ** (-1.0 / config.half_life)
        self._losses = np.zeros((regimes + 1, len(self._prior)))
        self._mass = np.zeros(regimes + 1)

    def of(self, regime: int) -> Floats:
        """Return the weights in a regime, ``float64[1 + M]``, the ensemble's first; sum 1."""
        config, losses = self.config, self._losses[regime]
        weights = self._prior * np.exp(-config.rate * (losses - losses.min()))
        weights /= weights.sum()
        mixed: Floats = (1.0 - config.keep) * weights + config.keep * self._prior
        return mixed

    def mass(self, regime: int) -> float:
        """Return what the losses known in a regime are worth, in independent decisions."""
        return float(self._mass[regime])

    def __call__(self, base: Floats, said: Floats, regime: int) -> Floats:
        """Mix.

        Parameters
        ----------
        base
            ``float64[3]``: what the ensemble says.
        said
            ``float64[M, 3]``: what its members say.
        regime
            At the decision; -1 if unknown.
        """
        weights = self.of(regime)
        mixed: Floats = weights[0] * base + weights[1:] @ said
        return mixed

    def learn(
        self, base: Floats, said: Floats, regime: int, label: int, share: float = 1.0
    ) -> None:
        """Score everyone on a settled decision.

        Parameters
        ----------
        base, said, regime
            As at the decision.
        label
            What came of it, 0 to 2.
        share
            How much of an independent outcome it is: one over the labels that overlap.
        """
        happened = np.append(base[label], said[:, label])
        losses = -np.log(np.maximum(happened, SMALLEST))
        self._losses[regime] *= self._decay
        self._losses[regime] += share * losses
        self._mass[regime] = self._mass[regime] * self._decay + share

    def snapshot(self) -> bytes:
        """Return the losses."""
        regimes, width = self._losses.shape
        state = _State((regimes, width), self._losses.tobytes(), self._mass.tobytes())
        return msgspec.msgpack.encode(state)

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot as if there had been no break."""
        try:
            old = msgspec.msgpack.decode(state, type=_State)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(f"not a snapshot of recent weights ({error}); start anew") from error
        if old.shape != self._losses.shape:
            raise SchemaMismatch(
                f"recent weights are of {old.shape[1] - 1} members and {old.shape[0] - 1} regimes, "
                f"these are {self._losses.shape[1] - 1} and {self._losses.shape[0] - 1}; start anew"
            )
        self._losses[:] = np.frombuffer(old.losses).reshape(self._losses.shape)
        self._mass[:] = np.frombuffer(old.mass)
        if not (np.isfinite(self._losses).all() and all(map(math.isfinite, self._mass))):
            raise StateError("recent weights hold a loss that is not finite; start anew")
