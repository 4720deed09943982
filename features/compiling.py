"""The first compilation of columns takes seconds; whoever waits for it may see how far it is."""

from __future__ import annotations

from collections.abc import Callable

from features import kernel
from features.config import FeatureConfig

__all__ = ["Report", "compile_steps", "unseen"]

Report = Callable[[int, int], None]
"""Called with what is done and what there is to do."""


def unseen(done: int, of: int) -> None:
    """Show nothing."""


def compile_steps(config: FeatureConfig, report: Report) -> None:
    """Compile what :func:`features.layout.lay` would, or load what an earlier process compiled.

    Parameters
    ----------
    config
        Whose columns.
    report
        Called before each family, and after the last.
    """
    families = sorted({one.family for one in config.found})
    for done, family in enumerate(families):
        report(done, len(families))
        kernel.address(family)
    report(len(families), len(families))
