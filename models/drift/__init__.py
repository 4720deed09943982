"""Drift: whether a model's errors, or the columns it is given, are no longer what they were."""

from models.drift.adwin import Adwin
from models.drift.columns import ColumnDrift, ColumnShift
from models.drift.config import ColumnDriftConfig, DriftConfig
from models.drift.monitor import Alarm, DriftMonitor
from models.drift.reference import Reference

__all__ = [
    "Adwin",
    "Alarm",
    "ColumnDrift",
    "ColumnDriftConfig",
    "ColumnShift",
    "DriftConfig",
    "DriftMonitor",
    "Reference",
]
