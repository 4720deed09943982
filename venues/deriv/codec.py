"""Deriv's ticks: past ones asked for, answers checked as they come in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from market.events import SECOND, Tick
from market.tape import Tape
from venues.deriv.fields import Frame, epoch, price

__all__ = ["TickKind", "decode_history", "decode_tick", "history_request"]


class TickKind:
    """Ticks of one symbol; the :class:`~venues.deriv.history.Kind` of ticks.

    Parameters
    ----------
    symbol
        The venue's code.
    """

    spacing = SECOND

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol

    def request(
        self,
        *,
        count: int,
        start: int | None = None,
        end: int | None = None,
        subscribe: bool = False,
    ) -> dict[str, Any]:
        """Ask for ticks; see :func:`history_request`."""
        return history_request(self.symbol, count=count, start=start, end=end, subscribe=subscribe)

    def rows(self, frame: Frame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return the ticks of an answer; see :func:`decode_history`."""
        return decode_history(frame, self.symbol)

    def events(self, rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]) -> Iterator[Tick]:
        """Return rows as ticks."""
        for time, quote in zip(rows[0].tolist(), rows[1].tolist(), strict=True):
            yield Tick(self.symbol, time, quote)

    def tape(self, rows: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]) -> Tape:
        """Return rows as a tape of ticks."""
        return Tape.of_ticks(self.symbol, *rows)


def history_request(
    symbol: str,
    *,
    count: int,
    start: int | None = None,
    end: int | None = None,
    subscribe: bool = False,
) -> dict[str, Any]:
    """Ask for past ticks, and for those to come if ``subscribe``.

    Parameters
    ----------
    symbol
        The venue's code.
    count
        At most so many, the latest ones.
    start, end
        Nanoseconds, both included; to the second, which is the venue's resolution. From the
        beginning, up to now if left out.

    Examples
    --------
    >>> history_request("R_75", count=10, start=1_000_000_000)
    {'ticks_history': 'R_75', 'style': 'ticks', 'count': 10, 'end': 'latest', 'start': 1}
    """
    request: dict[str, Any] = {
        "ticks_history": symbol,
        "style": "ticks",
        "count": count,
        "end": "latest" if end is None else str(end // SECOND),
    }
    if start is not None:
        request["start"] = start // SECOND
    if subscribe:
        request["subscribe"] = 1
    return request


def decode_tick(frame: Frame, symbol: str) -> Tick:
    """Return the tick in a ``tick`` frame; raises :class:`DataError` if it holds no good one.

    A missing quote side is ``nan``; one that is there must be a price.

    Examples
    --------
    >>> decode_tick({"tick": {"epoch": 7, "quote": 10.5, "symbol": "R_75"}}, "R_75")
    Tick(symbol='R_75', time=7000000000, price=10.5, bid=nan, ask=nan)
    """
    body = frame.get("tick")
    if not isinstance(body, Mapping):
        raise DataError(f"{symbol}: a tick frame must hold an object `tick`, had {body!r:.80}")
    if body.get("symbol", symbol) != symbol:
        raise DataError(f"{symbol}: got a tick of {body['symbol']!r:.80}", reason="symbol")
    quotes = [
        price(symbol, side, body[side]) if body.get(side) is not None else nan
        for side in ("bid", "ask")
    ]
    return Tick(
        symbol,
        epoch(symbol, body.get("epoch")),
        price(symbol, "quote", body.get("quote")),
        *quotes,
    )


def decode_history(
    frame: Frame, symbol: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return times and prices of a ``history`` frame.

    Returns
    -------
    times
        ``int64[n]``, nanoseconds, strictly increasing.
    prices
        ``float64[n]``, positive and finite.

    Raises
    ------
    DataError
        The frame is malformed, a price is not one, or time runs backwards. Two ticks of one
        second are one event here: the first counts, as it does on the stream.
    """
    body = frame.get("history")
    if not isinstance(body, Mapping):
        raise DataError(f"{symbol}: a history frame must hold `history`, had {body!r:.80}")
    times, prices = body.get("times"), body.get("prices")
    if not isinstance(times, list) or not isinstance(prices, list) or len(times) != len(prices):
        raise DataError(f"{symbol}: history must hold as many `times` as `prices`")
    when = np.array([epoch(symbol, time) for time in times], np.int64)
    quotes = np.array([price(symbol, "price", one) for one in prices], np.float64)
    steps = np.diff(when)
    if steps.size and steps.min() < 0:
        row = int(np.argmin(steps >= 0)) + 1
        raise DataError(
            f"{symbol}: history must run forwards, entry {row} is at {when[row] // SECOND} "
            f"after {when[row - 1] // SECOND}",
            reason="time",
        )
    first_of_second = np.insert(steps > 0, 0, True)[: len(when)]
    return when[first_of_second], quotes[first_of_second]
