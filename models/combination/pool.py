"""How members' probabilities become the ensemble's: one formula, live and in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["SMALLEST", "Pool", "disagreement"]

SMALLEST = 1e-6
"""Members' probabilities are taken to be at least this, so that none can veto the others."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """Log-linear pool: ``p_k ∝ exp(bias_k + Σ_m weight_m · log p_mk)``.

    The sum of the weights is an inverse temperature, so a pool also calibrates: with all weights 0
    and ``bias`` the log of the class frequencies it says what is known without any member; with
    weights ``1 / M`` and no bias it is the members' geometric mean.

    Parameters
    ----------
    weights
        One per member, not negative.
    bias
        One per class.

    Examples
    --------
    >>> pool = Pool.equal(2)
    >>> pool(np.array([[0.2, 0.2, 0.6], [0.2, 0.2, 0.6]])).round(6).tolist()
    [0.2, 0.2, 0.6]
    """

    weights: tuple[float, ...]
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if not self.weights or min(self.weights) < 0.0:
            raise ValueError(f"weights must be at least one and not negative, were {self.weights}")
        object.__setattr__(self, "_weights", np.array(self.weights))
        object.__setattr__(self, "_bias", np.array(self.bias))

    @classmethod
    def equal(cls, members: int) -> Pool:
        """Trust all members alike."""
        return cls((1.0 / members,) * members)

    def __call__(self, members: Floats) -> Floats:
        """Pool ``float64[M, ..., 3]`` into ``float64[..., 3]`` that add up to one."""
        weights: Floats = self._weights  # type: ignore[attr-defined]
        logs = np.log(np.maximum(members, SMALLEST))
        total = np.tensordot(weights, logs, 1) + self._bias  # type: ignore[attr-defined]
        total = np.exp(total - total.max(axis=-1, keepdims=True))
        pooled: Floats = total / total.sum(axis=-1, keepdims=True)
        return pooled


def disagreement(members: Floats) -> Floats:
    """Mean total variation distance of members from their mean.

    ``(1/M) Σ_m ½ Σ_k |p_mk − mean_m p_mk|``

    Parameters
    ----------
    members
        ``float64[M, ..., 3]``.

    Examples
    --------
    >>> float(disagreement(np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])))
    0.5
    """
    apart = np.abs(members - members.mean(axis=0)).sum(axis=-1)
    mean: Floats = 0.5 * apart.mean(axis=0)
    return mean
