"""Circuit breakers: losses that stop the trading, with the reason in words."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from market.events import SECOND
from risk.config import BreakerConfig

__all__ = ["Breaker", "Condition"]

_DAY = 86_400 * SECOND


class Condition(StrEnum):
    """What may be done, from everything to nothing."""

    RUNNING = "RUNNING"
    REDUCE_ONLY = "REDUCE_ONLY"
    HALTED = "HALTED"

    @property
    def severity(self) -> int:
        """0 for ``RUNNING``, 2 for ``HALTED``."""
        return list(Condition).index(self)


class Breaker(msgspec.Struct):
    """Daily loss and drawdown of one equity.

    A daily loss holds until the first report of the next UTC day; a drawdown until ``reset``.

    Parameters
    ----------
    name
        Whose equity, for the reasons.
    day, day_open, peak
        Day number (UTC), equity at its first report, highest equity since the last reset.
    state, reason
        The verdict of the last ``update``.

    Examples
    --------
    >>> breaker = Breaker("R_75")
    >>> breaker.update(0, 1000.0, BreakerConfig())
    <Condition.RUNNING: 'RUNNING'>
    >>> breaker.update(1, 940.0, BreakerConfig())
    <Condition.REDUCE_ONLY: 'REDUCE_ONLY'>
    >>> breaker.reason
    'R_75: lost 6.0 % today, limit 5.0 %: reduce only until the next day (UTC)'
    """

    name: str
    day: int = -1
    day_open: float = 0.0
    peak: float = 0.0
    state: Condition = Condition.RUNNING
    reason: str = ""

    def join(self, equity: float) -> None:
        """Add the equity of a sleeve that wasn't counted before: neither profit nor loss."""
        self.day_open += equity
        self.peak += equity

    def update(self, time: int, equity: float, config: BreakerConfig) -> Condition:
        """Judge ``equity`` at ``time``; earlier days than the latest seen change no baseline."""
        day = time // _DAY
        if self.day < 0:
            self.day = day
            self.day_open, self.peak = self.day_open or equity, self.peak or equity
        elif day > self.day:
            self.day, self.day_open = day, equity
            if self.state is Condition.REDUCE_ONLY:
                self.state, self.reason = Condition.RUNNING, ""
        self.peak = max(self.peak, equity)
        if self.state is Condition.HALTED:
            return self.state
        fall = 1.0 - equity / self.peak if self.peak > 0.0 else 1.0
        loss = 1.0 - equity / self.day_open if self.day_open > 0.0 else 1.0
        if fall >= config.drawdown:
            self.state = Condition.HALTED
            self.reason = (
                f"{self.name}: {fall:.1%} below its peak, limit {config.drawdown:.1%}: "
                "closed until reset by hand"
            ).replace("%", " %")
        elif loss >= config.daily_loss and self.state is Condition.RUNNING:
            self.state = Condition.REDUCE_ONLY
            self.reason = (
                f"{self.name}: lost {loss:.1%} today, limit {config.daily_loss:.1%}: "
                "reduce only until the next day (UTC)"
            ).replace("%", " %")
        return self.state

    def reset(self, equity: float) -> None:
        """Go on from ``equity`` as if it were the first: a person's decision."""
        self.day_open = self.peak = equity
        self.state, self.reason = Condition.RUNNING, ""
