"""How far a member may be believed: as far as rows it wasn't fitted on surely bear out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from models.member import Floats, Ints

__all__ = ["crossed", "shares", "softmax", "trust"]

PARTS = 5
BLOCKS = 20
MOST = 10.0
"""The largest slope: where a class is certain there is none that is best."""


def shares(labels: Ints, weights: Floats) -> Floats:
    """Weighted class frequencies, one more row of each class than seen, so that none is 0."""
    counts = np.bincount(labels, weights, minlength=3) + 1.0
    found: Floats = counts / counts.sum()
    return found


def softmax(logits: Floats) -> Floats:
    """Turn ``float64[n, 3]`` to probabilities."""
    found: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    found /= found.sum(axis=1, keepdims=True)
    return found


def crossed(train: Ints, window: int, said: Callable[[Ints, Ints], Floats]) -> Floats:
    """Ask about each fifth of the rows in time who was fitted on the others.

    Left out beside each fifth are as many rows as a fifth of it, and never less than a window:
    their outcomes reach into it.

    Parameters
    ----------
    train
        Ends of windows, in order of time.
    window
        Rows of a window.
    said
        Given what to fit on and what to speak about, returns ``float64[n, 3]``.

    Returns
    -------
    ``float64[len(train), 3]``; 0 where nothing is left to fit on.

    Examples
    --------
    >>> seen = lambda learn, asked: np.full((len(asked), 3), float(len(learn)))
    >>> crossed(np.arange(25), 1, seen)[:, 0].reshape(5, 5)[:, 0].tolist()
    [19.0, 18.0, 18.0, 18.0, 19.0]
    """
    told = np.zeros((len(train), 3))
    for part in np.array_split(np.arange(len(train)), PARTS):
        if not len(part):
            continue
        gap = max(len(part) // 5, window)
        first, last = max(part[0] - gap, 0), part[-1] + 1 + gap
        learn = np.concatenate((train[:first], train[last:]))
        if len(learn):
            told[part] = said(learn, train[part])
    return told


def trust(told: Floats, labels: Ints, weights: Floats) -> float:
    """Find how far to go from the class frequencies towards what was said of unseen rows.

    Of logits log(frequency) + slope · told, the slope with the least weighted log-loss, less one
    standard error, and not below 0: in doubt, the frequencies. Labels that overlap say the same
    thing many times over, so the error is that of twenty contiguous blocks which are thought
    independent (Liang and Zeger 1986), however many rows they have.

    Parameters
    ----------
    told
        ``float64[n, 3]``, in order of time.
    labels
        ``int64[n]``.
    weights
        ``float64[n]``, not negative.

    Returns
    -------
    From 0 to 10.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> said = rng.normal(size=(3000, 3))
    >>> labels = (said + rng.gumbel(size=(3000, 3))).argmax(axis=1)
    >>> round(trust(said, labels, np.ones(3000)), 2), trust(said[::-1], labels, np.ones(3000))
    (0.95, 0.0)
    """
    base, hits = np.log(shares(labels, weights)), np.arange(len(labels))

    def pull(slope: float) -> Floats:
        surprise = told[hits, labels] - (softmax(base + slope * told) * told).sum(axis=1)
        found: Floats = weights * surprise
        return found

    if pull(0.0).sum() <= 0.0:
        return 0.0
    slope = MOST if pull(MOST).sum() >= 0.0 else float(brentq(lambda x: pull(x).sum(), 0.0, MOST))
    said = softmax(base + slope * told)
    spread = (said * told**2).sum(axis=1) - (said * told).sum(axis=1) ** 2
    curved = float(weights @ spread)
    blocks = np.array([part.sum() for part in np.array_split(pull(slope), BLOCKS)])
    error = float(np.sqrt((blocks**2).sum() * BLOCKS / (BLOCKS - 1))) / max(curved, 1e-300)
    return max(slope - error, 0.0)
