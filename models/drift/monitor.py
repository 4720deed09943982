"""The errors' drift: an alarm where a model's losses are no longer what they were."""

from __future__ import annotations

import math

import msgspec

from market.errors import StateError
from models.drift.adwin import Adwin
from models.drift.config import DriftConfig

__all__ = ["Alarm", "DriftMonitor"]


class Alarm(msgspec.Struct, frozen=True):
    """The mean loss has changed.

    Parameters
    ----------
    losses
        How many had been seen.
    before, after
        Mean loss of those that were dropped, and of those that are kept; nats, capped.
    since
        How many losses ago it changed, as far as that can be told: the buckets' resolution.
    """

    losses: int
    before: float
    after: float
    since: int

    @property
    def worse(self) -> bool:
        """Whether the losses rose."""
        return self.after > self.before


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seen: int
    partial: float
    held: int
    adwin: bytes


class DriftMonitor:
    """ADWIN on the losses of settled decisions.

    Labels of decisions that follow one another share most of their events, and so do their losses
    share most of their noise. So ADWIN is given the mean of each ``overlap`` losses in a row,
    times the root of that number: a series with nearly the scale of the single losses and nearly
    without memory.

    Parameters
    ----------
    config
        How sure an alarm must be.
    overlap
        How many decisions' labels overlap: horizon over events per decision, at least 1.

    Examples
    --------
    >>> monitor = DriftMonitor(DriftConfig())
    >>> alarms = [monitor.update(0.9 if i < 500 else 2.1) for i in range(700)]
    >>> (alarm,) = (alarm for alarm in alarms if alarm)
    >>> alarm.losses, round(alarm.before, 2), round(alarm.after, 2), alarm.since
    (512, 0.9, 1.62, 20)
    """

    def __init__(self, config: DriftConfig, overlap: float = 1.0) -> None:
        self.config = config
        self.overlap = max(1, math.ceil(overlap))
        # a check for each block of losses comes to as many losses as the clock or more
        self._adwin = Adwin(config.delta, max(1, config.clock // self.overlap))
        self._scale = math.sqrt(self.overlap)
        self._seen = 0
        self._partial = 0.0
        self._held = 0

    @property
    def mean(self) -> float:
        """Mean loss since the last change; nan before the first."""
        return self._adwin.mean / self._scale

    def update(self, loss: float) -> Alarm | None:
        """Take the loss of the decision that was settled last.

        Parameters
        ----------
        loss
            Minus the log of the probability of what happened, nats; not nan.
        """
        self._seen += 1
        self._partial += min(loss, self.config.cap)
        self._held += 1
        if self._held < self.overlap:
            return None
        value = self._partial / self._held * self._scale
        self._partial, self._held = 0.0, 0
        adwin = self._adwin
        if not adwin.update(value):
            return None
        return Alarm(
            self._seen,
            adwin.dropped[1] / self._scale,
            adwin.mean / self._scale,
            adwin.width * self.overlap,
        )

    def snapshot(self) -> bytes:
        """Return all that is remembered."""
        return msgspec.msgpack.encode(
            _State(self._seen, self._partial, self._held, self._adwin.snapshot())
        )

    def restore(self, state: bytes) -> None:
        """Go on from a snapshot as if there had been no break."""
        try:
            old = msgspec.msgpack.decode(state, type=_State)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateError(f"not a snapshot of drift ({error}); start anew") from error
        self._adwin.restore(old.adwin)
        self._seen, self._partial, self._held = old.seen, old.partial, old.held
