"""Online learning: what changes between two trainings, from decisions as they are settled."""

from models.online.adaptation import Adaptation, Score
from models.online.config import OnlineConfig, RecalibrationConfig, RecentConfig
from models.online.recalibration import Recalibration
from models.online.recent import RecentWeights

__all__ = [
    "Adaptation",
    "OnlineConfig",
    "Recalibration",
    "RecalibrationConfig",
    "RecentConfig",
    "RecentWeights",
    "Score",
]
