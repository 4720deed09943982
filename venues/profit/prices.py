"""One side of ProfitDLL's price book: a list of levels that counts its positions from the end."""

from __future__ import annotations

import struct

from market.errors import DataError

__all__ = ["ADD", "DELETE", "DELETE_FROM", "EDIT", "FULL", "PriceList", "levels_of"]

ADD, EDIT, DELETE, DELETE_FROM, FULL = range(5)
"""What happened to the book."""

_HEADER = struct.Struct("=ii")
_LEVEL = struct.Struct("=dqI")
_TRAILER = struct.Struct("=I")
_LAST = 1

Level = tuple[float, float]


def levels_of(packed: bytes) -> tuple[list[Level], bool]:
    """Return the levels in one array of a full book, and whether it is the book's last part.

    The array is a header (levels, bytes in all), 20 bytes a level (price, quantity, orders),
    and flags.

    Raises
    ------
    DataError
        It is not such an array.
    """
    if len(packed) < _HEADER.size:
        raise DataError(f"a full book must have a header, had {len(packed)} bytes")
    count, size = _HEADER.unpack_from(packed)
    end = _HEADER.size + count * _LEVEL.size
    if count < 0 or not end <= size == len(packed):
        raise DataError(f"a full book of {count} levels can't have {size} bytes")
    levels = [
        (price, float(quantity))
        for price, quantity, _ in _LEVEL.iter_unpack(packed[_HEADER.size : end])
    ]
    last = size - end < _TRAILER.size or bool(_TRAILER.unpack_from(packed, end)[0] & _LAST)
    return levels, last


class PriceList:
    """The levels of one side, the best one **last**.

    Positions count from the end: 0 is the best level. An action on a position that isn't there is
    refused, and the list is left as it was.

    Examples
    --------
    >>> bids = PriceList()
    >>> bids.change(ADD, 0, 5000.0, 7.0)
    ((5000.0, 7.0),)
    >>> bids.change(ADD, 0, 5000.5, 3.0)
    ((5000.5, 3.0),)
    >>> bids.levels
    ((5000.5, 3.0), (5000.0, 7.0))
    """

    def __init__(self) -> None:
        self._levels: list[Level] = []

    @property
    def levels(self) -> tuple[Level, ...]:
        """``(price, size)``, best first."""
        return tuple(reversed(self._levels))

    def replace(self, levels: list[Level]) -> None:
        """Take a whole side, best level last."""
        self._levels = list(levels)

    def change(self, action: int, position: int, price: float, size: float) -> tuple[Level, ...]:
        """Apply an action and return what changed: ``(price, size)``, size 0 where a level went.

        Raises
        ------
        DataError
            There is no such position or action.
        """
        end = len(self._levels)
        if action == ADD:
            if not 0 <= position <= end:
                raise DataError(f"can't add at {position}, the book has {end} levels")
            self._levels.insert(end - position, (price, size))
            return ((price, size),)
        at = end - 1 - position
        if not 0 <= at < end:
            raise DataError(f"there is no level {position}, the book has {end}")
        if action == EDIT:
            old = self._levels[at][0]
            # The price may be left out of an edit of the quantity alone.
            new = (price if price > 0.0 else old, size)
            self._levels[at] = new
            return (new,) if new[0] == old else ((old, 0.0), new)
        if action == DELETE:
            return ((self._levels.pop(at)[0], 0.0),)
        if action == DELETE_FROM:
            gone = self._levels[at:]
            del self._levels[at:]
            return tuple((level, 0.0) for level, _ in gone)
        raise DataError(f"a book's action must be 0 to 4, was {action}")
