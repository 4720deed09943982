"""A non-linear support vector machine that can learn all of a hundred thousand rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import helper
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.member import Floats, Ints, Rows
from models.members.config import SvmConfig
from models.members.configured import Configured
from models.members.flat import flat
from models.members.graph import scaled, write
from models.members.hinge import fit_hinge
from models.members.trust import crossed, shares, softmax, trust
from models.nets.scaling import Scaling

__all__ = ["FittedSvm", "Svm"]

FLOOR = 1e-4
"""Share of the largest eigenvalue below which a direction among the landmarks is left out: float32
couldn't tell it from rounding."""
BLOCK = 8192


class Svm(Configured[SvmConfig]):
    """One machine per class against the others, on a Gaussian kernel, with probabilities.

    k(x, z) = exp(-γ |x - z|²) of standardised, cut columns. The kernel is that of ``landmarks``
    training rows drawn at random (Nyström; Williams and Seeger 2001), φ(x) = D^(-1/2) Vᵀ k(x, L)
    with K(L, L) = V D Vᵀ, so that cost grows with rows and not with their square. Each machine
    minimises |w|² / 2 + C Σ weight · max(0, 1 - y (w · φ + b))². Its score is best near 2 P - 1
    then (Zhang 2004), so logits are log f + a (score - (2 f - 1)) / (2 f), f the class frequencies:
    to first order the probability itself where a is 1. How far scores are believed, a, is what
    fifths of the training bear out that the machines weren't fitted on, see
    :func:`~models.members.trust.trust`. The machines that speak are fitted on all of ``train``.
    Nothing stops early: effort is 0, and ``stop`` is not looked at.

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
    ) -> FittedSvm:
        """Fit; see :meth:`models.member.Member.fit`."""
        weights = np.ones(len(rows)) if weights is None else weights

        def said(learn: Ints, asked: Ints) -> Floats:
            judged = self._machines(rows, labels, learn, seed, weights)
            return _shift(judged.scores(rows, asked), shares(labels[learn], weights[learn]))

        slope = trust(crossed(train, self.window, said), labels[train], weights[train])
        fitted = self._machines(rows, labels, train, seed, weights)
        fitted.base, fitted.slope = shares(labels[train], weights[train]), slope
        return fitted

    def _machines(
        self, rows: Rows, labels: Ints, train: Ints, seed: int, weights: Floats
    ) -> FittedSvm:
        config, rng = self.config, np.random.default_rng(seed)
        scaling = Scaling.of(rows[train])
        drawn = np.sort(rng.permutation(train)[: config.landmarks])
        landmarks = flat(scaling(rows), drawn, self.window)
        gamma = config.gamma / landmarks.shape[1]
        with threadpool_limits(1):
            alike = _kernel(landmarks, landmarks, gamma)
            size, vectors = np.linalg.eigh(alike)
            kept = size > FLOOR * size[-1]
            whiten = vectors[:, kept] / np.sqrt(size[kept])
            known = _kernel(flat(scaling(rows), train, self.window), landmarks, gamma) @ whiten
            found = [
                fit_hinge(known, np.where(labels[train] == k, 1.0, -1.0), weights[train], config.C)
                for k in range(3)
            ]
        return FittedSvm(
            scaling=scaling,
            landmarks=landmarks,
            gamma=gamma,
            weights=whiten @ np.stack([one[:-1] for one in found], axis=1),
            bias=np.array([one[-1] for one in found]),
            base=np.full(3, 1.0 / 3.0),
            slope=0.0,
            window=self.window,
            features=rows.shape[1],
        )


@dataclass
class FittedSvm:
    """Machines after fitting; see :class:`models.member.Fitted`.

    Parameters
    ----------
    landmarks
        ``float32[m, window · F]``, standardised.
    weights, bias
        ``float64[m, 3]`` of k(x, landmarks), and ``float64[3]``.
    base
        ``float64[3]``: class frequencies.
    slope
        How far scores are believed.
    """

    scaling: Scaling
    landmarks: Rows
    gamma: float
    weights: Floats
    bias: Floats
    base: Floats
    slope: float
    window: int
    features: int
    effort: int = 0

    def scores(self, rows: Rows, ends: Ints) -> Floats:
        """How far each machine thinks a row is on its side: ``float64[n, 3]``."""
        known = flat(self.scaling(rows), ends, self.window)
        parts = [
            _kernel(known[at : at + BLOCK], self.landmarks, self.gamma) @ self.weights
            for at in range(0, len(known), BLOCK)
        ]
        scores: Floats = np.concatenate([*parts, np.empty((0, 3))]) + self.bias
        return scores

    def predict_proba(self, rows: Rows, ends: Ints) -> Floats:
        """Predict from the windows that end at ``ends``."""
        shift = _shift(self.scores(rows, ends), self.base)
        return softmax(np.log(self.base) + self.slope * shift)

    def onnx(self) -> bytes:
        """Export: standardise, cut, kernel, one product, softmax."""
        nodes, constants = scaled(self.scaling)
        nodes += [
            helper.make_node("ReduceSumSquare", ["row"], ["square"], axes=[1], keepdims=1),
            helper.make_node("Mul", ["square", "minus"], ["own"]),
            helper.make_node("Gemm", ["row", "twice", "theirs"], ["near"]),
            helper.make_node("Add", ["near", "own"], ["exponent"]),
            helper.make_node("Exp", ["exponent"], ["alike"]),
            helper.make_node("Gemm", ["alike", "w", "b"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ]
        exact, turn = self.landmarks.astype(np.float64), self.slope / (2.0 * self.base)
        bias = np.log(self.base) + turn * (self.bias - (2.0 * self.base - 1.0))
        constants |= {
            "minus": np.array(-self.gamma, np.float32),
            "twice": (2.0 * self.gamma * exact.T).astype(np.float32),
            "theirs": (-self.gamma * (exact**2).sum(axis=1)).astype(np.float32),
            "w": (self.weights * turn).astype(np.float32),
            "b": bias.astype(np.float32),
        }
        return write(nodes, constants, self.window, self.features)


def _shift(scores: Floats, base: Floats) -> Floats:
    """Turn scores to what they add to the logits of class frequencies."""
    shift: Floats = (scores - (2.0 * base - 1.0)) / (2.0 * base)
    return shift


def _kernel(known: Rows, landmarks: Rows, gamma: float) -> Floats:
    """exp(-γ |x - z|²) of each row and landmark: ``float64[n, m]``."""
    rows, others = known.astype(np.float64), landmarks.astype(np.float64)
    near = rows @ others.T
    near *= 2.0
    near -= (rows**2).sum(axis=1)[:, None]
    near -= (others**2).sum(axis=1)
    near *= gamma
    return np.exp(np.minimum(near, 0.0, out=near), out=near)
