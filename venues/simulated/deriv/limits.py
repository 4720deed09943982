"""How often a connection may call: the venue's categories, each by its spans of real time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.house import House

__all__ = ["FREE", "Limits", "Rates", "category", "v3_rates"]

Rates = Mapping[str, Mapping[float, int]]
"""Per category: in so many real seconds, at most so many calls."""

FREE = frozenset({"ping", "time"})
"""Calls that are not counted."""

_CATEGORIES = {
    "proposal": "pricing",
    "proposal_open_contract": "pricing",
    "portfolio": "outcome",
    "profit_table": "outcome",
    "statement": "outcome",
}


def category(call: str) -> str:
    """Return which limit a call counts against.

    Examples
    --------
    >>> category("buy"), category("proposal"), category("statement")
    ('general', 'pricing', 'outcome')
    """
    return _CATEGORIES.get(call, "general")


def v3_rates(calls_per_minute: int, house: House) -> Rates:
    """Return v3's three categories; the calls of an hour are so many times those of a minute."""
    pricing, outcome = house.pricing_per_minute, house.outcome_per_minute
    return {
        "general": {60.0: calls_per_minute, 3600.0: 80 * calls_per_minute},
        "pricing": {60.0: pricing, 3600.0: 45 * pricing},
        "outcome": {60.0: outcome, 3600.0: 60 * outcome},
    }


class Limits:
    """Counts one connection's calls.

    Parameters
    ----------
    rates
        What is allowed; a category that is not named counts as ``general``.
    clock
        Monotonic real seconds.
    """

    def __init__(self, rates: Rates, clock: Callable[[], float]) -> None:
        self._rates = rates
        self._clock = clock
        self._made: dict[tuple[str, float], deque[float]] = {
            (kind, span): deque() for kind, spans in rates.items() for span in spans
        }

    def count(self, call: str) -> None:
        """Count a call; one above a limit is not counted but raises :class:`Refusal`."""
        if call in FREE:
            return
        now, kind = self._clock(), category(call)
        if kind not in self._rates:
            kind = "general"
        for span, most in self._rates[kind].items():
            made = self._made[kind, span]
            while made and now - made[0] >= span:
                made.popleft()
            if len(made) >= most:
                raise Refusal("RateLimit", f"You have reached the rate limit for {call}.")
        for span in self._rates[kind]:
            self._made[kind, span].append(now)
