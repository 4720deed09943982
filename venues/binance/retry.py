"""What to do after a failure: wait and try again, or give up."""

from __future__ import annotations

import asyncio
import logging

import numpy as np

from market.errors import DataError, VenueError, VenueRejected
from venues.binance.config import BinanceConfig
from venues.binance.limits import BANNED, Limits

__all__ = ["PASSING", "REFUSALS", "Retry"]

WAITING = frozenset({BANNED, "429", "-1003"})
"""Refusals that ask for patience, however often."""

PASSING = WAITING | {"-1000", "-1001", "-1006", "-1007", "-1008", "-1016", "-1034"}
"""Refusals that another attempt may not meet."""

REFUSALS = 6
"""Attempts in a row that may end in a passing refusal or in malformed data before we give up."""

_log = logging.getLogger(__name__)


class Retry:
    """Counts failures in a row, and waits longer after each.

    Parameters
    ----------
    config
        The bounds of the wait.
    limits
        A wait is never shorter than the venue asks for.
    rng
        Shortens each wait by up to half, so that many clients don't come back in one moment.
    """

    def __init__(self, config: BinanceConfig, limits: Limits, rng: np.random.Generator) -> None:
        self._config = config
        self._limits = limits
        self._rng = rng
        self.failures = 0
        self._refusals = 0

    def succeeded(self) -> None:
        """Forget the failures so far."""
        self.failures = self._refusals = 0

    def failed(self, error: VenueError | DataError) -> None:
        """Count a failure; raises ``error`` if another attempt is not worth it."""
        self.failures += 1
        code = error.code if isinstance(error, VenueRejected) else None
        if code is not None and code not in PASSING:
            raise error
        if isinstance(error, VenueRejected | DataError) and code not in WAITING:
            self._refusals += 1
            if self._refusals >= REFUSALS:
                raise error
        _log.warning("%s; attempt %d follows", error, self.failures + 1)

    def seconds(self) -> float:
        """Draw the wait before the next attempt."""
        # A bounded exponent: floats overflow on a line that is down for a day.
        doubled = self._config.backoff_first * 2.0 ** min(self.failures - 1, 40)
        drawn = float(min(self._config.backoff_most, doubled) * self._rng.uniform(0.5, 1.0))
        return max(drawn, self._limits.left)

    async def pause(self, closing: asyncio.Event) -> None:
        """Wait; at once over when ``closing`` is set."""
        if not self.failures:
            return
        try:
            async with asyncio.timeout(self.seconds()):
                await closing.wait()
        except TimeoutError:
            return
