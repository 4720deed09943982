"""Clusters of columns that say nearly the same, and the column that speaks for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Clusters", "clusters", "representatives", "spearman"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """Columns in groups.

    Parameters
    ----------
    labels
        ``int64[F]``: cluster of each column, numbered in the order of their first columns.
    correlation
        ``float64[F, F]``: Spearman's rho.
    linkage
        ``float64[F - 1, 4]``: SciPy's linkage matrix, for the dendrogram.
    threshold
        Mean ``|rho|`` above which clusters were merged.
    """

    labels: Ints
    correlation: Floats
    linkage: Floats
    threshold: float

    def __len__(self) -> int:
        return int(self.labels.max()) + 1 if len(self.labels) else 0


def spearman(ranks: Floats) -> Floats:
    """Return the rank correlation of all pairs of columns.

    Parameters
    ----------
    ranks
        ``float64[F, m]``: of :func:`features.selection.mutual.ranked`; no column may be constant.
    """
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    centred /= np.sqrt((centred**2).sum(axis=1, keepdims=True))
    rho: Floats = np.clip(centred @ centred.T, -1.0, 1.0)
    np.fill_diagonal(rho, 1.0)
    return rho


def clusters(correlation: Floats, threshold: float) -> Clusters:
    """Group columns by average linkage on the distance ``1 - |rho|``.

    Clusters are merged while the mean ``|rho|`` between their members is at least ``threshold``: a
    column and its mirror image are one.

    Parameters
    ----------
    correlation
        ``float64[F, F]``: of :func:`spearman`.
    threshold
        From 0 (one cluster) to 1 (only columns that are the same).

    Examples
    --------
    >>> rho = np.array([[1.0, 0.1, -0.95], [0.1, 1.0, 0.2], [-0.95, 0.2, 1.0]])
    >>> clusters(rho, 0.9).labels.tolist()
    [0, 1, 0]
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if not 0.0 <= threshold <= 1.0:
        raise ValueError(f"threshold must be from 0 to 1, was {threshold}")
    columns = len(correlation)
    if columns < 2:
        return Clusters(np.zeros(columns, np.int64), correlation, np.empty((0, 4)), threshold)
    distance = 1.0 - np.abs((correlation + correlation.T) / 2.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    # The same column twice is at a distance of rounding.
    found = fcluster(tree, 1.0 - threshold + 1e-12, "distance")
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    number = np.argsort(np.argsort(first))
    return Clusters(number[inverse].astype(np.int64), correlation, tree, threshold)


def representatives(labels: Ints, relevance: Floats, near: float = 1.0) -> Ints:
    """Choose the most relevant column of each cluster.

    Parameters
    ----------
    labels
        ``int64[F]``: clusters.
    relevance
        ``float64[F]``.
    near
        Columns with at least this share of the best one's relevance are not told apart, and the
        first of them is taken: twins would else take turns from fold to fold.

    Returns
    -------
    Their indices, one a cluster, in the order of the clusters.

    Examples
    --------
    >>> representatives(np.array([0, 1, 0]), np.array([0.95, 0.2, 1.0])).tolist()
    [2, 1]
    >>> representatives(np.array([0, 1, 0]), np.array([0.95, 0.2, 1.0]), near=0.9).tolist()
    [0, 1]
    """
    chosen = []
    for cluster in range(int(labels.max()) + 1 if len(labels) else 0):
        members = np.flatnonzero(labels == cluster)
        best = relevance[members].max()
        enough = min(best, near * best) if best > 0.0 else best
        chosen.append(members[np.argmax(relevance[members] >= enough)])
    return np.array(chosen, np.int64)
