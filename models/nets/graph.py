"""ONNX files of networks, written node by node.

Torch's own exporter needs seconds and another library for a few nodes, and what it writes isn't
the same twice. Only standard operators are used; LayerNormalization is one since opset 17.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.nets.losses import FLOOR
from models.nets.scaling import CLIP, Scaling

__all__ = ["Graph"]

OPSET = 17


class Graph:
    """A graph from ``window`` of ``float32[n, window, F]`` to ``probabilities``, ``float32[n, 3]``.

    Values go by names that :meth:`node` and :meth:`constant` make up, in order: the same network
    gives the same bytes.

    Parameters
    ----------
    window
        Rows of the input.
    scaling
        Of the columns; the graph begins with it.

    Attributes
    ----------
    scaled : str
        The standardised windows, ``[n, window, F]``.
    """

    def __init__(self, window: int, scaling: Scaling) -> None:
        self.window, self.features = window, len(scaling.mean)
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        centred = self.node("Sub", "window", self.constant(scaling.mean))
        divided = self.node("Div", centred, self.constant(scaling.scale))
        bounds = (self.constant(np.float32(-CLIP)), self.constant(np.float32(CLIP)))
        self.scaled = self.node("Clip", divided, *bounds)

    def constant(self, value: Tensor | npt.ArrayLike) -> str:
        """Add a constant; name it."""
        name = f"c{len(self._constants)}"
        held = value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
        self._constants.append(numpy_helper.from_array(np.asarray(held, order="C"), name))
        return name

    def node(self, operator: str, *inputs: str, output: int = 0, **attributes: Any) -> str:
        """Add a node; name the one of its outputs that is used."""
        name = f"n{len(self._nodes)}"
        outputs = [""] * output + [name]
        self._nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return name

    def linear(self, given: str, layer: nn.Linear, factor: float = 1.0) -> str:
        """Apply a dense layer, times ``factor``, to the last axis of ``[n, k, width]``."""
        product = self.node("MatMul", given, self.constant(layer.weight.T * factor))
        if layer.bias is None:
            return product
        return self.node("Add", product, self.constant(layer.bias * factor))

    def dense(self, given: str, layer: nn.Linear) -> str:
        """Apply a dense layer to ``[n, width]``."""
        bias = self.constant(layer.bias)
        return self.node("Gemm", given, self.constant(layer.weight), bias, transB=1)

    def norm(self, given: str, layer: nn.LayerNorm) -> str:
        """Apply a layer norm over the last axis."""
        inputs = (given, self.constant(layer.weight), self.constant(layer.bias))
        return self.node("LayerNormalization", *inputs, axis=-1, epsilon=layer.eps)

    def reshape(self, given: str, *shape: int) -> str:
        """Reshape; 0 keeps a size, -1 finds one."""
        return self.node("Reshape", given, self.constant(np.array(shape, np.int64)))

    def step(self, given: str, place: int) -> str:
        """Take one row of each ``[n, k, width]``: ``[n, width]``."""
        return self.node("Gather", given, self.constant(np.array(place, np.int64)), axis=1)

    def close(self, logits: str, gamma: float = 0.0) -> bytes:
        """Turn logits ``[n, 3]`` into probabilities, as trained with γ; write the file."""
        shares = self.node("Softmax", logits, axis=1)
        if gamma != 0.0:
            shares = self._posterior(shares, gamma)
        self._nodes[-1].output[0] = "probabilities"
        graph = helper.make_graph(
            self._nodes,
            "net",
            [
                helper.make_tensor_value_info(
                    "window", TensorProto.FLOAT, [None, self.window, self.features]
                )
            ],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 3])],
            self._constants,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        onnx.checker.check_model(model)
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _posterior(self, shares: str, gamma: float) -> str:
        """Write :func:`models.nets.losses.posterior`."""
        low, high = self.constant(np.float32(FLOOR)), self.constant(np.float32(1.0 - FLOOR))
        shares = self.node("Clip", shares, low, high)
        missing = self.node("Sub", self.constant(np.float32(1.0)), shares)
        entropy = self.node("Mul", shares, self.node("Log", shares))
        entropy = self.node("Mul", entropy, self.constant(np.float32(gamma)))
        power = self.node("Pow", missing, self.constant(np.float32(gamma - 1.0)))
        weight = self.node("Mul", power, self.node("Sub", missing, entropy))
        odds = self.node("Div", shares, weight)
        total = self.node("ReduceSum", odds, self.constant(np.array([1], np.int64)), keepdims=1)
        return self.node("Div", odds, total)
