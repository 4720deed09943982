"""A contract: what was agreed, and what each tick makes of it. Money is in whole cents."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import erf, inf, sqrt
from typing import Literal, NamedTuple

__all__ = ["Contract", "Limit", "Quote", "Status", "Terms"]

Status = Literal["open", "sold", "won", "lost", "cancelled"]

FOREVER = 36_525 * 86_400
"""Seconds after which a multiplier would end by itself: a century, as the venue has it."""


class Quote(NamedTuple):
    """A tick as contracts see it.

    Parameters
    ----------
    epoch
        Seconds.
    pips
        The price in units of its last decimal, so that no contract is settled by a rounding error.
    """

    epoch: int
    pips: int


class Limit(NamedTuple):
    """A stop loss or a take profit.

    Parameters
    ----------
    amount
        Cents of loss or of profit, positive.
    since
        Epoch second it was set.
    """

    amount: int
    since: int


@dataclass(frozen=True)
class Terms:
    """What a contract promises.

    Parameters
    ----------
    symbol
        Of the index.
    kind
        ``MULTUP`` or ``MULTDOWN``; ``CALL``, ``PUT`` (a tie loses), ``CALLE``, ``PUTE`` (it wins).
    stake
        Cents at risk, and no more than these.
    payout
        Cents a rise/fall contract pays when it wins; 0 for a multiplier.
    ticks, seconds
        How long a rise/fall contract runs: ticks after the entry tick, or seconds after the start.
    deviation
        Standard deviation of a tick's move in pips, by which an open bet is marked.
    multiplier
        Of the index' relative move.
    commission
        Cents, taken from the multiplier's result.
    window, fee
        Seconds of deal cancellation, and the cents it costs on top of the stake.
    stop_loss, take_profit
        Cents, as first agreed; ``None``: none.
    """

    symbol: str
    kind: str
    stake: int
    payout: int = 0
    ticks: int = 0
    seconds: int = 0
    deviation: float = 0.0
    multiplier: int = 0
    commission: int = 0
    window: int = 0
    fee: int = 0
    stop_loss: int | None = None
    take_profit: int | None = None

    @property
    def price(self) -> int:
        """Cents the buyer pays."""
        return self.stake + self.fee

    @property
    def sign(self) -> int:
        """+1 where a rise wins, -1 where a fall does."""
        return 1 if self.kind in ("MULTUP", "CALL", "CALLE") else -1


@dataclass
class Contract:
    """One purchase, from its start to its end.

    A multiplier is worth ``stake + stake * multiplier * (S / S0 - 1) * sign - commission``, never
    less than nothing, rounded to the cent (half to even). It ends when that worth is nothing (the
    **stop out**), when ``worth - stake`` reaches its stop loss or take profit, or when it is sold.
    Each tick is looked at, and the end is at **the tick's own quote**, not at the level it crossed:
    a jump through a stop costs more than the stop says, up to the stake. Within its window of deal
    cancellation a stop out gives the stake back.

    A rise/fall contract compares the last quote with the entry: its payout or nothing.

    Parameters
    ----------
    id
        Given by the exchange.
    terms
        What was agreed.
    decimals
        Of the index' price.
    bought
        Epoch second of the purchase.
    buy_id
        Of the transaction that paid for it.

    Attributes
    ----------
    entry
        The first tick after the purchase; ``None`` until it comes.
    spot
        The last tick it has seen.
    exit
        The tick that decided it.
    path
        The ticks from the entry on, of a contract that counts them.
    stop_loss, take_profit
        As they stand.
    updated
        Venue seconds of the last change to them.
    status
        ``open``, ``sold`` by its owner, ``won`` or ``lost`` by the market, ``cancelled``.
    sold_for, sold_at, sell_id
        What it brought in cents, when, and the transaction; -1 while open.
    """

    id: int
    terms: Terms
    decimals: int
    bought: int
    buy_id: int
    entry: Quote | None = None
    spot: Quote | None = None
    exit: Quote | None = None
    path: list[Quote] = field(default_factory=list)
    stop_loss: Limit | None = None
    take_profit: Limit | None = None
    updated: float = -inf
    status: Status = "open"
    sold_for: int = -1
    sold_at: int = -1
    sell_id: int = -1

    def __post_init__(self) -> None:
        terms = self.terms
        if terms.stop_loss is not None:
            self.stop_loss = Limit(terms.stop_loss, self.bought)
        if terms.take_profit is not None:
            self.take_profit = Limit(terms.take_profit, self.bought)

    @property
    def expires(self) -> int:
        """Epoch second it ends at the latest; the start of one that counts ticks."""
        if self.terms.multiplier:
            return self.bought + FOREVER
        return self.bought + self.terms.seconds

    def cancellable(self, now: float) -> bool:
        """Whether deal cancellation is active, its last second included."""
        return self.status == "open" and 0 < self.terms.window >= now - self.bought

    def unsellable(self, now: float) -> tuple[str, str] | None:
        """Return the venue's code and words where it can't be sold now."""
        if not self.terms.multiplier:
            return "OfferingsValidationError", "Resale of this contract is not offered."
        if self.entry is None or self.spot == self.entry:
            words = "Contract cannot be sold at entry tick. Please wait for the next tick."
            return "SellAtEntryTick", words
        if self.cancellable(now) and self.worth() < self.terms.stake:
            return "CancelIsBetter", (
                "The spot price has moved. We have not closed this contract because your profit is "
                "negative and deal cancellation is active. Cancel your contract to get your full "
                "stake back."
            )
        return None

    def worth(self) -> int:
        """Return the cents it is worth at the last tick it has seen.

        A multiplier's is exact. A bet's is its payout times the chance of winning under normal
        moves: a mark, as an open bet is not bought back.
        """
        terms = self.terms
        moved = self.spot.pips - self.entry.pips if self.spot and self.entry else 0
        if terms.multiplier:
            base = self.entry.pips if self.entry else 1
            gain = Fraction(terms.stake * terms.multiplier * terms.sign * moved, base)
            return max(0, terms.stake + round(gain) - terms.commission)
        left = terms.ticks + 1 - len(self.path)
        if not terms.ticks and self.spot and self.entry:
            left = self.expires - self.spot.epoch
        scale = terms.deviation * sqrt(2.0 * max(left, 1))
        chance = 0.5 * (1.0 + erf(terms.sign * moved / scale)) if scale else 0.5
        return round(terms.payout * chance)

    def barrier(self, amount: int) -> Fraction:
        """Return the price in pips at which a multiplier has made ``amount`` cents."""
        assert self.entry is not None
        terms = self.terms
        share = Fraction(terms.sign * (amount + terms.commission), terms.stake * terms.multiplier)
        return self.entry.pips * (1 + share)

    def tick(self, quote: Quote) -> int | None:
        """Take a tick in; return the cents it ends with, or ``None`` while it runs on.

        The first tick is the entry. Where a bet's time is up before any came, its price is given
        back.
        """
        timed = self.terms.seconds > 0
        if self.entry is None:
            if timed and quote.epoch >= self.expires:
                return self.end("cancelled", self.terms.price, quote)
            self.entry = self.spot = quote
            self._remember(quote)
            return None
        if self.terms.multiplier:
            self.spot = quote
            return self._limits(quote)
        if not timed:
            self.spot = quote
            self._remember(quote)
            return self._decide(quote) if len(self.path) > self.terms.ticks else None
        if quote.epoch <= self.expires:
            self.spot = quote
        return self._decide(quote) if quote.epoch >= self.expires else None

    def end(self, status: Status, brings: int, quote: Quote | None) -> int:
        """End it with ``brings`` cents at ``quote``."""
        self.status, self.exit = status, quote
        return brings

    def _limits(self, quote: Quote) -> int | None:
        stake, worth = self.terms.stake, self.worth()
        if worth == 0:
            if self.cancellable(quote.epoch):
                return self.end("cancelled", stake, quote)
            return self.end("lost", 0, quote)
        low = self.stop_loss is not None and worth - stake <= -self.stop_loss.amount
        high = self.take_profit is not None and worth - stake >= self.take_profit.amount
        if low or high:
            return self.end("won" if worth > stake else "lost", worth, quote)
        return None

    def _decide(self, quote: Quote) -> int:
        assert self.entry is not None
        assert self.spot is not None
        moved = self.terms.sign * (self.spot.pips - self.entry.pips)
        won = moved > 0 or (moved == 0 and self.terms.kind in ("CALLE", "PUTE"))
        self.end("won" if won else "lost", 0, self.spot)
        return self.terms.payout if won else 0

    def _remember(self, quote: Quote) -> None:
        if self.terms.ticks:
            self.path.append(quote)
