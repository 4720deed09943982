"""What a trader was told beside its own events, so that a restart takes nothing twice."""

from __future__ import annotations

from market.errors import DataError
from market.events import BookUpdate, MarketEvent, Trade

__all__ = ["Seen", "stream_of"]


def stream_of(event: MarketEvent, peer: str) -> str:
    """Return whose event it is: ``prices`` (decided on), ``trades``, ``book`` or ``peer``."""
    if isinstance(event, Trade):
        return "trades"
    if isinstance(event, BookUpdate):
        return "book"
    if event.symbol == peer:
        return "peer"
    return getattr(event, "stream", "prices")


class Seen:
    """How far each stream was taken: the time of its last event, and how many it had of that time.

    A feed that is started again tells what came after the symbol's own last event. What of it was
    taken already is in the columns' memory; the same stream tells it again in the same order, so
    that time and number recognise it.

    Examples
    --------
    >>> seen = Seen()
    >>> [seen.takes("trades", time) for time in (5, 5)]
    [True, True]
    >>> again = Seen(seen.state)
    >>> [again.takes("trades", time) for time in (4, 5, 5, 5, 6)]
    [False, False, False, True, True]
    """

    def __init__(self, state: dict[str, tuple[int, int]] | None = None) -> None:
        self._before = dict(state or {})
        self._now: dict[str, tuple[int, int]] = {}

    @property
    def state(self) -> dict[str, tuple[int, int]]:
        """How far each stream was taken, for a :class:`Seen` that goes on."""
        streams = self._before.keys() | self._now.keys()
        nothing = (-1, 0)
        return {
            one: max(self._before.get(one, nothing), self._now.get(one, nothing))
            for one in sorted(streams)
        }

    def takes(self, stream: str, time: int) -> bool:
        """Take note of an event; return whether it is new.

        Raises
        ------
        DataError
            It is earlier than the one before it.
        """
        last, count = self._now.get(stream, (-1, 0))
        if time < last:
            raise DataError(
                f"{stream}: time must not decrease, event at {time} after {last}", reason="time"
            )
        self._now[stream] = (time, count + 1 if time == last else 1)
        return self._now[stream] > self._before.get(stream, (-1, 0))

    def forget(self, stream: str) -> None:
        """Take a stream for new."""
        self._before.pop(stream, None)
        self._now.pop(stream, None)
