"""A venue that is lost is told once, however many streams lose it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from urllib.parse import urlsplit

from market.errors import VenueError

__all__ = ["Outage", "host_of", "outage_of"]

_AGAIN = 30.0
"""Real seconds from one telling of a loss to the next."""

_log = logging.getLogger(__name__)
_known: dict[str, Outage] = {}


@dataclass
class Outage:
    """Who waits for one venue, told when it is lost, every half minute, and when it is back.

    Parameters
    ----------
    venue
        Its name and host, such as ``deriv at 127.0.0.1:9``.
    clock
        Monotonic real seconds.
    waiting
        Who has lost it and not got it back: symbols or streams.
    """

    venue: str
    clock: Callable[[], float] = monotonic
    waiting: set[str] = field(default_factory=set)
    _told: float = -inf
    _open: bool = False

    def lost(self, who: str, error: VenueError) -> None:
        """Note that ``who`` has lost the venue; it is told unless that was told of late."""
        self.waiting.add(who)
        now = self.clock()
        if now - self._told < _AGAIN:
            return
        others = f" and {len(self.waiting) - 1} more" if len(self.waiting) > 1 else ""
        _log.warning(
            "%s is lost to %s%s (%s); it is tried again until it is there: check the network, and "
            "the address in the settings",
            self.venue,
            who,
            others,
            error,
        )
        self._told, self._open = now, True

    def back(self, who: str) -> None:
        """Note that ``who`` has the venue again, or waits no more."""
        self.waiting.discard(who)
        if self._open and not self.waiting:
            self._open = False
            _log.warning("%s is back", self.venue)


def outage_of(venue: str) -> Outage:
    """Return the account of a venue that all streams of this process share."""
    return _known.setdefault(venue, Outage(venue))


def host_of(address: str) -> str:
    """Return host and port of an address, without a name or a password in it.

    Examples
    --------
    >>> host_of("wss://user:secret@ws.example.com:443/v3?app_id=1")
    'ws.example.com:443'
    """
    return urlsplit(address).netloc.rpartition("@")[2]
