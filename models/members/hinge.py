"""The squared hinge loss, minimised to the end by Newton's method."""

from __future__ import annotations

import numpy as np

from models.member import Floats

__all__ = ["fit_hinge"]

BLOCK = 8192
STEPS = 50


def fit_hinge(known: Floats, sides: Floats, weights: Floats, C: float) -> Floats:
    """Minimise |w|² / 2 + C Σ weight · max(0, 1 - y (w · x + b))², b free.

    Newton's method in the primal (Chapelle 2007): the loss is piecewise quadratic, so that once
    the rows inside the margin stay the same, one step more is exact. Rows are read in blocks: no
    second copy of them is made.

    Parameters
    ----------
    known
        ``float64[n, d]``.
    sides
        ``float64[n]``: y, 1 or -1.
    weights
        ``float64[n]``, not negative.

    Returns
    -------
    ``float64[d + 1]``: w, then b.

    Examples
    --------
    Two rows, one on each side: at w = 1 / (1 + 1 / (4 C)) what the penalty pulls equals what the
    loss pulls.

    >>> found = fit_hinge(np.array([[1.0], [-1.0]]), np.array([1.0, -1.0]), np.ones(2), 0.25)
    >>> found.round(6).tolist()
    [0.5, 0.0]
    """
    d = known.shape[1]
    penalty: Floats = np.append(np.ones(d), 1e-8)  # of b as good as none: a single class needs some
    found = np.zeros(d + 1)
    missed = np.ones(len(known))  # 1 - y (w · x + b)
    for _ in range(STEPS):
        slack = weights * np.maximum(missed, 0.0) * sides
        gradient = penalty * found - 2.0 * C * np.append(slack @ known, slack.sum())
        curved = _hessian(known, weights * (missed > 0.0), C, penalty)
        step = np.asarray(np.linalg.solve(curved, -gradient), np.float64)
        reach = sides * (known @ step[:-1] + step[-1])
        length = _length(missed, reach, weights, found, step, penalty, C)
        found, missed = found + length * step, missed - length * reach
        if abs(gradient @ step) <= 1e-10 * (1.0 + C * float(weights.sum())):
            break
    return found


def _hessian(known: Floats, inside: Floats, C: float, penalty: Floats) -> Floats:
    whole = np.diag(penalty)
    for at in range(0, len(known), BLOCK):
        part, own = known[at : at + BLOCK], 2.0 * C * inside[at : at + BLOCK]
        weighed = part * own[:, None]
        whole[:-1, :-1] += weighed.T @ part
        edge = weighed.sum(axis=0)
        whole[:-1, -1] += edge
        whole[-1, :-1] += edge
        whole[-1, -1] += own.sum()
    return whole


def _length(
    missed: Floats,
    reach: Floats,
    weights: Floats,
    found: Floats,
    step: Floats,
    penalty: Floats,
    C: float,
) -> float:
    """Halve the step until it lowers what is minimised: it overshoots where many rows change."""

    def value(length: float) -> float:
        there, over = found + length * step, np.maximum(missed - length * reach, 0.0)
        return float(penalty @ there**2 / 2.0 + C * (weights @ over**2))

    start, length = value(0.0), 1.0
    while value(length) > start and length > 1e-6:
        length /= 2.0
    return length
