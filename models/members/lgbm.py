"""Gradient-boosted trees."""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import onnx
from onnx import TensorProto, helper
from onnxmltools.convert import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from models.member import Floats, Ints, Rows
from models.members.config import LgbmConfig
from models.members.configured import Configured
from models.members.flat import flat
from models.members.trees import down

__all__ = ["Lgbm"]


class Lgbm(Configured[LgbmConfig]):
    """LightGBM on one thread, deterministic.

    Parameters
    ----------
    config
        Its settings.
    """

    def fit(
        self,
        rows: Rows,
        labels: Ints,
        train: Ints,
        stop: Ints,
        seed: int,
        effort: int | None = None,
        weights: Floats | None = None,
    ) -> FittedLgbm:
        """Fit; see :meth:`models.member.Member.fit`."""
        config = self.config
        settings = {
            "objective": "multiclass",
            "num_class": 3,
            "learning_rate": config.learning_rate,
            "num_leaves": config.leaves,
            "min_data_in_leaf": config.min_leaf,
            "lambda_l2": config.l2,
            "feature_fraction": config.feature_share,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }
        weights = np.ones(len(rows)) if weights is None else weights
        known = lgb.Dataset(flat(rows, train, self.window), labels[train], weight=weights[train])
        if effort is not None:
            booster = lgb.train(settings, known, effort)
        else:
            later = known.create_valid(
                flat(rows, stop, self.window), labels[stop], weight=weights[stop]
            )
            booster = lgb.train(
                settings,
                known,
                config.trees,
                valid_sets=[later],
                callbacks=[lgb.early_stopping(config.patience, verbose=False)],
            )
            effort = booster.best_iteration
        text = _on_float32(booster.model_to_string(num_iteration=effort))
        return FittedLgbm(lgb.Booster(model_str=text), self.window, rows.shape[1], effort)


@dataclass
class FittedLgbm:
    """Trees after fitting; see :class:`models.member.Fitted`."""

    booster: lgb.Booster
    window: int
    features: int
    effort: int

    def predict_proba(self, rows: Rows, ends: Ints) -> Floats:
        """Predict from the windows that end at ``ends``."""
        known = flat(rows, ends, self.window)
        proba: Floats = np.asarray(self.booster.predict(known, num_threads=1))
        return proba

    def onnx(self) -> bytes:
        """Export: the windows flattened, then the trees."""
        width = self.window * self.features
        converted = convert_lightgbm(
            self.booster,
            initial_types=[("window", FloatTensorType([None, width]))],
            zipmap=False,
            target_opset=13,
        )
        trees = next(one for one in converted.graph.node if one.op_type.startswith("TreeEnsemble"))
        del trees.input[:], trees.output[:]
        trees.input.append("row")
        trees.output.extend(["label", "probabilities"])
        graph = helper.make_graph(
            [helper.make_node("Flatten", ["window"], ["row"], axis=1), trees],
            "lgbm",
            [
                helper.make_tensor_value_info(
                    "window", TensorProto.FLOAT, [None, self.window, self.features]
                )
            ],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 3])],
        )
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        onnx.checker.check_model(model)
        content: bytes = model.SerializeToString(deterministic=True)
        return content


def _on_float32(model: str) -> str:
    """Round every threshold down to a float32.

    For a float32 ``x``, ``x <= threshold`` stays the same; but an ONNX file holds float32
    thresholds rounded to nearest, which would send the value next to one the other way.
    """
    lines = []
    for line in model.splitlines():
        if line.startswith("tree_sizes="):
            continue  # offsets into the text, which no longer hold; it is read without them
        if line.startswith("threshold="):
            exact = np.array(line.removeprefix("threshold=").split(), np.float64)
            line = "threshold=" + " ".join(repr(float(one)) for one in down(exact))
        lines.append(line)
    return "\n".join(lines) + "\n"
