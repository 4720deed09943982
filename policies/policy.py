"""The port every policy fills."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from envs.spec import PolicySpec

__all__ = ["Policy"]


class Policy(Protocol):
    """Decides how much to hold, and so when to enter and when to leave.

    A policy keeps no state of its own: what it may remember (the position, its age, its profit)
    is in the observation, so that a restart changes no decision.
    """

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever its answers may."""
        ...

    @property
    def spec(self) -> PolicySpec:
        """What it sees, what it may answer, and the rules it was made for."""
        ...

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Answer an observation.

        Parameters
        ----------
        observation
            ``float32[spec.size]``, see :attr:`envs.spec.PolicySpec.components`; read, never kept.

        Returns
        -------
        int
            Row of :attr:`envs.spec.PolicySpec.table`.
        """
        ...
