"""Multinomial logistic regression."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from onnx import helper
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.member import Floats, Ints, Rows
from models.members.config import LogisticConfig
from models.members.flat import flat
from models.members.graph import scaled, write
from models.nets.scaling import Scaling

__all__ = ["FittedLogistic", "Logistic", "multinomial"]


@dataclass(frozen=True)
class Logistic:
    """P(k | x) ∝ exp(w_k · x + b_k) of standardised, cut columns.

    Maximises Σ weight · log P(label | x) - Σ |w|² / (2 C). One more row of each class than seen,
    at the columns' means, keeps classes possible that training lacks; with a single class, or
    columns that say nothing, class frequencies come out. Nothing is drawn: seeds don't matter. It
    has no rounds either: its effort is 0, and ``stop`` is not looked at.

    Parameters
    ----------
    config
        Its settings.
    """

    config: LogisticConfig
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the member."""
        return self.config.name

    @property
    def window(self) -> int:
        """Decision rows it looks at."""
        return self.config.window

    def fit(
        self,
        rows: Rows,
        labels: Ints,
        train: Ints,
        stop: Ints,
        seed: int,
        effort: int | None = None,
        weights: Floats | None = None,
    ) -> FittedLogistic:
        """Fit; see :meth:`models.member.Member.fit`."""
        scaling = Scaling.of(rows[train])
        known = flat(scaling(rows), train, self.window)
        own = np.ones(len(train)) if weights is None else weights[train]
        model = multinomial(known, labels[train], own, self.config.C, self.config.max_iter)
        return FittedLogistic(model, scaling, self.window, rows.shape[1])


@dataclass
class FittedLogistic:
    """Coefficients after fitting; see :class:`models.member.Fitted`."""

    model: LogisticRegression
    scaling: Scaling
    window: int
    features: int
    effort: int = 0

    def predict_proba(self, rows: Rows, ends: Ints) -> Floats:
        """Predict from the windows that end at ``ends``."""
        known = flat(self.scaling(rows), ends, self.window).astype(np.float64)
        proba: Floats = self.model.predict_proba(known)
        return proba

    def onnx(self) -> bytes:
        """Export: standardise, cut, one product, softmax."""
        nodes, constants = scaled(self.scaling)
        nodes += [
            helper.make_node("Gemm", ["row", "w", "b"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ]
        constants["w"] = self.model.coef_.T.astype(np.float32)
        constants["b"] = self.model.intercept_.astype(np.float32)
        return write(nodes, constants, self.window, self.features)


def multinomial(
    known: Rows | Floats, labels: Ints, weights: Floats, C: float, max_iter: int
) -> LogisticRegression:
    """Fit on ``[n, d]`` around 0, with one more row of each class at 0; on one thread.

    Where ``max_iter`` ends it early, it is kept as it is then: near the best, a little smoother.
    """
    more = np.concatenate((known.astype(np.float64), np.zeros((3, known.shape[1]))))
    every = np.concatenate((labels, np.arange(3)))
    model = LogisticRegression(C=C, max_iter=max_iter, tol=1e-5)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(more, every, np.concatenate((weights, np.ones(3))))
    return model
