"""Gradient-boosted trees, grown level by level."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from onnx import helper

from models.member import Floats, Ints, Rows
from models.members.config import XgboostConfig
from models.members.configured import Configured
from models.members.flat import flat
from models.members.graph import write
from models.members.trees import Tree, ensemble

__all__ = ["FittedXgboost", "Xgboost"]


class Xgboost(Configured[XgboostConfig]):
    """XGBoost on histograms, on one thread; a round is a tree for each class.

    A class that training lacks grows less probable with every round, never impossible.

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
    ) -> FittedXgboost:
        """Fit; see :meth:`models.member.Member.fit`."""
        config = self.config
        settings = {
            "objective": "multi:softprob",
            "num_class": 3,
            "tree_method": "hist",
            "eta": config.learning_rate,
            "max_depth": config.depth,
            "min_child_weight": config.min_leaf,
            "lambda": config.l2,
            "subsample": config.row_share,
            "colsample_bytree": config.feature_share,
            "seed": seed,
            "nthread": 1,
            "verbosity": 0,
        }
        weights = np.ones(len(rows)) if weights is None else weights

        def matrix(ends: Ints) -> xgb.DMatrix:
            known = flat(rows, ends, self.window)
            return xgb.DMatrix(known, labels[ends], weight=weights[ends], nthread=1)

        if effort is None:
            booster = xgb.train(
                settings,
                matrix(train),
                config.trees,
                evals=[(matrix(stop), "stop")],
                early_stopping_rounds=config.patience,
                verbose_eval=False,
            )
            effort = int(booster.best_iteration) + 1
        else:
            booster = xgb.train(settings, matrix(train), effort)
        return FittedXgboost(booster[:effort], self.window, rows.shape[1], effort)


@dataclass
class FittedXgboost:
    """Trees after fitting; see :class:`models.member.Fitted`."""

    booster: xgb.Booster
    window: int
    features: int
    effort: int

    def predict_proba(self, rows: Rows, ends: Ints) -> Floats:
        """Predict from the windows that end at ``ends``."""
        said = self.booster.inplace_predict(flat(rows, ends, self.window))
        proba: Floats = np.asarray(said, np.float64).reshape(-1, 3)
        return proba

    def onnx(self) -> bytes:
        """Export: the windows flattened, the trees, softmax. Thresholds are float32 already."""
        learner = json.loads(bytes(self.booster.save_raw("json")))["learner"]
        grown = learner["gradient_booster"]["model"]
        start = np.array(json.loads(learner["learner_model_param"]["base_score"]), np.float64)
        trees = [
            Tree(
                left=np.array(one["left_children"]),
                right=np.array(one["right_children"]),
                column=np.array(one["split_indices"]),
                threshold=np.array(one["split_conditions"], np.float32),
                values=np.array(one["split_conditions"], np.float64)[:, None],
                targets=(target,),
            )
            for one, target in zip(grown["trees"], grown["tree_info"], strict=True)
        ]
        nodes = [
            helper.make_node("Flatten", ["window"], ["row"], axis=1),
            ensemble(trees, "BRANCH_LT", np.broadcast_to(start, 3), "margins"),
            helper.make_node("Softmax", ["margins"], ["probabilities"], axis=1),
        ]
        return write(nodes, {}, self.window, self.features, trees=True)
