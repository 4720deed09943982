"""Mutual information of columns with labels and with each other, over bins of equal frequency.

It sees any dependence, not only the straight one, and stays what it is under every monotone change
of a column. What it sees in noise is taken off: the mean over labels shifted in a circle, which
keeps both the slowness of a column and the overlap of labels, and so also takes off what these
alone make of noise.
"""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = ["binned", "information", "ranked", "relevance"]

Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


def ranked(X: Floats) -> Floats:
    """Return every column's ranks as places within (0, 1); equals share their mean rank.

    Parameters
    ----------
    X
        ``float64[m, F]``, finite.

    Returns
    -------
    ``float64[F, m]``: columns are rows, so that each lies in one piece.

    Examples
    --------
    >>> ranked(np.array([[5.0], [7.0], [7.0], [9.0]])).tolist()
    [[0.125, 0.5, 0.5, 0.875]]
    """
    from scipy.stats import rankdata

    ranks = np.empty((X.shape[1], X.shape[0]))
    for j in range(X.shape[1]):
        ranks[j] = (rankdata(X[:, j]) - 0.5) / len(X)
    return ranks


def binned(ranks: Floats, bins: int) -> Codes:
    """Cut ranks into bins of equal frequency; equals are never parted.

    Parameters
    ----------
    ranks
        Of :func:`ranked`.
    bins
        From 2 to 256.
    """
    if not 2 <= bins <= 256:
        raise ValueError(f"bins must be from 2 to 256, was {bins}")
    return (ranks * bins).astype(np.uint8)


def information(codes: Codes, other: Codes, weights: Floats, correct: bool = False) -> Floats:
    """Mutual information of each column with one other variable, in nats.

    Parameters
    ----------
    codes
        ``uint8[F, m]``: bins of the columns.
    other
        ``uint8[m]``: a class, or the bins of another column.
    weights
        ``float64[m]`` of the rows, not negative.
    correct
        Take off the bias of counting, ``(K_xy - K_x - K_y + 1) / 2N`` with *K* cells that are not
        empty [1]_. *N* is the effective number of rows, ``(sum w)^2 / sum w^2``.

    Returns
    -------
    ``float64[F]``; 0 for independent variables and never negative, unless corrected.

    References
    ----------
    .. [1] Miller (1955), Note on the bias of information estimates.

    Examples
    --------
    >>> coin = np.array([0, 1, 0, 1], np.uint8)
    >>> information(np.stack([coin, coin // 2]), coin, np.ones(4)).round(4).tolist()
    [0.6931, 0.0]
    """
    if codes.ndim != 2 or codes.shape[1:] != other.shape or other.shape != weights.shape:
        raise ValueError(
            "codes must be [F, m] with m other values and weights, "
            f"were {codes.shape}, {other.shape} and {weights.shape}"
        )
    values, cells = _information(np.ascontiguousarray(codes), other, weights)
    if not correct:
        return np.asarray(values)
    effective = weights.sum() ** 2 / (weights**2).sum()
    return np.asarray(values - cells / (2.0 * effective))


def relevance(
    codes: Codes,
    labels: Codes,
    weights: Floats,
    shifts: int,
    rng: np.random.Generator,
) -> Floats:
    """Mutual information with the labels beyond what the same columns share with shifted labels.

    Parameters
    ----------
    codes
        ``uint8[F, m]``, rows in time order.
    labels
        ``uint8[m]``: class of each row.
    weights
        ``float64[m]``; they move with their labels.
    shifts
        Circular shifts, each by at least an eighth of the rows, whose mean is the baseline; 0 takes
        the Miller-Madow correction instead, which knows of no overlap.
    rng
        Draws the shifts.

    Returns
    -------
    ``float64[F]`` nats; about 0 for noise, on either side of it.
    """
    if shifts < 1:
        return information(codes, labels, weights, correct=True)
    rows = len(labels)
    least = max(rows // 8, 1)
    baseline = np.zeros(len(codes))
    for by in rng.integers(least, max(rows - least, least) + 1, shifts).tolist():
        baseline += information(codes, np.roll(labels, by), np.roll(weights, by))
    return information(codes, labels, weights) - baseline / shifts


@nb.njit(cache=True, error_model="numpy")
def _information(codes: Codes, other: Codes, weights: Floats) -> tuple[Floats, Floats]:
    """Return plug-in information, and the cells that its bias grows with."""
    columns, rows = codes.shape
    values, cells = np.zeros(columns), np.zeros(columns)
    sides = 0
    for i in range(rows):
        sides = max(sides, int(other[i]) + 1)
    for j in range(columns):
        bins = 0
        for i in range(rows):
            bins = max(bins, int(codes[j, i]) + 1)
        joint, across, down = np.zeros((bins, sides)), np.zeros(bins), np.zeros(sides)
        for i in range(rows):
            joint[codes[j, i], other[i]] += weights[i]
        total = 0.0
        for a in range(bins):
            for b in range(sides):
                across[a] += joint[a, b]
                down[b] += joint[a, b]
                total += joint[a, b]
        for a in range(bins):
            cells[j] -= across[a] > 0.0
            for b in range(sides):
                if joint[a, b] > 0.0:
                    cells[j] += 1.0
                    share = joint[a, b] / total
                    values[j] += share * np.log(joint[a, b] * total / (across[a] * down[b]))
        for b in range(sides):
            cells[j] -= down[b] > 0.0
        cells[j] += 1.0
        values[j] = max(values[j], 0.0)
    return values, cells
