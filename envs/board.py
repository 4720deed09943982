"""All that a compiled step works on, handed to it as one array of addresses.

Two dozen arrays as arguments take longer to hand over than an episode's step takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

__all__ = ["BOARD", "Board"]

BOARD = (
    "money", "clock", "lane", "place", "done", "terms", "delays", "table", "rules", "weights",
    "units", "marks", "seen", "events", "fills", "out", "lanes", "tapes", "kinds", "size", "varied",
)  # fmt: skip
"""What stands where: addresses of arrays, see :func:`envs.kernel.step`; then numbers: episodes,
rows of ``delays``, actions, numbers in an observation, and whether an episode's terms or its
price's moves may differ from its tape's."""

(
    MONEYS, CLOCKS, LANES, PLACES, DONE, PAYS, LAGS, TABLE, RULES, WEIGHTS,
    USUAL, MARKED, BACKDROP, HAPPENING, ROOM, OUT, COUNT, TAPES, KINDS, SIZE, VARIED,
) = range(21)  # fmt: skip


class Board:
    """Arrays and where they are.

    Parameters
    ----------
    arrays
        By their names in :data:`BOARD`; all are kept, and must not be replaced.
    numbers
        As well.

    Attributes
    ----------
    words
        ``int64[21]``: see :data:`BOARD`.

    Raises
    ------
    ValueError
        An array isn't contiguous: compiled code would read beside it.

    Notes
    -----
    A copy, a pickled one too, has the addresses of its own arrays.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], numbers: Mapping[str, int]) -> None:
        for name, array in arrays.items():
            if not array.flags.c_contiguous:
                raise ValueError(f"{name} must be contiguous; hand on np.ascontiguousarray of it")
        self._arrays, self._numbers = dict(arrays), dict(numbers)
        known = {name: array.ctypes.data for name, array in arrays.items()} | self._numbers
        self.words = np.array([known[name] for name in BOARD], np.int64)

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        """Take the arrays along, and not where they were."""
        return type(self), (self._arrays, self._numbers)
