"""The live trader, run again over other markets and on other terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from market.beside import Beside
from market.errors import DataError
from market.events import Event
from market.instruments import Instrument
from market.orders import Fill
from market.tape import Tape
from risk.config import RiskConfig
from risk.lease import LeaseBook
from trading.backtest.replay import replay
from trading.paper import PaperBroker
from trading.record import Record
from trading.robustness.variation import Variation
from trading.trader import Trader

__all__ = ["EventPath", "WidenedBroker"]

TraderFor = Callable[[str, Variation], Trader]
"""Makes a symbol's trader, not started, on the terms of a variation."""


class WidenedBroker(PaperBroker):
    """A paper broker in a market whose spreads are not always the same.

    Parameters
    ----------
    instrument, capital, seed
        As of :class:`~trading.paper.PaperBroker`.
    times
        ``int64[n]``: venue times of the events.
    widen
        ``float64[n]``: what spread and slippage are multiplied by at each; ``inf``: halted.
    """

    def __init__(
        self,
        instrument: Instrument,
        capital: float,
        seed: int,
        times: npt.NDArray[np.int64],
        widen: npt.NDArray[np.float64],
    ) -> None:
        super().__init__(instrument, capital, seed)
        self._widened = dict(zip(times.tolist(), widen.tolist(), strict=True))

    def fills(self, event: Event) -> Sequence[Fill]:
        """Return what ``event`` brought, at its own spread."""
        self.widen = self._widened.get(event.time, 1.0)
        return super().fills(event)


@dataclass(frozen=True)
class EventPath:
    """A :data:`~trading.robustness.variation.Rerun` by the backtest's event path: exact.

    Traders that allow it are taken over whole stretches (:func:`trading.backtest.replay.replay`).

    Parameters
    ----------
    name
        Of the records.
    tapes
        What was recorded, by symbol.
    trader_for
        Makes the traders.
    risk
        Grants the leases, and stops what loses too much.
    beside
        What was recorded beside the tapes.

    Raises
    ------
    DataError
        A symbol's columns are made of trades or of the book, and its tape is another one: what
        would have been beside it isn't known.
    """

    name: str
    tapes: Mapping[str, Tape]
    trader_for: TraderFor
    risk: RiskConfig
    beside: Mapping[str, Beside] = field(default_factory=dict)

    def __call__(self, variation: Variation) -> Record:
        """Run the traders."""
        tapes = dict(self.tapes) | dict(variation.tapes)
        for symbol in variation.tapes:
            near = self.beside.get(symbol, Beside())
            if any(one is not None for one in (near.trades, near.book, near.peer)):
                raise DataError(
                    f"{symbol}: its columns are made of trades, a book or a second symbol, which "
                    "nobody knows of a market that was not; leave those columns out"
                )

        def made(symbol: str) -> Trader:
            trader = self.trader_for(symbol, variation)
            widen = variation.widen.get(symbol)
            if widen is not None and (widen != 1.0).any():
                cash = trader.account.cash
                trader.broker = WidenedBroker(
                    trader.instrument, cash, variation.seed, tapes[symbol].times, widen
                )
            return trader

        book = LeaseBook(self.risk, list(tapes), first=True)
        return replay(list(tapes.values()), made, book, self.name, self.beside)[0]
