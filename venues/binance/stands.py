"""Which state of an order is news: stream and history tell of it in any order."""

from __future__ import annotations

from market.orders import OrderStatus

__all__ = ["Stands"]

_ENDS = 10_000
"""Orders done that are remembered, so that what comes late of one is known as old."""


class Stands:
    """Where orders stood when they were told of last.

    Examples
    --------
    >>> stands = Stands()
    >>> states = (("accepted", 0.0), ("partial", 2.0), ("accepted", 0.0), ("filled", 3.0),
    ...     ("partial", 2.0))
    >>> [stands.news(OrderStatus("o", "X", 1, state, units)) for state, units in states]
    [True, True, False, True, False]
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], float] = {}
        self._ended: dict[tuple[str, str], None] = {}

    def news(self, status: OrderStatus) -> bool:
        """Whether a state is none that is older than one told; it is noted as told then."""
        key = (status.symbol, status.venue_id)
        if key in self._ended or abs(status.units) < self._open.get(key, 0.0):
            return False
        self._open[key] = abs(status.units)
        if status.final:
            del self._open[key]
            self._ended[key] = None
            if len(self._ended) > _ENDS:
                del self._ended[next(iter(self._ended))]
        return True
