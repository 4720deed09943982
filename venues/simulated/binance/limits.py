"""Request weights by address: 429 above the limit, 418 for who goes on, and refusals on purpose."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable

from venues.simulated.binance.config import Limits
from venues.simulated.binance.refusal import Refusal

__all__ = ["Connections", "Weights"]

_MINUTE = 60.0


class Weights:
    """The weight each address used within the minute; real time.

    Parameters
    ----------
    limit
        Weight a minute.
    limits
        When 429 turns into a ban, and for how long.
    clock
        Monotonic real seconds.
    venue_ms
        Milliseconds of the venue's clock, for the venue's words.
    """

    def __init__(
        self,
        limit: int,
        limits: Limits,
        clock: Callable[[], float],
        venue_ms: Callable[[], int],
    ) -> None:
        self._limit, self._limits = limit, limits
        self._clock, self._venue_ms = clock, venue_ms
        self._minute = 0
        self._used: defaultdict[str, int] = defaultdict(int)
        self._over: defaultdict[str, int] = defaultdict(int)
        self._banned: dict[str, float] = {}
        self._busy_until = self._ban_until = 0.0

    def refuse_all(self, status: int, seconds: float) -> None:
        """Answer every call with 429 or 418 for real ``seconds``."""
        if status == 429:
            self._busy_until = self._clock() + seconds
        else:
            self._ban_until = self._clock() + seconds

    def count(self, address: str, weight: int) -> int:
        """Count a call; return the weight used so far, or raise 429 or 418."""
        now = self._clock()
        minute = int(now // _MINUTE)
        if minute != self._minute:
            self._minute = minute
            self._used.clear()
            self._over.clear()
        banned = max(self._banned.get(address, 0.0), self._ban_until)
        if now < banned:
            raise self._ban(banned - now, self._used[address])
        if now < self._busy_until:
            raise self._too_many(self._busy_until - now, self._used[address])
        self._used[address] += weight
        used = self._used[address]
        if used <= self._limit:
            return used
        self._over[address] += 1
        if self._over[address] > self._limits.ban_after:
            self._banned[address] = now + self._limits.ban_seconds
            raise self._ban(self._limits.ban_seconds, used)
        raise self._too_many((minute + 1) * _MINUTE - now, used)

    def _too_many(self, seconds: float, used: int) -> Refusal:
        text = (
            f"Too much request weight used; current limit is {self._limit} request weight per "
            "1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API."
        )
        return Refusal(-1003, text, 429, _headers(seconds, used))

    def _ban(self, seconds: float, used: int) -> Refusal:
        until = self._venue_ms() + math.ceil(1000 * seconds)
        text = (
            f"Way too much request weight used; IP banned until {until}. Please use WebSocket "
            "Streams for live updates to avoid bans."
        )
        return Refusal(-1003, text, 418, _headers(seconds, used))


def _headers(seconds: float, used: int) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(seconds)), "X-MBX-USED-WEIGHT-1M": str(used)}


class Connections:
    """How many sockets each address opened within five real minutes.

    Parameters
    ----------
    limit
        So many are let in.
    clock
        Monotonic real seconds.
    """

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit, self._clock = limit, clock
        self._opened: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, address: str) -> bool:
        """Count an attempt; return whether it is let in."""
        now, opened = self._clock(), self._opened[address]
        while opened and now - opened[0] >= 300.0:
            opened.popleft()
        opened.append(now)
        return len(opened) <= self._limit
