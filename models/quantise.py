"""Networks in eight bits: files of half the size, probabilities a little off."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

__all__ = ["LIMIT", "quantise"]

LIMIT = 0.02
"""How far a probability may be off, out of fold, before a network stays as it is."""


def quantise(model: bytes) -> bytes:
    """Round a network's weights to int8, and what it multiplies them with as it runs.

    Products of matrices, convolutions and LSTMs are rounded; what ONNX Runtime knows no int8 for
    (a GRU's gates, norms, softmax) stays float32. Input and output stay as they are. The same
    bytes for the same model.

    Parameters
    ----------
    model
        ONNX content.

    Notes
    -----
    Dynamic quantisation of ONNX Runtime: a scale and a zero for each weight matrix, and one for
    each activation, found anew in every call. That search costs more than it gains on networks as
    small as ours; see ``docs/models.md``.
    """
    read = onnx.load_from_string(model)
    # Says that its shapes are known: without it a warning is logged for every model.
    read.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "int8.onnx"
        quantize_dynamic(read, path, weight_type=QuantType.QInt8)
        written = onnx.load(path)
    content: bytes = written.SerializeToString(deterministic=True)
    return content
