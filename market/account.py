"""A sleeve's account: cash and position, changed by fills and by nothing else."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from market.execution import equity
from market.orders import Fill

__all__ = ["Account"]


class Account(msgspec.Struct, frozen=True):
    """Cash and one position.

    Parameters
    ----------
    cash
        Account currency.
    units
        Signed position.
    entry_price
        Average price of the open position; 0 when flat.
    opened
        Venue time the open position was opened, nanoseconds; 0 when flat.
    fees
        Commission paid so far.
    trades
        Round trips closed so far (a reversal closes one).
    funding
        Funding paid so far, less what was received.

    Examples
    --------
    >>> account = Account(cash=1000.0)
    >>> account = account.apply(Fill("a", "R_75", 1, 2.0, 100.0, 0.5))
    >>> account.cash, account.units, account.equity(101.0)
    (799.5, 2.0, 1001.5)
    """

    cash: float
    units: float = 0.0
    entry_price: float = 0.0
    opened: int = 0
    fees: float = 0.0
    trades: int = 0
    funding: float = 0.0

    def apply(self, fill: Fill) -> Account:
        """Return the account after ``fill``."""
        if fill.reason == "funding":
            return replace(self, cash=self.cash - fill.fee, funding=self.funding + fill.fee)
        units = self.units + fill.units
        if abs(units) < 1e-12 * max(1.0, abs(self.units)):
            units = 0.0
        entry, opened, trades = self.entry_price, self.opened, self.trades
        if self.units == 0.0 or self.units * units < 0.0:
            entry, opened = fill.price, fill.time
        elif abs(units) > abs(self.units):
            entry = (self.units * entry + fill.units * fill.price) / units
        if self.units != 0.0 and self.units * units <= 0.0:
            trades += 1
        if units == 0.0:
            entry, opened = 0.0, 0
        return Account(
            cash=self.cash - fill.units * fill.price - fill.fee,
            units=units,
            entry_price=entry,
            opened=opened,
            fees=self.fees + fill.fee,
            trades=trades,
            funding=self.funding,
        )

    def equity(self, price: float) -> float:
        """Worth at ``price``."""
        return float(equity(self.cash, self.units, price))

    def unrealised(self, price: float) -> float:
        """Profit of the open position at ``price``, account currency, fees not included."""
        return self.units * (price - self.entry_price)
