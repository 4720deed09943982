"""Risk leases: permission to hold, lent for seconds, so that no order waits for a round trip.

A symbol asks with a :class:`~risk.grant.Report`, the supervisor's :class:`LeaseBook` answers with
a :class:`~risk.grant.Lease`, and :func:`~risk.grant.allowed` applies it to every target. Why the
limit holds whatever is lost, delayed, doubled or crashed:

* exposure grows only under an unexpired lease, judged by the symbol's own clock;
* the book counts a promise as *held* until the symbol itself reports from after its expiry. So
  neither clock differences nor lost messages free anything, and a dead symbol keeps its claim;
* a grant never exceeds the limit less everybody else's claims;
* a book without memory (a restarted supervisor) takes every symbol to hold all it could have
  been given, until it reports and one lease length has passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite

import msgspec

from market.errors import DataError, StateError, UnknownSymbol
from market.events import SECOND
from risk.breakers import Breaker, Condition
from risk.config import RiskConfig
from risk.grant import Lease, Report, allowed
from risk.rules import EquityMultiple, FreeRoom, Portfolio, Rule, SymbolCap

__all__ = ["Condition", "Lease", "LeaseBook", "Report", "allowed"]


class _Sleeve(msgspec.Struct):
    """The book's memory of one symbol; ``joined``: the portfolio's baseline counts its equity."""

    breaker: Breaker
    joined: bool = False
    equity: float = 0.0
    time: int = -1
    heard: int = 0
    notional: float = 0.0
    promises: list[tuple[int, float]] = []
    lease: Lease | None = None


class _Memory(msgspec.Struct):
    """Everything the book knows, as it is written down."""

    sleeves: dict[str, _Sleeve]
    portfolio: Breaker


class LeaseBook:
    """Grants leases such that their sum never exceeds the portfolio's limits.

    Parameters
    ----------
    config
        The limits.
    symbols
        Every symbol that may ever ask.
    first
        No lease was ever granted before: what hasn't reported holds nothing. A supervisor that
        can't know (a restart without ``restore``) leaves it ``False``.
    """

    def __init__(self, config: RiskConfig, symbols: Iterable[str], first: bool = False) -> None:
        names = tuple(symbols)
        if not names:
            raise StateError("a lease book needs at least one symbol, got none")
        self.config = config
        self._share = config.symbol_share or 1.0 / len(names)
        self._first = first
        self._length = round(config.lease_seconds * SECOND)
        self._rules: tuple[Rule, ...] = (
            SymbolCap(self._share),
            EquityMultiple(config.max_leverage),
            FreeRoom(),
        )
        self._memory = _Memory(
            {name: _Sleeve(Breaker(name)) for name in names}, Breaker("portfolio")
        )

    def renew(self, report: Report, now: int) -> Lease:
        """Take a report and grant the next lease.

        The same report, or an earlier one, changes nothing and gets the lease granted last.

        Parameters
        ----------
        report
            What the symbol holds.
        now
            Venue time by the supervisor's clock; kept for :meth:`silent`, never for expiry.

        Raises
        ------
        UnknownSymbol
            The book wasn't opened for this symbol.
        DataError
            A figure of the report is not finite.
        """
        sleeve = self._memory.sleeves.get(report.symbol)
        if sleeve is None:
            raise UnknownSymbol(f"{report.symbol} isn't in the lease book; add it to the config")
        for name in ("equity", "notional", "price"):
            value = getattr(report, name)
            if not isfinite(value):
                raise DataError(f"{report.symbol}: report's {name} must be finite, was {value}")
        sleeve.heard = max(sleeve.heard, now)
        if sleeve.lease is not None and report.time <= sleeve.time:
            return sleeve.lease
        self._hear(sleeve, report)
        state, reasons = self._judge(sleeve, report.time)
        notional = 0.0
        if state is Condition.RUNNING:
            notional = self.config.max_notional
            portfolio = Portfolio(
                self.config.max_notional,
                self.claims(),
                {name: one.equity for name, one in self._memory.sleeves.items()},
            )
            for rule in self._rules:
                notional = rule.limit(report.symbol, notional, portfolio)
        expires = report.time + self._length
        sleeve.lease = Lease(report.symbol, report.time, notional, expires, state, reasons)
        if notional > 0.0:
            sleeve.promises = [p for p in sleeve.promises if p[1] > notional] + [
                (expires, notional)
            ]
        return sleeve.lease

    def _hear(self, sleeve: _Sleeve, report: Report) -> None:
        """Take a newer report into the memory."""
        if not sleeve.joined:
            self._memory.portfolio.join(report.equity)
            sleeve.joined = True
        if sleeve.time < 0 and not self._first:
            sleeve.promises = [(report.time + self._length, self._ceiling)]
        sleeve.time = report.time
        sleeve.notional = abs(report.notional)
        sleeve.equity = report.equity
        sleeve.promises = [p for p in sleeve.promises if p[0] > report.time]

    def _judge(self, sleeve: _Sleeve, time: int) -> tuple[Condition, tuple[str, ...]]:
        """Update both breakers; return the worse state and every reason."""
        portfolio = self._memory.portfolio
        sleeve.breaker.update(time, sleeve.equity, self.config.symbol)
        portfolio.update(time, self.equity, self.config.portfolio)
        both = (sleeve.breaker, portfolio)
        state = max((one.state for one in both), key=lambda one: one.severity)
        return state, tuple(one.reason for one in both if one.reason)

    @property
    def _ceiling(self) -> float:
        return self._share * self.config.max_notional

    @property
    def equity(self) -> float:
        """Sum of the equities reported last."""
        return sum(one.equity for one in self._memory.sleeves.values())

    @property
    def used(self) -> float:
        """Sum of the |notional| reported last."""
        return sum(one.notional for one in self._memory.sleeves.values())

    @property
    def granted(self) -> float:
        """Sum of the leases granted last."""
        leases = (one.lease for one in self._memory.sleeves.values())
        return sum(lease.notional for lease in leases if lease is not None)

    @property
    def state(self) -> Condition:
        """The portfolio breaker's state."""
        return self._memory.portfolio.state

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why anything isn't running, portfolio first."""
        breakers = [self._memory.portfolio]
        breakers += [one.breaker for one in self._memory.sleeves.values()]
        return tuple(one.reason for one in breakers if one.reason)

    @property
    def leases(self) -> dict[str, Lease | None]:
        """The lease granted last to each symbol."""
        return {name: one.lease for name, one in self._memory.sleeves.items()}

    def claims(self) -> dict[str, float]:
        """Return the most |notional| each symbol may be holding, as far as the book can know."""
        unheard = 0.0 if self._first else self._ceiling
        return {
            name: unheard
            if one.time < 0
            else max([one.notional, *(notional for _, notional in one.promises)])
            for name, one in self._memory.sleeves.items()
        }

    def silent(self, now: int) -> tuple[str, ...]:
        """Return the symbols not heard of for longer than a lease lasts."""
        return tuple(
            name for name, one in self._memory.sleeves.items() if now - one.heard > self._length
        )

    def reset(self, name: str | None = None) -> None:
        """Close a tripped breaker by hand: a symbol's, or (``None``) the portfolio's."""
        if name is None:
            self._memory.portfolio.reset(self.equity)
        elif name in self._memory.sleeves:
            self._memory.sleeves[name].breaker.reset(self._memory.sleeves[name].equity)
        else:
            raise UnknownSymbol(f"{name} isn't in the lease book")

    def snapshot(self) -> bytes:
        """Return what a restart can't learn from reports: the breakers and their baselines."""
        return msgspec.json.encode(self._memory)

    def restore(self, snapshot: bytes) -> None:
        """Take up breakers and baselines; symbols the snapshot doesn't know start as new ones.

        Claims are not taken up but learnt again from reports: leases may have been granted after
        the snapshot was made.
        """
        try:
            memory = msgspec.json.decode(snapshot, type=_Memory)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StateError(f"lease book can't be read ({error}); start without it") from error
        for name, old in memory.sleeves.items():
            if name in self._memory.sleeves:
                self._memory.sleeves[name] = _Sleeve(old.breaker, old.joined, old.equity)
        self._memory.portfolio = memory.portfolio
        self._first = False
