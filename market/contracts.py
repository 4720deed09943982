"""B3's dollar and index futures: what a point is worth, and what a contract costs to trade."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from market.config import Config
from market.errors import UnknownSymbol
from market.execution import Costs

__all__ = ["CONTRACTS", "MONTHS", "Contract", "contract_of"]

MONTHS = "FGHJKMNQUVXZ"
"""Month codes, January to December."""

Positive = Annotated[float, Field(gt=0.0)]


class Contract(Config):
    """A future's terms.

    A position is held in **units of contracts times point value**: one unit earns one BRL a point,
    ``units * price`` is the notional, and no other part of the system has to know of contracts.

    Parameters
    ----------
    root
        Its symbols begin with.
    tick_size
        Smallest price step, points.
    point_value
        What one contract earns when the price rises by one point, account currency.
    months
        Codes of the months it expires in.
    fee
        Exchange and broker, account currency per contract and side.
    currency
        Account currency.

    Examples
    --------
    >>> wdo = contract_of("WDOH25")
    >>> wdo.units(3), wdo.contracts(30.0), wdo.tick_size * wdo.point_value
    (30.0, 3.0, 5.0)
    """

    root: str
    tick_size: Positive
    point_value: Positive
    months: str = MONTHS
    fee: Annotated[float, Field(ge=0.0)]
    currency: str = "BRL"

    def units(self, contracts: float) -> float:
        """Return the units of a position of so many contracts."""
        return contracts * self.point_value

    def contracts(self, units: float) -> float:
        """Return the contracts in a position of so many units."""
        return units / self.point_value

    def costs(self, price: float, half_spread: float = 0.5, slippage: float = 0.0) -> Costs:
        """Return what one side costs.

        Parameters
        ----------
        price
            About which it trades: spreads are fractions of the price in :class:`Costs`.
        half_spread, slippage
            In ticks.

        Examples
        --------
        >>> costs = contract_of("WDOFUT").costs(5000.0)
        >>> costs.half_spread, costs.per_unit
        (5e-05, 0.12)
        """
        return Costs(
            half_spread=half_spread * self.tick_size / price,
            slippage=slippage * self.tick_size / price,
            per_unit=self.fee / self.point_value,
        )


CONTRACTS: dict[str, Contract] = {
    one.root: one
    for one in (
        Contract(root="WDO", tick_size=0.5, point_value=10.0, fee=1.2),
        Contract(root="DOL", tick_size=0.5, point_value=50.0, fee=4.8),
        Contract(root="WIN", tick_size=5.0, point_value=0.2, months="GJMQVZ", fee=0.3),
        Contract(root="IND", tick_size=5.0, point_value=1.0, months="GJMQVZ", fee=1.5),
    )
}
"""By root. A dollar contract is US$10,000 (WDO) or US$50,000 (DOL), quoted in BRL per US$1,000.

The fees are **assumptions** for a small day trader with a broker who charges nothing himself, to be
replaced by your broker's: B3's published tariff for WDO is a quarter of US$0.97 a contract and
side, 16 % less for a day trade, about BRL 1.10 at 5.40; rounded up. DOL is four times that; the
index ones are what brokers quote.
"""

_SYMBOL = re.compile(rf"({'|'.join(CONTRACTS)})([{MONTHS}]\d\d|FUT|[$@]?[ND]?)")


def contract_of(symbol: str) -> Contract:
    """Return the terms behind a symbol: a contract such as ``WDOH25``, or a continuous one.

    Raises
    ------
    UnknownSymbol
        It is none of B3's dollar and index futures.

    Examples
    --------
    >>> [contract_of(name).root for name in ("WDOH25", "WDOFUT", "WIN$N", "DOL")]
    ['WDO', 'WDO', 'WIN', 'DOL']
    """
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        raise UnknownSymbol(
            f"{symbol!r} is none of the futures known here: {', '.join(CONTRACTS)} with a month "
            "and year (H25), FUT, or nothing behind it"
        )
    return CONTRACTS[match[1]]
