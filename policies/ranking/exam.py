"""The port every exam fills, and what a mark is worth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from policies.curriculum import Curriculum
from policies.training import Training
from policies.world import World

__all__ = ["Exam", "Mark", "Player", "score", "verdict"]

Player = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.int64] | npt.NDArray[np.float32]]
"""Answers a batch of observations, ``float32[n, size]``: ``int64[n]`` or ``float32[n, k]``."""

PASS, GOOD, EXCELLENT = 0.95, 0.98, 0.99
"""Marks; the published DDPG on problem A1 has .979."""


class Mark(NamedTuple):
    """What a policy was found to be worth.

    Parameters
    ----------
    score
        ``(earned - flat) / (best - flat)``: 1 is the optimum, 0 is doing nothing. Where there is
        nothing to be earned, 1 for who stays out and 0 for who doesn't.
    earned, best, flat
        Of the policy, of the optimum and of doing nothing, on the same episodes.
    exposed
        Mean size of the position, largest positions; ``nan`` where there is none.
    """

    score: float
    earned: float
    best: float
    flat: float
    exposed: float


class Exam(Protocol):
    """A world to train in, and episodes of it, never trained on, to be judged by."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def about(self) -> str:
        """What it is, in a line."""
        ...

    @property
    def training(self) -> Training:
        """Settings it is sat with; docs/optima.md has what they came to."""
        ...

    @property
    def curriculum(self) -> Curriculum | None:
        """From an easier world to that one."""
        ...

    def world(self) -> World:
        """Return where to train."""
        ...

    def judge(self, path: Path) -> Mark:
        """Judge an exported policy."""
        ...


def score(earned: float, best: float, flat: float) -> float:
    """Return ``(earned - flat) / (best - flat)``.

    Raises
    ------
    ValueError
        The optimum earns no more than doing nothing.

    Examples
    --------
    >>> score(9.0, 11.0, 1.0)
    0.8
    """
    if best <= flat:
        raise ValueError(f"best must exceed flat, was {best} against {flat}")
    return (earned - flat) / (best - flat)


def verdict(median: float) -> str:
    """Say what a median score is worth.

    Examples
    --------
    >>> [verdict(one) for one in (0.94, 0.95, 0.98, 0.99)]
    ['fail', 'pass', 'good', 'excellent']
    """
    if median >= EXCELLENT:
        return "excellent"
    if median >= GOOD:
        return "good"
    return "pass" if median >= PASS else "fail"
