"""Labels: what came of each decision, the event that settled it, and how much it weighs."""

from features.labels.classes import DOWN, FLAT, NO, NONE, UP, YES
from features.labels.config import LabelConfig
from features.labels.labelling import label
from features.labels.meta import meta_label
from features.labels.target import volatility_target
from features.labels.weights import WeightConfig, weigh

__all__ = [
    "DOWN",
    "FLAT",
    "NO",
    "NONE",
    "UP",
    "YES",
    "LabelConfig",
    "WeightConfig",
    "label",
    "meta_label",
    "volatility_target",
    "weigh",
]
