"""A symbol's steps: prices in ticks and quantities in lots, and how the venue writes them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from venues.simulated.binance.config import Listing
from venues.simulated.binance.refusal import Refusal

__all__ = ["Grid", "plain"]


class Grid:
    """Whole ticks and lots to text and back; spot writes 8 decimals, futures the step's own.

    Parameters
    ----------
    listing
        Whose steps.
    market
        ``spot`` or ``usdm``.

    Examples
    --------
    >>> listing = Listing(symbol="BTCUSDT", base="BTC", price=60000, tick="0.10", lot="0.001")
    >>> Grid(listing, "spot").price(600_001), Grid(listing, "usdm").price(600_001)
    ('60000.10000000', '60000.10')
    >>> Grid(listing, "usdm").ticks("60000.1", "price")
    600001
    """

    def __init__(self, listing: Listing, market: str) -> None:
        self.tick, self.lot = listing.tick, listing.lot
        self.price_places = 8 if market == "spot" else _places(listing.tick)
        self.size_places = 8 if market == "spot" else _places(listing.lot)
        self._tick = int(listing.tick.scaleb(self.price_places))
        self._lot = int(listing.lot.scaleb(self.size_places))
        self._price_unit = 10**self.price_places
        self._size_unit = 10**self.size_places

    def price(self, ticks: int) -> str:
        """Write a price."""
        whole, part = divmod(ticks * self._tick, self._price_unit)
        return f"{whole}.{part:0{self.price_places}d}" if self.price_places else str(whole)

    def size(self, lots: int) -> str:
        """Write a quantity."""
        whole, part = divmod(lots * self._lot, self._size_unit)
        return f"{whole}.{part:0{self.size_places}d}" if self.size_places else str(whole)

    def quote(self, product: int) -> str:
        """Write a sum of ticks times lots, in the quote asset."""
        return f"{product * self.tick * self.lot:.8f}"

    def ticks(self, text: str, name: str) -> int:
        """Read a price; raises :class:`Refusal` where it is none or between two steps."""
        return _steps(text, name, self.tick, "PRICE_FILTER")

    def lots(self, text: str, name: str) -> int:
        """Read a quantity; raises :class:`Refusal` where it is none or between two steps."""
        return _steps(text, name, self.lot, "LOT_SIZE")


def plain(amount: Decimal) -> str:
    """Write an amount of an asset, with its 8 decimals."""
    return f"{amount:.8f}"


def _places(step: Decimal) -> int:
    return max(0, -int(step.as_tuple().exponent))


def _steps(text: str, name: str, step: Decimal, rule: str) -> int:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or len(text) > 40:
        raise Refusal(
            -1100,
            f"Illegal characters found in parameter '{name}'; legal range is "
            "'^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
        )
    if not 0 < value < Decimal(10) ** 12 or value % step:
        raise Refusal(-1013, f"Filter failure: {rule}")
    return int(value / step)
