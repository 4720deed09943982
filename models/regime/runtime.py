"""Regimes as they run: numbers out of the card and one formula, no training library."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from models.regime.card import HmmNumbers, RegimeCard, ThresholdNumbers
from models.regime.hmm import Hmm
from models.regime.threshold import Threshold
from models.windows import full

__all__ = ["Regimes", "runtime"]

Rows = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class _Model(Protocol):
    """What each kind can do."""

    count: int

    def index(self, window: Rows) -> int:
        """Regime after a window."""

    def at(self, rows: Rows, ends: Ints, window: int) -> Ints:
        """Regimes after the windows that end at ``ends``."""


class Regimes:
    """Which regime the market is in, out of the last rows alone.

    Nothing is remembered from one call to the next: live, over HTTP and in batch, the same window
    has the same regime. Regimes are numbered upwards, the calmest is 0.

    Parameters
    ----------
    card
        Of the fitted model.

    Attributes
    ----------
    card : RegimeCard
    columns : tuple[str, ...]
        A window's, in order.
    window : int
        Rows it takes.
    count : int
        Regimes.

    Examples
    --------
    >>> card = RegimeCard(
    ...     "calm", ("volatility_ratio_8_64",), 1, ThresholdNumbers((0.5, 1.5)), (0.2, 0.6, 0.2)
    ... )
    >>> regimes = Regimes(card)
    >>> rows = np.array([[0.4], [0.5], [1.5]], dtype=np.float32)
    >>> regimes.path(rows, np.array([True, False, False])).tolist()
    [0, 1, 2]
    >>> regimes.index(rows[:1])
    0
    """

    def __init__(self, card: RegimeCard) -> None:
        self.card, self.columns, self.window = card, card.columns, card.window
        self._model = runtime(card.numbers)
        self.count = self._model.count
        self._shape = (card.window, len(card.columns))

    def index(self, window: Rows) -> int:
        """Regime of the last row of a window.

        Parameters
        ----------
        window
            ``float32[L, K]``, exactly :attr:`columns`, oldest row first, no gap in between; of more
            than :attr:`window` rows the last ones count.

        Raises
        ------
        DataError
            Too few rows, other columns, or a value that isn't finite.
        """
        length, columns = self._shape
        if window.shape[0] > length:
            window = window[-length:]
        if window.shape != self._shape:
            raise DataError(
                f"window must be {length} rows of {columns} columns, "
                f"was {' x '.join(map(str, window.shape))}"
            )
        if not np.isfinite(window).all():
            self._refuse(window)
        return self._model.index(window)

    def path(self, rows: Rows, fresh: Flags) -> Ints:
        """Regime of every row: what :meth:`index` says of the window that ends there.

        Parameters
        ----------
        rows
            ``float32[m, K]``, exactly :attr:`columns`, in time order.
        fresh
            ``bool[m]``: first row after a gap; windows don't reach across.

        Returns
        -------
        ``int64[m]``; -1 where the window isn't full.

        Raises
        ------
        DataError
            Other columns, or a value that isn't finite.
        """
        if rows.ndim != 2 or rows.shape[1] != self._shape[1] or len(fresh) != len(rows):
            raise DataError(
                f"rows must hold {self._shape[1]} columns and one fresh flag each, "
                f"were {rows.shape} with {len(fresh)} flags"
            )
        if not np.isfinite(rows).all():
            self._refuse(rows)
        found = np.full(len(rows), -1, dtype=np.int64)
        if len(rows):
            ends = full(fresh, self.window)
            found[ends] = self._model.at(rows, ends, self.window)
        return found

    def _refuse(self, rows: Rows) -> None:
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise DataError(
            f"{self.columns[column]} must be finite, was {rows[row, column]} in row {row}; "
            "ask for a regime only while the features are warm"
        )


def runtime(numbers: ThresholdNumbers | HmmNumbers) -> _Model:
    """Return the runtime of a kind."""
    return Threshold(numbers) if isinstance(numbers, ThresholdNumbers) else Hmm(numbers)
