"""Settling: the labels of decisions as they become known, event by event."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np

from features.labels.classes import NONE
from features.labels.config import LabelConfig
from features.labels.highlow import HighLow
from features.labels.labelling import label
from market.errors import DataError, SchemaMismatch, StateError
from market.execution import Costs
from market.tape import BUY_VOLUME, Tape

__all__ = ["Settled", "Settling"]

_SLACK = 1e-9
"""How much nearer than computed a price may lie that settles something: rounding is far less."""

_NEVER = 2**62

_WIDTH = BUY_VOLUME + 1


class Settled(NamedTuple):
    """What came of a decision.

    Parameters
    ----------
    time
        Of the decision, nanoseconds.
    label
        Its class; ``NONE`` where nobody can know any more.
    events
        How many events after the decision it was settled; 0 where it is ``NONE``, as a batch label
        ends at the decision's own event there.
    """

    time: int
    label: int
    events: int


class _Open(msgspec.Struct):
    """A decision that waits: its event, volatility, the next event that must settle something."""

    row: int
    time: int
    volatility: float
    due: int
    upper: float = math.inf
    lower: float = -math.inf


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a settling remembers, for a snapshot."""

    settings: bytes
    count: int
    times: bytes
    values: bytes
    waiting: tuple[_Open, ...]


class Settling:
    """Labels decisions while the events come in, with the batch labels' own code.

    Told every event and every decision, it says of each decision, on the very event that settles
    it, what :func:`~features.labels.labelling.label` says of it on the whole recording. It keeps
    the events since the oldest decision that waits, and asks :func:`label` about a decision only
    where the price has left the range in which nothing can be settled, and at the horizon.

    Parameters
    ----------
    labels
        Which labels.
    costs
        What a trade costs, of which barriers are net; by default nothing.

    Notes
    -----
    A trade's fate, and whether a price was reached, changes only where a high or a low is further
    out than all since the decision, and at its horizon. So a decision that was looked at in vain
    is left alone until the next such high or low.

    Examples
    --------
    >>> settling = Settling(LabelConfig(horizon=2))
    >>> for time, price in enumerate([100.0, 101.0, 102.0, 103.0], start=1):
    ...     for one in settling.event(time, price, price, price, price):
    ...         print(one)
    ...     settling.decide(volatility=0.01)
    Settled(time=1, label=2, events=2)
    Settled(time=2, label=2, events=2)
    >>> settling.event(9, 99.0, 99.0, 99.0, 99.0, fresh=True)
    (Settled(time=3, label=-1, events=0), Settled(time=4, label=-1, events=0))
    """

    def __init__(self, labels: LabelConfig, costs: Costs | None = None) -> None:
        self.labels = labels
        self.costs = costs or Costs()
        names = [HighLow.parse(one) for one in labels.names] if labels.kind == "highlow" else []
        self._horizons = sorted({one.horizon for one in names} or {labels.horizon})
        nearest = min((one.threshold for one in names), default=0.0)
        self._near = nearest * (min(1.0, labels.tolerance) if labels.rule == "first" else 1.0)
        self._room = 2 * labels.horizon + 64
        self._tape = self._blank()
        # through memory views: a third of the time of writing into the arrays
        self._when = self._tape.times.data.cast("B").cast("q")
        self._flat = self._tape.values.data.cast("B").cast("d")
        self._now = self._tape.fresh.data.cast("B").cast("?")
        self._count = 0  # events so far
        self._shift = 0  # the event that stands in the arrays' first row
        self._last = 0
        self._waiting: list[_Open] = []
        self._entering: _Open | None = None
        # the narrowest range of all that waits, and the first event at which something is due
        self._upper, self._lower, self._due = math.inf, -math.inf, _NEVER

    @property
    def waiting(self) -> int:
        """How many decisions are not settled yet."""
        return len(self._waiting)

    def decide(self, volatility: float) -> None:
        """Take note of a decision made on the latest event.

        Parameters
        ----------
        volatility
            Of log returns, per event, at the decision; nan where unknown.

        Raises
        ------
        StateError
            There was no event yet, or a decision was made on it already.
        """
        row = self._count - 1
        if row < 0 or (self._waiting and self._waiting[-1].row == row):
            why = "before the first event" if row < 0 else f"twice on the event of {self._last}"
            raise StateError(f"decided {why}; tell each event once, then its decision")
        one = _Open(row, self._last, volatility, row + self._horizons[0])
        self._waiting.append(one)
        if self.labels.kind == "barrier":
            self._entering = one  # its range stands around the open of the next event
        elif self.labels.kind == "highlow":
            price = self._flat[(row - self._shift) * _WIDTH + 3]
            one.upper = price * (1.0 + self._near) * (1.0 - _SLACK)
            one.lower = price * (1.0 - self._near) * (1.0 + _SLACK)
        self._tighten(one)

    def event(
        self, time: int, open: float, high: float, low: float, close: float, fresh: bool = False
    ) -> tuple[Settled, ...]:
        """Take the next event and return what it settles, the earliest decision first.

        Parameters
        ----------
        time
            Nanoseconds, later than the event before.
        open, high, low, close
            Of the bar; of a tick all are its price.
        fresh
            The event follows a gap: all decisions that wait become unknown.

        Raises
        ------
        DataError
            Time does not increase, or prices are not positive and finite.
        """
        if time <= self._last and self._count:
            raise DataError(f"time must increase, was {time} after {self._last}", reason="time")
        if not 0.0 < low <= high < math.inf:
            raise DataError(
                f"prices must be positive and finite, were high {high} and low {low}",
                reason="price",
            )
        gone: tuple[Settled, ...] = ()
        if fresh and self._waiting:
            gone = tuple(Settled(one.time, NONE, 0) for one in self._waiting)
            self._waiting.clear()
            self._entering = None
            self._bound()
        row = self._count
        at = row - self._shift
        if at == self._room:
            at = self._make_room()
        self._now[at], self._now[at + 1] = False, True
        self._when[at] = time
        flat, k = self._flat, at * _WIDTH
        flat[k], flat[k + 1], flat[k + 2], flat[k + 3] = open, high, low, close
        self._count, self._last = row + 1, time
        if self._entering is not None:
            self._enter(open)
        if high >= self._upper or low <= self._lower or row >= self._due:
            return gone + self._settle(row, high, low)
        return gone

    def snapshot(self) -> bytes:
        """Return all that is remembered."""
        first = self._waiting[0].row if self._waiting else max(self._count - 1, 0)
        part = slice(first - self._shift, self._count - self._shift)
        state = _State(
            self._settings(),
            self._count,
            self._tape.times[part].tobytes(),
            self._tape.values[part].tobytes(),
            tuple(self._waiting),
        )
        return msgspec.msgpack.encode(state)

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot as if there had been no break.

        Raises
        ------
        StateError
            It isn't a snapshot of a settling.
        SchemaMismatch
            It is one of other labels or costs.
        """
        try:
            old = msgspec.msgpack.decode(state, type=_State)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(f"not a snapshot of labels that wait ({error}); start anew") from error
        if old.settings != self._settings():
            raise SchemaMismatch(
                f"labels that wait are of {old.settings.decode()}, these are "
                f"{self._settings().decode()}; start anew or restore the settings"
            )
        times = np.frombuffer(old.times, np.int64)
        n = len(times)
        self._tape.times[:n] = times
        self._tape.values[:n] = np.frombuffer(old.values).reshape(n, _WIDTH)
        self._tape.fresh[:] = False
        self._now[n] = True
        self._count, self._shift = old.count, old.count - n
        self._last = int(times[-1]) if n else 0
        self._waiting = list(old.waiting)
        latest = self._waiting[-1] if self._waiting else None
        enters = self.labels.kind == "barrier" and latest and latest.row == self._count - 1
        self._entering = latest if enters else None
        self._bound()

    def _settings(self) -> bytes:
        return f"{self.labels.model_dump_json()} {self.costs.model_dump_json()}".encode()

    def _blank(self) -> Tape:
        """Return the tape whose rows are written over and over.

        A gap ends all that waits, so none lies among the events that are kept; behind the latest
        event, what is left of earlier ones is set off by the mark of a gap. So labels may be asked
        for on this one tape without building one for each question, which takes as long.
        """
        n = self._room + 1
        values = np.full((n, _WIDTH), np.nan)
        values[:, :4] = 1.0
        return Tape("", True, np.arange(n), values, np.zeros(n, np.bool_))

    def _make_room(self) -> int:
        """Forget the events before the oldest decision that waits."""
        first = self._waiting[0].row if self._waiting else self._count - 1
        start = first - self._shift
        kept = self._room - start
        tape = self._tape
        tape.times[:kept] = tape.times[start : self._room].copy()
        tape.values[:kept] = tape.values[start : self._room].copy()
        tape.fresh[:] = False
        self._shift = first
        return kept

    def _enter(self, price: float) -> None:
        """Set the range of the decision whose trades are entered at ``price``."""
        one, labels = self._entering, self.labels
        self._entering = None
        if one is None or not math.isfinite(one.volatility):
            return
        # costs move targets outwards only; of stop and target the nearer is reached first
        noise = one.volatility * math.sqrt(labels.horizon) * min(labels.target, labels.stop)
        reach = math.exp(min(noise, 700.0))
        one.upper = price * reach * (1.0 - _SLACK)
        one.lower = price / reach * (1.0 + _SLACK)
        self._tighten(one)

    def _settle(self, row: int, high: float, low: float) -> tuple[Settled, ...]:
        """Ask of the decisions that may be settled."""
        asked = [
            one for one in self._waiting if high >= one.upper or low <= one.lower or row >= one.due
        ]
        shift = self._shift
        rows = np.array([one.row - shift for one in asked])
        noise = np.array([one.volatility for one in asked])
        labels, ends = label(self.labels, self._tape, rows, noise, self.costs)
        found: list[Settled] = []
        over = set()
        for one, its, end in zip(asked, labels.tolist(), ends.tolist(), strict=True):
            if its != NONE or row >= one.row + self.labels.horizon:
                found.append(Settled(one.time, its, shift + end - one.row))
                over.add(one.row)
                continue
            if high >= one.upper:
                one.upper = math.nextafter(high, math.inf)
            if low <= one.lower:
                one.lower = math.nextafter(low, -math.inf)
            if row >= one.due:
                one.due = one.row + next(h for h in self._horizons if one.row + h > row)
        if over:
            self._waiting = [one for one in self._waiting if one.row not in over]
        self._bound()
        return tuple(found)

    def _tighten(self, one: _Open) -> None:
        self._upper = min(self._upper, one.upper)
        self._lower = max(self._lower, one.lower)
        self._due = min(self._due, one.due)

    def _bound(self) -> None:
        self._upper = min((one.upper for one in self._waiting), default=math.inf)
        self._lower = max((one.lower for one in self._waiting), default=-math.inf)
        self._due = min((one.due for one in self._waiting), default=_NEVER)
