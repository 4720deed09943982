"""From the trained module to a file that any machine can run without Ray or torch."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from ray.rllib.core.rl_module.rl_module import RLModule

from envs.spec import PolicySpec
from market.errors import StateError

__all__ = ["export"]

_OPSET = 17


def export(module: Path, path: Path, name: str, spec: PolicySpec | None = None) -> str:
    """Write a trained policy as ONNX; return its version.

    The graph is ``observation float32[n, SIZE] -> logits float32[n, actions]``: the same layers
    with the same weights. Value network and exploration stay behind.

    Parameters
    ----------
    module
        Folder of RLlib's module, see :class:`policies.rllib.TrainingResult`.
    path
        File to write, whole or not at all.
    name
        What the policy is called from now on.

    spec
        What it was trained for.

    Raises
    ------
    StateError
        There is no module in the folder, or its network isn't a chain of linear layers.
    """
    if not module.is_dir():
        raise StateError(f"no trained module in {module}; train a policy first")
    spec = spec or PolicySpec()
    trained: Any = RLModule.from_checkpoint(str(module.resolve()))
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    digest, last = hashlib.sha256(spec.digest.encode()), "observation"
    layers = [*trained.encoder.actor_encoder.modules(), *trained.pi.modules()]
    for i, layer in enumerate(layer for layer in layers if not list(layer.children())):
        kind, result = type(layer).__name__, f"layer_{i}"
        if kind == "Linear":
            for part, values in (("weight", layer.weight), ("bias", layer.bias)):
                array = values.detach().cpu().numpy().astype(np.float32)
                digest.update(array.tobytes())
                weights.append(numpy_helper.from_array(array, f"{part}_{i}"))
            inputs = [last, f"weight_{i}", f"bias_{i}"]
            nodes.append(helper.make_node("Gemm", inputs, [result], transB=1))
        elif kind in ("Tanh", "Relu", "Sigmoid", "ReLU"):
            nodes.append(helper.make_node("Relu" if kind == "ReLU" else kind, [last], [result]))
        else:
            raise StateError(f"{module}: a layer of kind {kind} can't be exported")
        last = result
    nodes.append(helper.make_node("Identity", [last], ["logits"]))
    graph = helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["n", spec.size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(spec.table)])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
    version = digest.hexdigest()[:12]
    facts = {
        "name": name,
        "version": version,
        "schema": spec.digest,
        "spec": spec.model_dump_json(),
        "components": json.dumps(spec.names),
    }
    helper.set_model_props(model, facts)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".part")
    with scratch.open("wb") as file:
        file.write(model.SerializeToString())
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    return version
