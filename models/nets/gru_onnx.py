"""The recurrent network as an ONNX file, written node by node.

Torch's own exporter needs seconds and another library for six nodes, and what it writes isn't
the same twice.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["build"]

OPSET = 17
Rows = npt.NDArray[np.float32]


def build(weights: Mapping[str, Rows], mean: Rows, scale: Rows, clip: float, window: int) -> bytes:
    """Write standardise → clip → GRU → linear → softmax.

    Parameters
    ----------
    weights
        State of :class:`models.nets.gru.Net`, by torch's names.
    mean, scale
        ``float32[F]`` of the standardisation.
    clip
        Bound of the standardised columns.
    window
        Rows of the input.

    Returns
    -------
    The file: ``window`` of ``float32[n, window, F]`` to ``probabilities`` of ``float32[n, 3]``.
    """
    biases = (weights["gru.bias_ih_l0"], weights["gru.bias_hh_l0"])
    constants = {
        "mean": mean,
        "scale": scale,
        "low": np.float32(-clip),
        "high": np.float32(clip),
        "W": _gates(weights["gru.weight_ih_l0"])[None],
        "R": _gates(weights["gru.weight_hh_l0"])[None],
        "B": np.concatenate([_gates(one) for one in biases])[None],
        "first": np.array([0], np.int64),
        "C": weights["head.weight"],
        "c": weights["head.bias"],
    }
    hidden = weights["head.weight"].shape[1]
    nodes = [
        helper.make_node("Sub", ["window", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
        helper.make_node("Clip", ["scaled", "low", "high"], ["clipped"]),
        helper.make_node("Transpose", ["clipped"], ["steps"], perm=[1, 0, 2]),
        helper.make_node(
            "GRU", ["steps", "W", "R", "B"], ["", "last"], hidden_size=hidden, linear_before_reset=1
        ),
        helper.make_node("Squeeze", ["last", "first"], ["state"]),
        helper.make_node("Gemm", ["state", "C", "c"], ["logits"], transB=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "gru",
        [helper.make_tensor_value_info("window", TensorProto.FLOAT, [None, window, len(mean)])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 3])],
        [numpy_helper.from_array(np.asarray(one), name) for name, one in constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _gates(stacked: Rows) -> Rows:
    """Turn torch's order of gates (reset, update, new) into ONNX's (update, reset, new)."""
    reset, update, new = np.split(stacked, 3)
    return np.concatenate((update, reset, new))
