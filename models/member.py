"""The port of an ensemble's member: what is fitted, and what comes of it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Fitted", "Member", "frequencies", "log_loss"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float32]


class Fitted(Protocol):
    """A member after fitting.

    Attributes
    ----------
    effort : int
        Rounds or epochs that early stopping found best, or was told.
    """

    effort: int

    def predict_proba(self, rows: Rows, ends: Ints) -> Floats:
        """Predict from the windows of ``rows`` that end at ``ends``: ``float64[n, 3]``."""

    def onnx(self) -> bytes:
        """Export: ``window`` of ``float32[n, window, F]`` to ``probabilities``, ``float32[n, 3]``.

        Scaling is part of the file. Equal to :meth:`predict_proba` within 1e-6.
        """


class Member(Protocol):
    """A kind of model with its settings; fitting it leaves it unchanged.

    Attributes
    ----------
    name : str
        Of the member.
    window : int
        Decision rows it looks at.
    columns : tuple[str, ...]
        Names of the columns it must be given, in this order; empty: those that were chosen.
    """

    @property
    def name(self) -> str:
        """Of the member."""

    @property
    def window(self) -> int:
        """Decision rows it looks at."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns it must be given; empty: those that were chosen."""

    def fit(
        self,
        rows: Rows,
        labels: Ints,
        train: Ints,
        stop: Ints,
        seed: int,
        effort: int | None = None,
        weights: Floats | None = None,
    ) -> Fitted:
        """Fit on some windows of ``rows``; the same seed gives the same model.

        Parameters
        ----------
        rows
            ``float32[m, F]``, all finite.
        labels
            ``int64[m]``: 0 down, 1 flat, 2 up; looked at in ``train`` and ``stop`` only.
        train, stop
            Ends of full windows to learn from, and later ones to stop early by.
        seed
            Of everything drawn.
        effort
            Rounds or epochs to run; ``None`` to find them by ``stop``, which is not looked at
            otherwise.
        weights
            ``float64[m]``: of each decision in the loss, in ``train`` and ``stop`` alike; all 1 if
            left out.
        """


def frequencies(labels: Ints) -> Floats:
    """Frequencies of the three classes, one more of each than seen, so that none is 0.

    Examples
    --------
    >>> frequencies(np.array([0, 0, 2])).round(3).tolist()
    [0.5, 0.167, 0.333]
    """
    counts = np.bincount(labels, minlength=3) + 1.0
    shares: Floats = counts / counts.sum()
    return shares


def log_loss(proba: Floats, labels: Ints) -> float:
    """Mean negative log of the probability given to what happened, at least 1e-12.

    Examples
    --------
    >>> log_loss(np.array([[0.5, 0.25, 0.25]]), np.array([0]))
    0.693
    """
    return float(-np.log(np.maximum(proba[np.arange(len(labels)), labels], 1e-12)).mean())
