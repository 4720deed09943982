"""What a rollout needs done a lane at a time, compiled: advantages, episode returns, masks."""

from __future__ import annotations

import numba as nb
import numpy as np
import numpy.typing as npt

from envs.action import mask

__all__ = ["advantages", "masks", "tally"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@nb.njit(cache=True, error_model="numpy")
def advantages(
    rewards: Floats,
    values: npt.NDArray[np.float32],
    terminated: Bools,
    valid: Bools,
    discount: float,
    decay: float,
) -> npt.NDArray[np.float32]:
    """Generalised advantage estimate of a rollout.

    ``A[t] = d[t] + discount decay A[t+1]`` with ``d[t] = r[t] + discount V[t+1] - V[t]``, where
    ``V[t+1]`` counts 0 after a terminated episode, and ``A[t+1]`` counts 0 after any.

    Parameters
    ----------
    rewards, terminated
        ``float64[t, n]``, ``bool[t, n]``: of each step of each lane.
    values
        ``float32[t + 1, n]``: of each step's observation, and of the one after the last.
    valid
        ``bool[t, n]``: false where a lane only began its next episode; 0 is returned there. The
        observation of such a step is the last of the episode before, so that ``values`` there is
        what a truncated one goes on with.
    discount, decay
        Gamma and lambda.

    Returns
    -------
    float32[t, n]

    References
    ----------
    Schulman et al., High-Dimensional Continuous Control Using Generalized Advantage Estimation,
    2016, equation 16.

    Examples
    --------
    >>> reward = np.ones((3, 1))
    >>> off = np.zeros((3, 1), np.bool_)
    >>> advantages(reward, np.zeros((4, 1), np.float32), off, ~off, 0.5, 1.0)[:, 0]
    array([1.75, 1.5 , 1.  ], dtype=float32)
    """
    steps, lanes = rewards.shape
    out = np.zeros((steps, lanes), np.float32)
    after = np.zeros(lanes)
    for t in range(steps - 1, -1, -1):
        for i in range(lanes):
            if not valid[t, i]:
                after[i] = 0.0
                continue
            ahead = 0.0 if terminated[t, i] else values[t + 1, i]
            after[i] = rewards[t, i] + discount * ahead - values[t, i] + discount * decay * after[i]
            out[t, i] = after[i]
    return out


@nb.njit(cache=True, error_model="numpy")
def tally(rewards: Floats, ended: Bools, valid: Bools, running: Floats, found: Floats) -> int:
    """Add up each lane's rewards, and note those of the episodes that ended.

    Parameters
    ----------
    rewards, ended, valid
        ``float64[t, n]``, ``bool[t, n]``, ``bool[t, n]``: of a rollout.
    running
        ``float64[n, 2]``: return and length of each lane's episode so far; changed.
    found
        ``float64[t * n, 2]``: return and length of each that ended; written.

    Returns
    -------
    int
        How many ended.
    """
    count = 0
    for t in range(rewards.shape[0]):
        for i in range(rewards.shape[1]):
            if valid[t, i]:
                running[i, 0] += rewards[t, i]
                running[i, 1] += 1.0
            if ended[t, i]:
                found[count] = running[i]
                running[i] = 0.0
                count += 1
    return count


@nb.njit(cache=True, error_model="numpy")
def masks(
    table: npt.NDArray[np.float64], observations: npt.NDArray[np.float32], out: Bools
) -> None:
    """Write :func:`envs.action.mask` of ``float32[n, size]`` into ``bool[n, A]``."""
    for i in range(len(observations)):
        mask(table, observations[i], out[i])
