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
from models.members.configured import Configured
from models.members.flat import flat
from models.members.graph import scaled, write
from models.members.trust import crossed, shares, softmax, trust
from models.nets.scaling import Scaling

__all__ = ["FittedLogistic", "Logistic"]


class Logistic(Configured[LogisticConfig]):
    """P(k | x) ∝ exp(w_k · x + b_k) of standardised, cut columns.

    Maximises Σ weight · log P(label | x) - Σ |w|² / (2 C). One more row of each class than seen,
    at the columns' means, keeps classes possible that training lacks. Labels that overlap look
    like more rows than they are, so that coefficients come out too large on few of them: the
    logits go from those of the class frequencies only as far towards these as fifths of the
    training bear out that weren't fitted on, see :func:`~models.members.trust.trust`, and at most
    all the way; C and what it keeps small stay as they are. With a single class, or columns that
    say nothing, class frequencies come out. Nothing is drawn: seeds don't matter. It has no rounds
    either: its effort is 0, and ``stop`` is not looked at.

    Parameters
    ----------
    config
        Its settings.
    """

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
        weights = np.ones(len(rows)) if weights is None else weights

        def said(learn: Ints, asked: Ints) -> Floats:
            base = np.log(shares(labels[learn], weights[learn]))
            return self._free(rows, labels, learn, weights).logits(rows, asked) - base

        slope = trust(crossed(train, self.window, said), labels[train], weights[train])
        fitted = self._free(rows, labels, train, weights)
        fitted.lean(np.log(shares(labels[train], weights[train])), min(slope, 1.0))
        return fitted

    def _free(self, rows: Rows, labels: Ints, train: Ints, weights: Floats) -> FittedLogistic:
        scaling, config = Scaling.of(rows[train]), self.config
        known = flat(scaling(rows), train, self.window)
        model = _multinomial(known, labels[train], weights[train], config.C, config.max_iter)
        return FittedLogistic(scaling, model.coef_.T, model.intercept_, self.window, rows.shape[1])


@dataclass
class FittedLogistic:
    """Coefficients after fitting; see :class:`models.member.Fitted`.

    Parameters
    ----------
    weights, bias
        ``float64[window · F, 3]`` and ``float64[3]``: of the logits.
    """

    scaling: Scaling
    weights: Floats
    bias: Floats
    window: int
    features: int
    effort: int = 0

    def lean(self, base: Floats, slope: float) -> None:
        """Take of the way from the logits ``base`` to one's own only so much."""
        self.weights, self.bias = slope * self.weights, base + slope * (self.bias - base)

    def logits(self, rows: Rows, ends: Ints) -> Floats:
        """Logits of the windows that end at ``ends``: ``float64[n, 3]``."""
        known = flat(self.scaling(rows), ends, self.window).astype(np.float64)
        found: Floats = known @ self.weights + self.bias
        return found

    def predict_proba(self, rows: Rows, ends: Ints) -> Floats:
        """Predict from the windows that end at ``ends``."""
        return softmax(self.logits(rows, ends))

    def onnx(self) -> bytes:
        """Export: standardise, cut, one product, softmax."""
        nodes, constants = scaled(self.scaling)
        nodes += [
            helper.make_node("Gemm", ["row", "w", "b"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ]
        constants["w"] = self.weights.astype(np.float32)
        constants["b"] = self.bias.astype(np.float32)
        return write(nodes, constants, self.window, self.features)


def _multinomial(
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
