"""What ProfitDLL tells of a ticker, as its listeners are handed it."""

from __future__ import annotations

from collections.abc import Callable

from market.errors import DataError
from market.events import Trade
from venues.profit import abi, moments

__all__ = ["BookChange", "Item", "Listener", "QuoteChange", "Reconnected", "trade_v1", "trade_v2"]

_AGGRESSOR = {2: 1, 3: -1}


class BookChange(tuple[int, int, int, float, float, bytes | None, bytes | None]):
    """Action, position, side (0 bid, 1 ask), price, size, and the two sides of a full book."""


class QuoteChange(tuple[int, float]):
    """Side (0 bid, 1 ask) and price of a best quote."""


class Reconnected:
    """The market data came back: what was traded meanwhile must be asked for."""


Item = Trade | BookChange | QuoteChange | Reconnected
"""What a ticker's listener is handed."""

Listener = Callable[[Item], None]
"""Takes them, on our loop."""


def trade_v1(ticker: str, date: str, number: int, price: float, *rest: int) -> Trade:
    """Return a trade as the older callbacks tell it; raises :class:`DataError`."""
    _, size, _, _, kind = rest
    return _trade(ticker, moments.of_text(date), number, price, size, kind)


def trade_v2(ticker: str, trade: abi.ConnectorTrade | None) -> Trade:
    """Return a trade as ``TranslateTrade`` wrote it; raises :class:`DataError`."""
    if trade is None:
        raise DataError(f"{ticker}: a trade that could not be read")
    time = moments.of_system(trade.TradeDate)
    return _trade(ticker, time, trade.TradeNumber, trade.Price, trade.Quantity, trade.TradeType)


def _trade(ticker: str, time: int, number: int, price: float, size: float, kind: int) -> Trade:
    """Check a trade; its id is made unique over days, on each of which the numbers start anew."""
    if not 0.0 < price < float("inf"):
        raise DataError(f"{ticker}: price must be positive and finite, was {price}", reason="price")
    if size <= 0:
        raise DataError(f"{ticker}: size must be positive, was {size}", reason="size")
    unique = moments.day(time) << 32 | number
    return Trade(ticker, time, price, float(size), _AGGRESSOR.get(kind, 0), unique)
