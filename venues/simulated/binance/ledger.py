"""What was published since the start: what a client must end up with."""

from __future__ import annotations

from typing import Any

from venues.simulated.binance.klines import INTERVALS, klines, opening
from venues.simulated.binance.market import SymbolMarket
from venues.simulated.binance.public import agg_trade, kline_row
from venues.simulated.binance.streams import trade_event

__all__ = ["Sent"]


class Sent:
    """The events of one symbol's streams since the start, lost and garbled ones included.

    Parameters
    ----------
    market
        The symbol.
    start, end
        Venue milliseconds of the start and of the last beat.
    """

    def __init__(self, market: SymbolMarket, start: int, end: int) -> None:
        self._market, self._start, self._end = market, start, end

    @property
    def trades(self) -> list[dict[str, Any]]:
        """Every trade, as its stream tells it."""
        market = self._market
        return [trade_event(market, i) for i in range(market.live_trades, market.trades.count)]

    @property
    def aggregates(self) -> list[dict[str, Any]]:
        """Every aggregate, as REST tells it."""
        market = self._market
        return [agg_trade(market, j) for j in range(market.live_groups, market.trades.groups)]

    @property
    def depth(self) -> list[tuple[int, int, int]]:
        """``(U, u, pu)`` of every 100 ms diff."""
        return self._market.ranges()

    def bars(self, interval: str) -> list[list[Any]]:
        """Return every bar of ``interval`` that closed, in REST's columns."""
        length = INTERVALS[interval]
        first = opening(self._start, interval)
        last = opening(self._end, interval) - length
        return [
            kline_row(self._market, bar)
            for bar in klines(self._market.trades, interval, first, last)
        ]
