"""The weighted vote: probabilities added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Vote"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Vote:
    """Linear pool: ``p_k = Σ_m w_m p_mk / Σ_m w_m``.

    Parameters
    ----------
    weights
        One per member, not negative, not all 0.

    Examples
    --------
    >>> vote = Vote((0.6, 0.4))
    >>> vote(np.array([[0.1, 0.0, 0.9], [0.6, 0.0, 0.4]])).round(6).tolist()
    [0.3, 0.0, 0.7]
    """

    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.weights or min(self.weights) < 0.0 or not any(self.weights):
            raise ValueError(f"weights must not be negative nor all 0, were {self.weights}")
        weights = np.array(self.weights)
        object.__setattr__(self, "_weights", weights / weights.sum())

    def __call__(self, members: Floats) -> Floats:
        """Pool ``float64[M, ..., 3]`` into ``float64[..., 3]`` that add up to one."""
        pooled: Floats = np.tensordot(self._weights, members, 1)  # type: ignore[attr-defined]
        total: Floats = pooled / pooled.sum(axis=-1, keepdims=True)
        return total
