"""What to do after a venue's failure: wait and try again, or give up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from market.errors import DataError, VenueError, VenueRejected, VenueUnreachable
from venues.outage import outage_of

__all__ = ["REFUSALS", "Backoff", "Patience", "Retry"]

REFUSALS = 6
"""Attempts in a row that may end in a passing refusal or in malformed data before we give up."""

_log = logging.getLogger(__name__)


class Backoff(Protocol):
    """The bounds of a wait, real seconds; a venue's settings have them."""

    @property
    def backoff_first(self) -> float:
        """The wait after the first failure."""
        ...

    @property
    def backoff_most(self) -> float:
        """The longest."""
        ...


@dataclass(frozen=True)
class Patience:
    """Which of a venue's refusals are worth another attempt, by their codes.

    Parameters
    ----------
    passing
        Another attempt may not meet them; :data:`REFUSALS` in a row are enough.
    waiting
        They ask for patience, however often.
    """

    passing: frozenset[str]
    waiting: frozenset[str]


class Retry:
    """Counts failures in a row, and waits longer after each.

    Parameters
    ----------
    config
        The bounds of the wait.
    rng
        Shortens each wait by up to half, so that many clients don't come back in one moment.
    patience
        Which refusals are worth another attempt; all others are raised.
    least
        Real seconds that a wait must last at least, asked anew for each; the bounds don't hold
        for it.
    venue, who
        Whom it is of and for whom, as it is told: ``deriv at ws.example.com`` and ``R_75``.
    """

    def __init__(
        self,
        config: Backoff,
        rng: np.random.Generator,
        patience: Patience,
        least: Callable[[], float] = lambda: 0.0,
        venue: str = "the venue",
        who: str = "a client",
    ) -> None:
        self._who = who
        self._outage = outage_of(venue)
        self._config = config
        self._rng = rng
        self._patience = patience
        self._least = least
        self.failures = 0
        self._refusals = 0

    def succeeded(self) -> None:
        """Forget the failures so far."""
        if self._outage.waiting:
            self._outage.back(self._who)
        self.failures = self._refusals = 0

    def failed(self, error: VenueError | DataError) -> None:
        """Count a failure; raises ``error`` if another attempt is not worth it."""
        self.failures += 1
        code = error.code if isinstance(error, VenueRejected) else None
        waiting = code in self._patience.waiting
        if code is not None and not waiting and code not in self._patience.passing:
            raise error
        if isinstance(error, VenueRejected | DataError) and not waiting:
            self._refusals += 1
            if self._refusals >= REFUSALS:
                raise error
        if isinstance(error, VenueUnreachable):
            self._outage.lost(self._who, error)
            return
        told = f"{self._outage.venue}, {self._who}"
        _log.warning("%s: %s; attempt %d follows", told, error, self.failures + 1)

    def seconds(self) -> float:
        """Draw the wait before the next attempt."""
        # A bounded exponent: floats overflow on a line that is down for a day.
        doubled = self._config.backoff_first * 2.0 ** min(self.failures - 1, 40)
        drawn = min(self._config.backoff_most, doubled) * self._rng.uniform(0.5, 1.0)
        return max(float(drawn), self._least())

    async def pause(self, closing: asyncio.Event) -> None:
        """Wait; at once over when ``closing`` is set."""
        if not self.failures:
            return
        try:
            async with asyncio.timeout(self.seconds()):
                await closing.wait()
        except TimeoutError:
            return
