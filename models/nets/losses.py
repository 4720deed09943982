"""What a network's answers cost, and what the answers mean as probabilities.

The focal loss (Lin, Goyal, Girshick, He, Dollár: Focal Loss for Dense Object Detection, 2017)
gives less weight to what is already known: FL = -(1 - p)^γ log p of the class that happened. Its
minimiser is no probability: it stays nearer to the middle. But it tells the probability, in closed
form (Charoenphakdee, Vongkulbhakdi, Chairatanakul, Sugiyama: On Focal Loss for Class-Posterior
Probability Estimation, 2021): for outputs v the probability of class i is h(vᵢ) / Σ h(vⱼ), with

    h(v) = v / ((1 - v)^γ - γ (1 - v)^(γ-1) v log v).

Members say that probability, in training's early stopping, prediction and export alike, so that no
held-out rows are needed to put a focal network right. γ = 0 leaves everything as it is.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.member import Floats

__all__ = ["FLOOR", "focal_loss", "minimiser", "posterior"]

Array = TypeVar("Array", Tensor, Floats)

FLOOR = 1e-6
"""Outputs are kept this far from 0 and 1 where they are turned into probabilities."""


def focal_loss(logits: Tensor, truth: Tensor, gamma: float) -> Tensor:
    """Focal loss of each row; cross-entropy for γ = 0.

    Parameters
    ----------
    logits
        ``float[n, 3]``.
    truth
        ``int64[n]``, what happened.
    gamma
        γ, at least 0.

    Examples
    --------
    >>> logits = torch.tensor([[0.0, 0.0, 0.0]])
    >>> [round(focal_loss(logits, torch.tensor([1]), gamma).item(), 4) for gamma in (0.0, 2.0)]
    [1.0986, 0.4883]
    """
    cost = functional.cross_entropy(logits, truth, reduction="none")
    if gamma == 0.0:
        return cost
    # 1 - p, kept off 0, where the slope of a power below 1 has no bound.
    missing = -torch.expm1(-cost)
    loss: Tensor = missing.clamp_min(1e-7) ** gamma * cost
    return loss


def posterior(logits: Tensor, gamma: float) -> Tensor:
    """Turn logits of a network trained with γ into probabilities, ``float64[n, 3]``.

    Examples
    --------
    >>> logits = torch.tensor([[0.0, 0.0, 1.0]])
    >>> posterior(logits, 2.0).numpy().round(3).tolist()
    [[0.112, 0.112, 0.775]]
    """
    shares = torch.softmax(logits.double(), 1)
    if gamma == 0.0:
        return shares
    shares = shares.clamp(FLOOR, 1.0 - FLOOR)
    odds = shares / _divisor(shares, torch.log(shares), gamma)
    return odds / odds.sum(1, keepdim=True)


def minimiser(frequency: Floats, gamma: float) -> Floats:
    """Find the outputs that cost least where the classes come with ``frequency``.

    It is the inverse of :func:`posterior`, found by halving.

    Examples
    --------
    >>> least = minimiser(np.array([0.2, 0.5, 0.3]), 2.0)
    >>> least.round(3).tolist()
    [0.248, 0.426, 0.325]
    >>> posterior(torch.from_numpy(np.log(least))[None], 2.0).numpy().round(3).tolist()
    [[0.2, 0.5, 0.3]]
    """
    if gamma == 0.0:
        return frequency

    def outputs(level: float) -> Floats:
        """Solve h(v) = level · frequency by halving; h grows with v."""
        low, high = np.zeros_like(frequency), np.ones_like(frequency)
        for _ in range(50):
            middle = (low + high) / 2.0
            less = middle < level * frequency * _divisor(middle, np.log(middle), gamma)
            low, high = np.where(less, middle, low), np.where(less, high, middle)
        return low

    low, high = -60.0, 60.0  # of the level's logarithm: the outputs sum to 1 at one level
    for _ in range(50):
        middle = (low + high) / 2.0
        if outputs(float(np.exp(middle))).sum() < 1.0:
            low = middle
        else:
            high = middle
    return outputs(float(np.exp(low)))


def _divisor(outputs: Array, logs: Array, gamma: float) -> Array:
    """Compute v / h(v), h of the module's text."""
    missing = 1.0 - outputs
    divisor: Array = missing ** (gamma - 1.0) * (missing - gamma * outputs * logs)
    return divisor
