"""Binance's limits: how much may be asked, and when nothing may be asked at all.

They hold for an address, so everything that talks to the venue from one process should share one
:class:`Limits`. What others behind the same address use is known from the venue's answers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic

import numpy as np

from market.errors import ConfigError, VenueRejected
from venues.binance.config import BinanceConfig
from venues.outage import host_of
from venues.retry import Patience, Retry

__all__ = ["BANNED", "PATIENCE", "Limits", "Pace", "Weights"]

BANNED = "418"
"""Code of the error that says the venue has shut us out for a time."""

PATIENCE = Patience(
    passing=frozenset({"-1000", "-1001", "-1006", "-1007", "-1008", "-1016", "-1034"}),
    waiting=frozenset({BANNED, "429", "-1003"}),
)
"""Refusals worth another attempt."""

_MINUTE = 60.0
_WEIGHTS = {"spot": 6000, "usdm": 2400}
_UNSAID = 60.0
"""Seconds to keep quiet for if the venue says that, but not how long."""


class Pace:
    """At most ``count`` in any ``seconds``; who is too early waits.

    Parameters
    ----------
    count, seconds
        The limit.
    clock
        Monotonic seconds.
    """

    def __init__(self, count: int, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._count = count
        self._seconds = seconds
        self._clock = clock
        self._taken: deque[float] = deque()

    @property
    def wait(self) -> float:
        """Seconds until the next one may go; 0 if it may go now."""
        if len(self._taken) < self._count:
            return 0.0
        return max(0.0, self._taken[-self._count] + self._seconds - self._clock())

    async def take(self) -> None:
        """Wait until one more may go, and count it."""
        while (wait := self.wait) > 0.0:  # noqa: ASYNC110 (time passes, no event tells)
            await asyncio.sleep(wait)
        self._taken.append(self._clock())
        while len(self._taken) > self._count:
            self._taken.popleft()


class Weights:
    """The weight of requests in the current minute.

    The venue counts by its own minute and tells the count with each answer; between answers we
    add what we ask for. A minute is over for us 60 s after its first request, or when the venue's
    count has fallen.

    Parameters
    ----------
    limit
        Weight a minute until the venue has told its own.
    share
        Share of it that is ours.
    clock
        Monotonic seconds.

    Attributes
    ----------
    used
        Weight used in this minute, by everyone behind the address as far as it is known.
    """

    def __init__(self, limit: int, share: float, clock: Callable[[], float] = monotonic) -> None:
        self.used = 0
        self._told = 0
        self._limit = limit
        self._share = share
        self._clock = clock
        self._began = clock()

    @property
    def allowed(self) -> int:
        """Weight that may be used in a minute."""
        return int(self._limit * self._share)

    def learn(self, limit: int) -> None:
        """Take the limit from the venue (``exchangeInfo``)."""
        self._limit = limit

    def read(self, used: int) -> None:
        """Take the venue's own count."""
        if used < self._told:
            self.used, self._began = used, self._clock()
        # What is on its way counts for us already, for the venue not yet.
        self.used = max(self.used, used)
        self._told = used

    async def take(self, weight: int) -> None:
        """Wait until ``weight`` may be used, and count it.

        Raises
        ------
        ConfigError
            It is more than may be used in a whole minute.
        """
        if weight > self.allowed:
            raise ConfigError(
                f"must allow a request of {weight}, allows {self.allowed} a minute; raise it",
                key="weight_share",
            )
        while True:
            left = self._began + _MINUTE - self._clock()
            if left <= 0.0:
                self.used, self._told, self._began = 0, 0, self._clock()
            if self.used + weight <= self.allowed:
                self.used += weight
                return
            await asyncio.sleep(left)


class Limits:
    """All limits of one address.

    Parameters
    ----------
    config
        Which market's, and how much of them is ours.
    clock
        Monotonic seconds.
    """

    def __init__(self, config: BinanceConfig, clock: Callable[[], float] = monotonic) -> None:
        self.weights = Weights(_WEIGHTS[config.market], config.weight_share, clock)
        self.connections = Pace(config.connections, 5 * _MINUTE, clock)
        self._clock = clock
        self._quiet_until = 0.0
        self._banned_until = 0.0

    @property
    def left(self) -> float:
        """Seconds for which the venue wants to hear nothing from us; 0 if it does not mind."""
        return max(0.0, max(self._quiet_until, self._banned_until) - self._clock())

    def retry(
        self, config: BinanceConfig, rng: np.random.Generator, who: str = "a client"
    ) -> Retry:
        """Return a count of failures whose waits are never shorter than the venue asks for."""
        venue = f"binance {config.market} at {host_of(config.rest_url)}"
        return Retry(config, rng, PATIENCE, lambda: self.left, venue, who)

    def check(self) -> None:
        """Refuse to ask anything while we are banned.

        Raises
        ------
        VenueRejected
            Code :data:`BANNED`; the text says how long it lasts. Asking all the same would
            prolong it.
        """
        left = self._banned_until - self._clock()
        if left > 0.0:
            raise VenueRejected(
                BANNED,
                f"Binance has banned this address for another {left:.0f} s because limits were "
                "not kept; nothing is sent until then. Lower weight_share if this comes again",
            )

    async def ready(self, weight: int) -> None:
        """Wait until a request of ``weight`` may be sent; raises as :meth:`check`."""
        self.check()
        while (quiet := self._quiet_until - self._clock()) > 0.0:  # noqa: ASYNC110
            await asyncio.sleep(quiet)
        await self.weights.take(weight)
        self.check()

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer: the weight used, a request to be quiet (429), a ban (418)."""
        used = headers.get("X-MBX-USED-WEIGHT-1M", "")
        if used.isascii() and used.isdigit() and len(used) < 12:
            self.weights.read(int(used))
        if status not in (418, 429):
            return
        said = headers.get("Retry-After", "")
        seconds = float(said) if said.isascii() and said.isdigit() and len(said) < 9 else _UNSAID
        until = self._clock() + seconds
        if status == 418:
            self._banned_until = max(self._banned_until, until)
        else:
            self._quiet_until = max(self._quiet_until, until)
