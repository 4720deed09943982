"""Trees as an ONNX file: one node that sums leaves, whatever library grew them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from onnx import helper

from models.member import Floats, Ints, Rows
from models.members.graph import Node

__all__ = ["Tree", "down", "ensemble"]


@dataclass(frozen=True)
class Tree:
    """One tree of ``m`` nodes, the root first.

    Parameters
    ----------
    left, right
        ``int64[m]``: where a row goes that the node's question is true of, and others; -1 in a
        leaf.
    column
        ``int64[m]``: what the question is about.
    threshold
        ``float32[m]``: the question is whether the column is at most, or less than this.
    values
        ``float64[m, k]``: what a leaf adds to each of its targets.
    targets
        Which targets these are.
    """

    left: Ints
    right: Ints
    column: Ints
    threshold: Rows
    values: Floats
    targets: tuple[int, ...] = (0, 1, 2)


def ensemble(
    trees: Sequence[Tree], mode: Literal["BRANCH_LEQ", "BRANCH_LT"], base: Floats, output: str
) -> Node:
    """Write the node: from ``row`` to ``base`` plus the sum of each tree's leaf, ``[n, 3]``.

    Parameters
    ----------
    mode
        Whether a question is ``<=`` or ``<``.
    """
    leaf = [one.left < 0 for one in trees]
    ids = [np.arange(len(one.left)) for one in trees]
    own = [np.full(len(one.left), i) for i, one in enumerate(trees)]
    wide = [len(one.targets) for one in trees]
    kinds = np.where(np.concatenate(leaf), "LEAF", mode)

    def ints(parts: list[Ints]) -> list[int]:
        return [int(one) for one in np.concatenate(parts)]

    def below(name: Literal["left", "right"]) -> list[int]:
        return ints([np.maximum(getattr(one, name), 0) for one in trees])

    pairs = list(zip(trees, leaf, ids, own, wide, strict=True))
    return helper.make_node(
        "TreeEnsembleRegressor",
        ["row"],
        [output],
        domain="ai.onnx.ml",
        n_targets=3,
        aggregate_function="SUM",
        post_transform="NONE",
        base_values=[float(one) for one in base],
        nodes_treeids=ints(own),
        nodes_nodeids=ints(ids),
        nodes_modes=[str(one) for one in kinds],
        nodes_featureids=ints(
            [np.where(at, 0, one.column) for one, at in zip(trees, leaf, strict=True)]
        ),
        nodes_values=np.concatenate(
            [np.where(at, 0.0, one.threshold) for one, at in zip(trees, leaf, strict=True)]
        ).tolist(),
        nodes_truenodeids=below("left"),
        nodes_falsenodeids=below("right"),
        target_treeids=ints([np.repeat(tree[at], k) for _, at, _, tree, k in pairs]),
        target_nodeids=ints([np.repeat(node[at], k) for _, at, node, _, k in pairs]),
        target_ids=ints([np.tile(one.targets, int(at.sum())) for one, at, *_ in pairs]),
        target_weights=np.concatenate([one.values[at].ravel() for one, at, *_ in pairs]).tolist(),
    )


def down(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Round to float32, never up: for a float32 ``x``, ``x <= value`` stays the same.

    Rounded to nearest it would send the value next to a threshold the other way.

    Examples
    --------
    >>> exact = np.array([0.1])
    >>> bool(down(exact) <= exact), bool(exact.astype(np.float32) <= exact)
    (True, False)
    """
    near = values.astype(np.float32)
    return np.where(near > values, np.nextafter(near, np.float32(-np.inf)), near)
