"""Deriv's rate limits, kept on our side: a call waits rather than be refused."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from time import monotonic

from market.errors import DataError
from venues.deriv.fields import Frame, body
from venues.retry import Patience

__all__ = ["DEFAULTS", "PATIENCE", "Limiter", "category", "decode_limits"]

DEFAULTS: Mapping[str, tuple[int, int]] = {
    "general": (180, 14_400),
    "pricing": (80, 3_600),
    "outcome": (25, 1_500),
}
"""Calls a minute and an hour of each category, until the venue has said more: the lowest seen."""

PATIENCE = Patience(
    passing=frozenset(
        {"CallError", "DisconnectError", "InternalServerError", "InvalidStartEnd",
         "MarketIsClosed", "WrongResponse"}
    ),
    waiting=frozenset({"RateLimit"}),
)  # fmt: skip
"""Refusals worth another attempt. ``InvalidStartEnd``: a server a tick behind."""

_CALLS = {
    "proposal": "pricing",
    "proposal_open_contract": "pricing",
    "portfolio": "outcome",
    "statement": "outcome",
    "profit_table": "outcome",
}
_FREE = frozenset({"ping", "time"})
_NAMES = {
    "general": "max_requestes_general",  # the venue's own spelling
    "pricing": "max_requests_pricing",
    "outcome": "max_requests_outcome",
}
_MARGIN = 0.25
"""Real seconds by which the venue's clock of a window may trail ours."""


def category(call: str) -> str | None:
    """Return the limit that counts a call; ``None`` where none does.

    Examples
    --------
    >>> category("proposal"), category("ticks_history"), category("ping")
    ('pricing', 'general', None)
    """
    return None if call in _FREE else _CALLS.get(call, "general")


def decode_limits(frame: Frame) -> dict[str, tuple[int, int]]:
    """Return calls a minute and an hour by category, from a ``website_status`` frame.

    Raises
    ------
    DataError
        The frame holds no limits, or one that is no positive number.
    """
    limits = body(body(frame, "website_status"), "api_call_limits")
    found = {}
    for kind, name in _NAMES.items():
        entry = body(limits, name)
        found[kind] = (_calls(name, entry.get("minutely")), _calls(name, entry.get("hourly")))
    return found


def _calls(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**9:
        raise DataError(f"{name} must be a positive number of calls, was {value!r:.80}")
    return value


class Limiter:
    """Counts calls over all connections that share it, and lets each go when it may.

    Parameters
    ----------
    clock
        Monotonic real seconds: limits are about the network, not the market.

    Attributes
    ----------
    learned
        Whether the venue has told its own limits.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.learned = False
        self._clock = clock
        self._limits = dict(DEFAULTS)
        self._calls: dict[str, deque[float]] = {kind: deque() for kind in DEFAULTS}
        self._shut: dict[str, float] = {}
        self._refusals: dict[str, int] = {}

    def learn(self, limits: Mapping[str, tuple[int, int]]) -> None:
        """Take the venue's limits; raises nothing, an unknown category is passed over."""
        self._limits.update({kind: limits[kind] for kind in self._limits if kind in limits})
        self.learned = True

    def wait(self, call: str) -> float:
        """Return the real seconds until ``call`` may go; 0 if at once."""
        kind = category(call)
        if kind is None:
            return 0.0
        now, calls = self._clock(), self._calls[kind]
        while calls and now - calls[0] >= 3600.0 + _MARGIN:
            calls.popleft()
        least = self._shut.get(kind, now) - now
        for most, window in zip(self._limits[kind], (60.0, 3600.0), strict=True):
            if len(calls) >= most:
                least = max(least, calls[-most] + window + _MARGIN - now)
        return max(least, 0.0)

    async def admit(self, call: str) -> None:
        """Wait until ``call`` may go, and count it."""
        # Another may have gone while this one slept.
        while (seconds := self.wait(call)) > 0.0:  # noqa: ASYNC110 - time itself is waited for
            await asyncio.sleep(seconds)
        kind = category(call)
        if kind is not None:
            self._calls[kind].append(self._clock())

    def refused(self, call: str, first: float, most: float) -> None:
        """Hear of a refusal all the same: the category rests, longer with each in a row.

        ``first`` real seconds, doubled with each further one up to ``most``.
        """
        kind = category(call)
        if kind is not None:
            count = self._refusals.get(kind, 0)
            self._refusals[kind] = count + 1
            rest = min(most, first * 2.0 ** min(count, 40))
            self._shut[kind] = max(self._shut.get(kind, 0.0), self._clock() + rest)

    def passed(self, call: str) -> None:
        """Hear of a call that was answered."""
        self._refusals.pop(category(call) or "", None)
