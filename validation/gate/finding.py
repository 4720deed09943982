"""What one check of the gate found."""

from __future__ import annotations

from typing import NamedTuple

from validation.verdict import Check

__all__ = ["Finding"]


class Finding(NamedTuple):
    """A check and its figures.

    Parameters
    ----------
    check
        Whether it holds, and why.
    figures
        By name, for the verdict.
    """

    check: Check
    figures: dict[str, float]
