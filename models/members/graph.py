"""ONNX files of members that are no networks: a few standard operators, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.nets.scaling import CLIP, Scaling

__all__ = ["OPSET", "Node", "scaled", "write"]

OPSET = 17
TREES = 3
"""Version of the operators for trees, ``ai.onnx.ml``."""

Node = onnx.NodeProto
Constants = Mapping[str, npt.NDArray[Any]]


def scaled(scaling: Scaling) -> tuple[list[Node], dict[str, npt.NDArray[Any]]]:
    """Begin a graph: from ``window`` to ``row``, standardised, cut and laid flat."""
    nodes = [
        helper.make_node("Sub", ["window", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["divided"]),
        helper.make_node("Clip", ["divided", "low", "high"], ["cut"]),
        helper.make_node("Flatten", ["cut"], ["row"], axis=1),
    ]
    constants = {
        "mean": scaling.mean,
        "scale": scaling.scale,
        "low": np.array(-CLIP, np.float32),
        "high": np.array(CLIP, np.float32),
    }
    return nodes, constants


def write(
    nodes: Sequence[Node], constants: Constants, window: int, features: int, trees: bool = False
) -> bytes:
    """Write ``window`` of ``float32[n, window, F]`` to ``probabilities``, ``float32[n, 3]``.

    Parameters
    ----------
    nodes
        In order; the last ones give ``probabilities``.
    constants
        By the names that nodes call them.
    trees
        Whether a node is of ``ai.onnx.ml``.

    Returns
    -------
    The same bytes for the same arguments.
    """
    shape = [None, window, features]
    graph = helper.make_graph(
        nodes,
        "member",
        [helper.make_tensor_value_info("window", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 3])],
        [
            numpy_helper.from_array(np.ascontiguousarray(one), name)
            for name, one in constants.items()
        ],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    if trees:
        opsets.append(helper.make_opsetid("ai.onnx.ml", TREES))
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
