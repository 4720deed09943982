"""Splits that respect time: nothing that overlaps a test's outcomes is trained on.

=====================  ============================================================================
:func:`purged_kfold`   every decision is tested once; training lies on both sides of the test
:func:`chronological`  training, validation and hold-out, once
:func:`walk_forward`   training always before the test, step by step
:func:`cpcv`           every choice of folds is tested: several backtest paths of one history
=====================  ============================================================================
"""

from validation.splits.chronological import Split, chronological
from validation.splits.cpcv import CpcvConfig, along_paths, cpcv, paths
from validation.splits.purged import purged_kfold
from validation.splits.walk_forward import WalkForwardConfig, walk_forward

__all__ = [
    "CpcvConfig",
    "Split",
    "WalkForwardConfig",
    "along_paths",
    "chronological",
    "cpcv",
    "paths",
    "purged_kfold",
    "walk_forward",
]
