"""A random forest: trees grown apart, each on other rows and columns, and averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import helper
from sklearn.ensemble import RandomForestClassifier

from models.member import Floats, Ints, Rows
from models.members.config import ForestConfig
from models.members.configured import Configured
from models.members.flat import flat
from models.members.graph import write
from models.members.trees import Tree, down, ensemble

__all__ = ["FittedForest", "Forest"]


class Forest(Configured[ForestConfig]):
    """Breiman's forest (2001) of shallow trees, whose leaves lean on the class frequencies.

    A leaf that ``w`` rows reached with shares p says (w p + prior · base) / (w + prior), the
    m-estimate: it claims little of what it saw little of, and no class is impossible. All trees
    count: nothing stops early, effort is their number, and ``stop`` is not looked at.

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
    ) -> FittedForest:
        """Fit; see :meth:`models.member.Member.fit`."""
        config = self.config
        effort = config.trees if effort is None else effort
        model = RandomForestClassifier(
            n_estimators=effort,
            max_depth=config.depth,
            min_samples_leaf=config.min_leaf,
            max_features=config.feature_share,
            max_samples=max(round(config.row_share * len(train)), 1),
            random_state=seed,
            n_jobs=1,
        )
        known = flat(rows, train, self.window)
        own = np.ones(len(train)) if weights is None else weights[train]
        # One more row of each class, so that trees know of all three.
        middle = np.broadcast_to(known.mean(axis=0, dtype=np.float64), (3, known.shape[1]))
        classes = np.concatenate((labels[train], np.arange(3)))
        counted = np.concatenate((own, np.ones(3)))
        model.fit(np.concatenate((known, middle.astype(np.float32))), classes, counted)
        base = np.bincount(classes, counted) / counted.sum()
        for one in model.estimators_:
            tree = one.tree_
            seen = tree.weighted_n_node_samples[:, None, None]
            tree.value[:] = (seen * tree.value + config.prior * base) / (seen + config.prior)
        return FittedForest(model, self.window, rows.shape[1], effort)


@dataclass
class FittedForest:
    """Trees after fitting; see :class:`models.member.Fitted`."""

    model: RandomForestClassifier
    window: int
    features: int
    effort: int

    def predict_proba(self, rows: Rows, ends: Ints) -> Floats:
        """Predict from the windows that end at ``ends``."""
        proba: Floats = self.model.predict_proba(flat(rows, ends, self.window))
        return proba

    def onnx(self) -> bytes:
        """Export: the windows flattened, then the trees."""
        grown = [one.tree_ for one in self.model.estimators_]
        trees = [
            Tree(
                left=one.children_left,
                right=one.children_right,
                column=one.feature,
                threshold=down(one.threshold),
                values=one.value[:, 0] / len(grown),
            )
            for one in grown
        ]
        nodes = [
            helper.make_node("Flatten", ["window"], ["row"], axis=1),
            ensemble(trees, "BRANCH_LEQ", np.zeros(3), "probabilities"),
        ]
        return write(nodes, {}, self.window, self.features, trees=True)
