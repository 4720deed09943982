"""What the bundled Binance can be told to do wrong, and the script that says when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from market.config import Config

__all__ = ["Fault", "FaultScript", "Market", "Stream"]

Market = Literal["spot", "usdm"]
Stream = Literal["aggTrade", "trade", "bookTicker", "depth", "kline"]


class Fault(Config):
    """One thing that goes wrong, once, at a known place of a symbol's events.

    The events of a stream are numbered whether or not anybody listens: of ``depth`` those of
    ``@depth@100ms`` count, of ``kline`` the closed bars of one minute.

    Parameters
    ----------
    kind
        Of the event's own frame:

        ``gap``
            it is not sent, though REST tells of it;
        ``duplicate``
            it is sent twice;
        ``reorder``
            it is sent after the one that follows it;
        ``delay``
            it is sent ``seconds`` later, the ones behind it in time;
        ``corrupt``
            every price and quantity in it says ``NaN``;
        ``garbage``
            a frame that is no JSON comes before it.

        Of connections, at that event:

        ``drop``
            the oldest connection that has the stream breaks, without a closing handshake;
        ``drop_all``
            every connection breaks;
        ``stall``
            the connections of that moment fall silent for ``seconds`` and then deliver what they
            held back (for ever if 0: half-open);
        ``restart``
            ``serverShutdown`` is sent, every connection breaks, and nothing listens for
            ``seconds``.

        Of REST, from that event on:

        ``rate_limit``
            every call is answered 429 for ``seconds``;
        ``ban``
            every call is answered 418 for ``seconds``;
        ``skew``
            the clock that ``time`` tells and signed calls are held against is ``seconds`` ahead;
        ``lost_answer``
            the next new order is executed and the connection breaks before the answer.
    market, symbol
        Whose event; the first symbol of the market if left out.
    stream
        Which of its events are counted.
    event
        At which live event, from 1.
    frames
        Or: at the first such event after the exchange has sent so many frames.
    count
        How many consecutive events it lasts (``gap``, ``duplicate``, ``corrupt``).
    seconds
        Real seconds; of ``delay`` venue seconds, of ``skew`` the error of the clock.
    """

    kind: Literal[
        "gap", "duplicate", "reorder", "delay", "corrupt", "garbage", "drop", "drop_all", "stall",
        "restart", "rate_limit", "ban", "skew", "lost_answer",
    ]  # fmt: skip
    market: Market = "spot"
    symbol: str | None = None
    stream: Stream = "aggTrade"
    event: Annotated[int, Field(ge=1)] | None = None
    frames: Annotated[int, Field(ge=0)] | None = None
    count: Annotated[int, Field(ge=1)] = 1
    seconds: float = 0.0

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.event is None) == (self.frames is None):
            raise ValueError("give either event or frames, so that the fault has one place")
        if self.seconds < 0.0 and self.kind != "skew":
            raise ValueError(f"seconds must not be negative, was {self.seconds}")
        return self


class FaultScript:
    """The faults still to come, by the events they wait for.

    Parameters
    ----------
    faults
        As configured.
    first
        The symbol meant where a fault names none, by market.
    """

    def __init__(self, faults: Sequence[Fault], first: dict[str, str]) -> None:
        self._waiting: dict[tuple[str, str, str], list[Fault]] = defaultdict(list)
        self._running: dict[tuple[str, str, str], list[tuple[Fault, int]]] = defaultdict(list)
        self._events: dict[tuple[str, str, str], int] = defaultdict(int)
        for fault in faults:
            symbol = fault.symbol or first[fault.market]
            self._waiting[fault.market, symbol, fault.stream].append(fault)

    def at(self, market: str, symbol: str, stream: str, frames: int) -> list[tuple[Fault, bool]]:
        """Count one event; return the faults on it, each with whether it begins here."""
        key = (market, symbol, stream)
        if key not in self._waiting:
            return []
        self._events[key] += 1
        number = self._events[key]
        due = [
            fault
            for fault in self._waiting[key]
            if fault.event == number or (fault.frames is not None and frames >= fault.frames)
        ]
        for fault in due:
            self._waiting[key].remove(fault)
            self._running[key].append((fault, number + fault.count))
        running = [(fault, end) for fault, end in self._running[key] if number < end]
        self._running[key] = running
        return [(fault, number == end - fault.count) for fault, end in running]
