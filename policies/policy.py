"""The port every policy fills."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

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
    def schema(self) -> str:
        """:data:`envs.observation.SCHEMA` it was made for."""
        ...

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Answer an observation.

        Parameters
        ----------
        observation
            ``float32[SIZE]``, see :data:`envs.observation.OBSERVATION`; read, never kept.

        Returns
        -------
        int
            Index into :data:`envs.action.ACTIONS`.
        """
        ...
