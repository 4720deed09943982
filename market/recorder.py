"""A live stream on its way into the tick store: held for a moment, then on the disk for good."""

from __future__ import annotations

from collections.abc import Sequence

from market.errors import DataError
from market.events import FeedGap, MarketEvent, Trade
from market.rows import KIND_OF, KINDS
from market.series import BadRow, Series
from market.store import TickStore

__all__ = ["Recorder"]


class Recorder:
    """Takes one symbol's events, of any kinds, and stores them when told to.

    What a crash loses is what came since the last :meth:`flush` that returned. An event that
    can't be stored (a price below 0, time running backwards, a contradiction of what is stored)
    goes into quarantine with its reason; the others are stored all the same.

    Parameters
    ----------
    store
        Where to.
    symbol
        The instrument.
    source
        Who tells the events, such as ``binance spot``.
    step
        Of the bars, nanoseconds; 0 where they are uneven.

    Attributes
    ----------
    stored
        Rows that were new to the store.
    refused
        Events put into quarantine.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from market.events import Tick
    >>> recorder = Recorder(TickStore(mkdtemp()), "R_75", "an example")
    >>> for time in (1, 2, 2):
    ...     recorder.take(Tick("R_75", time, 100.0))
    >>> recorder.flush(), recorder.refused
    (2, 1)
    """

    def __init__(self, store: TickStore, symbol: str, source: str, step: int = 0) -> None:
        self.stored = 0
        self.refused = 0
        self._store, self._symbol, self._source, self._step = store, symbol, source, step
        self._held: dict[str, list[MarketEvent]] = {}
        self._gaps: dict[str, FeedGap] = {}

    @property
    def held(self) -> int:
        """Events that are not on the disk yet."""
        held = (event for events in self._held.values() for event in events)
        return sum(not isinstance(event, FeedGap) for event in held)

    def take(self, event: MarketEvent) -> None:
        """Hold an event; a gap is of the kind it says, of every kind where it says ``prices``."""
        if isinstance(event, FeedGap):
            told = KINDS if event.stream == "prices" else (event.stream,)
            self._gaps.update(dict.fromkeys(told, event))
            return
        kind = KIND_OF[type(event)]
        held = self._held.setdefault(kind, [])
        gap = self._gaps.pop(kind, None)
        # At once: a flush in another thread must not take a gap without the event behind it.
        held.extend((event,) if gap is None else (gap, event))

    def flush(self, ended: bool = False) -> int:
        """Put what is held on the disk, and return how many rows were new there.

        Parameters
        ----------
        ended
            Whether nothing comes any more. Else trades without numbers stay held while another
            of the same instant may come: apart, equal ones could not be told from doubles.

        Raises
        ------
        DataError
            The disk is full, or gone; all is still held.
        """
        added = 0
        for kind, events in list(self._held.items()):
            # Whoever takes events may add some meanwhile: they wait for the next flush.
            ready = len(events)
            if kind == "trades" and not ended:
                ready = _complete(events[:ready])
            if ready:
                added += self._store_events(kind, events[:ready])
                # Not before: what could not be written stays held.
                del events[:ready]
        self.stored += added
        return added

    def _store_events(self, kind: str, events: Sequence[MarketEvent]) -> int:
        step = self._step if kind == "bars" else None
        refused: list[BadRow] = []
        series: Series | None
        try:
            series = Series.from_events(self._symbol, events, step)
        except DataError:
            good = self._sifted(kind, events, refused)
            series = Series.from_events(self._symbol, good, step) if good else None
        added = 0
        if series is not None:
            added = self._store.append(series, self._source, keep_first=True, live=True)
        if refused:
            self._store.set_aside(self._symbol, refused)
            self.refused += len(refused)
        return added

    def _sifted(
        self, kind: str, events: Sequence[MarketEvent], refused: list[BadRow]
    ) -> list[MarketEvent]:
        """Return the events that make a series, and put the others among the refused."""
        good: list[MarketEvent] = []
        last: MarketEvent | None = None
        for event in events:
            if isinstance(event, FeedGap):
                good.append(event)
                continue
            try:
                Series.from_events(self._symbol, [event], 0)
                if last is not None:
                    Series.from_events(self._symbol, [last, event], 0)
            except DataError as error:
                where = f"{self._source} at {event.time}"
                refused.append(BadRow(where, str(error), repr(event)))
                continue
            good.append(event)
            last = event
        while good and isinstance(good[-1], FeedGap):
            good.pop()
        return good


def _complete(events: Sequence[MarketEvent]) -> int:
    """Return how many trades from the first on no later one can belong to."""
    if not events:
        return 0
    last = events[-1]
    if isinstance(last, FeedGap) or (isinstance(last, Trade) and last.id >= 0):
        return len(events)
    ready = len(events)
    while ready and events[ready - 1].time == last.time:
        ready -= 1
    return ready
