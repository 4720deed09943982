"""A policy asked in one symbol's name: what it remembers is kept here, with the symbol."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from policies.policy import Policy, Remembering

__all__ = ["Recall"]


class Recall:
    """Asks a policy, with the memory that one symbol's answers have left.

    The policy is brought to that memory before it is asked, so that several traders may share one,
    and a trader that a crash threw away leaves nothing behind in it.

    Parameters
    ----------
    policy
        Asked; one without a memory is asked as it is.

    Attributes
    ----------
    memory : bytes
        What is remembered; empty before the first answer, after a gap, and without a memory.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._mind: Remembering | None = None
        if isinstance(policy, Remembering) and policy.memory:
            self._mind = policy
        self.memory = b""
        self._after: list[bytes] = []

    def act(self, observation: npt.NDArray[np.float32]) -> int:
        """Answer an observation, and remember it."""
        if self._mind is None:
            return self._policy.act(observation)
        self._bring(self.memory)
        action = self._policy.act(observation)
        self.memory = self._mind.snapshot()
        return action

    def answers(
        self, observations: npt.NDArray[np.float32], ok: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64]:
        """Answer several observations; many at once where the policy can.

        Parameters
        ----------
        observations
            ``float32[n, size]``, in order of time.
        ok
            ``bool[n]``: which of them there are; the others are answered 0, and not remembered.

        Returns
        -------
        int64[n]
            Remembered only as far as :meth:`counted` says.
        """
        acts = getattr(self._policy, "acts", None)
        if acts is not None and self._mind is None:
            found: npt.NDArray[np.int64] = acts(observations)
            return found
        before, self._after = self.memory, []
        answers = np.zeros(len(ok), np.int64)
        for i in range(len(ok)):
            if ok[i]:
                answers[i] = self.act(observations[i])
            self._after.append(self.memory)
        self.memory = before
        return answers

    def counted(self, number: int) -> None:
        """Remember the first ``number`` of the last :meth:`answers`: the rest were not used."""
        if self._mind is not None and number:
            self.memory = self._after[number - 1]

    def forget(self) -> None:
        """Remember nothing any more, after a gap."""
        self.memory = b""

    def checked(self, memory: bytes) -> bytes:
        """Return what :attr:`memory` may be set to; empty where the policy has none.

        Raises
        ------
        StateError
            It is damaged.
        """
        if self._mind is None:
            return b""
        self._bring(memory)
        return memory

    def _bring(self, memory: bytes) -> None:
        assert self._mind is not None
        if memory:
            self._mind.restore(memory)
        else:
            self._mind.reset()
