"""What DQN and SAC remember: the last transitions, as arrays that are written in a ring."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Ring"]


class Ring:
    """The last ``capacity`` transitions.

    Parameters
    ----------
    capacity
        How many.

    Examples
    --------
    >>> ring = Ring(3)
    >>> ring.add({"x": np.array([1, 2])})
    >>> ring.add({"x": np.array([3, 4])})
    >>> len(ring), sorted(ring.columns["x"].tolist())
    (3, [2, 3, 4])
    """

    def __init__(self, capacity: int) -> None:
        self.columns: dict[str, npt.NDArray[Any]] = {}
        self._capacity, self._at, self._filled = capacity, 0, 0

    def __len__(self) -> int:
        return self._filled

    def add(self, columns: dict[str, npt.NDArray[Any]]) -> None:
        """Write transitions over the oldest; of more than there is room for, the last."""
        rows = len(next(iter(columns.values())))
        at = (self._at + np.arange(rows)) % self._capacity
        at = at[-self._capacity :]
        for name, values in columns.items():
            if name not in self.columns:
                room = np.zeros((self._capacity, *values.shape[1:]), values.dtype)
                self.columns[name] = room
            self.columns[name][at] = values[-self._capacity :]
        self._at = (self._at + rows) % self._capacity
        self._filled = min(self._filled + rows, self._capacity)

    def sample(self, n: int, rng: np.random.Generator) -> dict[str, npt.NDArray[Any]]:
        """Draw ``n``, all alike likely, one perhaps more than once."""
        rows = rng.integers(self._filled, size=n)
        return {name: values[rows] for name, values in self.columns.items()}
