"""The port every policy fills."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from envs.spec import PolicySpec

__all__ = ["Policy", "Remembering"]


class Policy(Protocol):
    """Decides how much to hold, and so when to enter and when to leave.

    A policy keeps no state of its own: what it may remember (the position, its age, its profit)
    is in the observation, so that a restart changes no decision. One that does have a memory says
    so by filling :class:`Remembering` too.
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


@runtime_checkable
class Remembering(Protocol):
    """What a policy with a memory has beyond :class:`Policy`.

    Who asks it keeps :meth:`snapshot` with its own state after every answer, gives it back with
    :meth:`restore` at a restart, and calls :meth:`reset` where the policy's episodes began in
    training: at the first decision, and after every gap.
    """

    @property
    def memory(self) -> int:
        """Numbers remembered; 0: none, and all of this does nothing."""
        ...

    def reset(self) -> None:
        """Forget all that was seen."""
        ...

    def snapshot(self) -> bytes:
        """Return what is remembered."""
        ...

    def restore(self, snapshot: bytes) -> None:
        """Go on from what was remembered."""
        ...
