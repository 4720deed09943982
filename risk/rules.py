"""Portfolio rules: from the notional a symbol asks for to the notional it may get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import copysign
from typing import Protocol

__all__ = ["RULES", "EquityMultiple", "FreeRoom", "Portfolio", "Rule", "SymbolCap"]


@dataclass(frozen=True)
class Portfolio:
    """What the rules see.

    Parameters
    ----------
    limit
        Largest sum of |notional|.
    claims
        Per symbol: the most |notional| it may be holding, as far as anyone here can know.
    equity
        Per symbol: equity it reported last.
    """

    limit: float
    claims: Mapping[str, float]
    equity: Mapping[str, float]


class Rule(Protocol):
    """Shrink a notional; never grow it, never flip its sign."""

    def limit(self, symbol: str, wanted: float, portfolio: Portfolio) -> float:
        """Return the allowed notional of ``symbol``, between zero and ``wanted``."""
        ...


def _shrink(wanted: float, room: float) -> float:
    """Return ``wanted`` cut to ``room`` in magnitude."""
    return copysign(min(abs(wanted), max(room, 0.0)), wanted)


@dataclass(frozen=True)
class SymbolCap:
    """Cap one symbol at a fraction of the portfolio's limit.

    Examples
    --------
    >>> SymbolCap(0.25).limit("R_75", -500.0, Portfolio(1000.0, {}, {}))
    -250.0
    """

    share: float

    def limit(self, symbol: str, wanted: float, portfolio: Portfolio) -> float:
        """Return at most ``share`` of the limit."""
        return _shrink(wanted, self.share * portfolio.limit)


@dataclass(frozen=True)
class EquityMultiple:
    """Cap one symbol at a multiple of its own equity; a ruined sleeve gets nothing.

    Examples
    --------
    >>> EquityMultiple(2.0).limit("R_75", 500.0, Portfolio(1000.0, {}, {"R_75": 100.0}))
    200.0
    """

    multiple: float

    def limit(self, symbol: str, wanted: float, portfolio: Portfolio) -> float:
        """Return at most ``multiple`` times the symbol's equity."""
        return _shrink(wanted, self.multiple * portfolio.equity.get(symbol, 0.0))


@dataclass(frozen=True)
class FreeRoom:
    """Cap one symbol at what the others' claims leave of the portfolio's limit.

    Examples
    --------
    >>> FreeRoom().limit("R_75", 500.0, Portfolio(1000.0, {"R_75": 90.0, "R_100": 800.0}, {}))
    200.0
    """

    def limit(self, symbol: str, wanted: float, portfolio: Portfolio) -> float:
        """Return at most the limit less all claims but the symbol's own."""
        others = sum(claim for name, claim in portfolio.claims.items() if name != symbol)
        return _shrink(wanted, portfolio.limit - others)


RULES: tuple[type[SymbolCap] | type[EquityMultiple] | type[FreeRoom], ...] = (
    SymbolCap,
    EquityMultiple,
    FreeRoom,
)
"""Every rule there is; the book applies them in this order, the tests check each."""
