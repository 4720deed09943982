"""Recalibration: a temperature and a bias that follow outcomes between two trainings."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

from market.errors import StateError
from models.combination.pool import SMALLEST
from models.online.config import RecalibrationConfig

__all__ = ["Recalibration"]

_FURTHEST = 1.5
"""Bound of the log of the inverse temperature, and of every bias; reached by nothing sensible."""

Floats = npt.NDArray[np.float64]


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mean: tuple[float, float, float, float]
    covariance: bytes


class Recalibration:
    """Logistic regression of outcomes on log probabilities, learnt one decision at a time.

        ``p'_k ∝ exp(exp(a) · log p_k + b_k)``

    with the parameters ``(a, b)`` normal around ``(0, 0)``, where nothing changes. Between
    decisions they go back towards it, and what is known of them towards what was known at first,
    by half in a half-life; an outcome is taken in by one step of Newton's method, which for a
    logistic model is the extended Kalman filter's.

    Whatever it is told, what it says are probabilities: an exponential is positive, the sum of
    three is not 0, and the parameters are kept within 1.5 of 0.

    Parameters
    ----------
    config
        How fast it forgets, and how far it may be expected to go.

    Notes
    -----
    West, Harrison and Migon, 1985, dynamic generalised linear models; Penny and Roberts, 1999,
    dynamic logistic regression. Temperature and bias: Guo et al., 2017, and Platt.

    Examples
    --------
    >>> recalibration = Recalibration(RecalibrationConfig())
    >>> p = np.array([0.1, 0.1, 0.8])
    >>> recalibration(p).round(6).tolist()
    [0.1, 0.1, 0.8]
    >>> for i in range(300):  # what is said to be 80 % likely happens half the time
    ...     recalibration.learn(p, label=(2, 0, 2, 1)[i % 4])
    >>> recalibration(p).round(2).tolist()
    [0.23, 0.23, 0.55]
    """

    def __init__(self, config: RecalibrationConfig) -> None:
        self.config = config
        self._prior = np.diag(np.square([config.temperature] + [config.bias] * 3))
        self._mean = np.zeros(4)
        self._covariance = self._prior.copy()
        self._back = 2.0 ** (-1.0 / config.half_life)

    @property
    def temperature(self) -> float:
        """Above 1 the probabilities were too sure of themselves."""
        return math.exp(-float(self._mean[0]))

    @property
    def bias(self) -> tuple[float, float, float]:
        """Of down, flat and up, on the log scale."""
        _, down, flat, up = self._mean.tolist()
        return down, flat, up

    def __call__(self, p: Floats) -> Floats:
        """Recalibrate ``float64[..., 3]``."""
        logs = np.log(np.maximum(p, SMALLEST))
        logits = math.exp(self._mean[0]) * logs + self._mean[1:]
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        said: Floats = odds / odds.sum(axis=-1, keepdims=True)
        return said

    def learn(self, p: Floats, label: int, share: float = 1.0) -> None:
        """Take in what came of a decision.

        Parameters
        ----------
        p
            ``float64[3]``: what was to be recalibrated at the decision.
        label
            What came of it, 0 to 2.
        share
            How much of an independent outcome it is: one over the labels that overlap.
        """
        back = self._back
        mean = self._mean * back
        covariance = self._covariance * back**2 + self._prior * (1.0 - back**2)
        self._mean = mean
        said = self(p)
        slope = np.zeros((3, 4))  # of the logits, by the parameters
        slope[:, 0] = math.exp(mean[0]) * np.log(np.maximum(p, SMALLEST))
        slope[[0, 1, 2], [1, 2, 3]] = 1.0
        surprise = -said
        surprise[label] += 1.0
        spread = np.diag(said) - np.outer(said, said)
        # (C^-1 + J' S J)^-1 without the inverse of C: never less definite than it is
        gain = covariance @ slope.T
        inner = np.eye(3) + share * spread @ slope @ gain
        covariance = covariance - share * gain @ np.linalg.solve(inner, spread @ gain.T)
        self._covariance = 0.5 * (covariance + covariance.T)
        step = self._covariance @ (slope.T @ surprise) * share
        self._mean = np.clip(mean + step, -_FURTHEST, _FURTHEST)

    def snapshot(self) -> bytes:
        """Return parameters and how well they are known."""
        first, down, flat, up = self._mean.tolist()
        return msgspec.msgpack.encode(_State((first, down, flat, up), self._covariance.tobytes()))

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot as if there had been no break."""
        try:
            old = msgspec.msgpack.decode(state, type=_State)
            covariance = np.frombuffer(old.covariance).reshape(4, 4)
        except (msgspec.DecodeError, ValueError) as error:
            raise StateError(f"not a snapshot of recalibration ({error}); start anew") from error
        if not (np.isfinite(covariance).all() and np.abs(old.mean).max() <= _FURTHEST):
            raise StateError("recalibration is out of its bounds; start anew")
        self._mean, self._covariance = np.array(old.mean), covariance.copy()
