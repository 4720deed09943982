"""Leaks of the future: in columns, and in splits.

===================  ==========================================================================
:func:`leaks`        columns of a dataset that tell more of what comes than of what was
:func:`split_leak`   a splitter that lets a model copy the labels of a test's neighbours
===================  ==========================================================================
"""

from validation.leakage.columns import Leak, Leaks, leaks
from validation.leakage.splitting import Classifier, Neighbours, SplitLeak, Splitter, split_leak

__all__ = [
    "Classifier",
    "Leak",
    "Leaks",
    "Neighbours",
    "SplitLeak",
    "Splitter",
    "leaks",
    "split_leak",
]
