"""Tells those who listen what happens in the markets, and commits the faults on the way."""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec

from market.events import SECOND
from venues.simulated.binance.faults import Fault, FaultScript
from venues.simulated.binance.klines import INTERVALS, klines, opening
from venues.simulated.binance.market import CADENCES, Execution, SymbolMarket
from venues.simulated.binance.streams import (
    Topic,
    agg_event,
    diff_event,
    kline_event,
    partial_event,
    quote_event,
    trade_event,
)
from venues.simulated.binance.subscriptions import StreamClient
from venues.simulated.binance.trading import Desk

__all__ = ["BEAT", "Publisher"]

BEAT = 50
"""Milliseconds of the grid on which books and bars are told; divides every cadence."""

_NUMBER = re.compile(r'"\d+\.\d+"')
_encode = msgspec.json.Encoder().encode


class Publisher:
    """Hears the markets and frames what the streams say.

    Parameters
    ----------
    script
        The faults to come.
    act
        Called with a fault that is about connections or REST, and the topic it fell on.
    desks
        Told of clients' executions.

    Attributes
    ----------
    frames
        How many frames of the streams were sent.
    """

    def __init__(
        self,
        script: FaultScript,
        act: Callable[[Fault, Topic], None],
        desks: dict[str, Desk],
    ) -> None:
        self.frames = 0
        self._script, self._act, self._desks = script, act, desks
        self._listeners: defaultdict[Topic, dict[StreamClient, None]] = defaultdict(dict)
        self._held: dict[Topic, str] = {}
        self._late: list[tuple[int, int, Topic, str]] = []
        self._delayed = 0
        self._told: dict[Topic, int] = {}

    def listen(self, topic: Topic, client: StreamClient) -> None:
        """Let ``client`` have a stream's frames."""
        self._listeners[topic][client] = None

    def leave(self, topic: Topic, client: StreamClient) -> None:
        """Stop that."""
        self._listeners[topic].pop(client, None)
        if not self._listeners[topic]:
            del self._listeners[topic]

    def listeners(self, topic: Topic) -> list[StreamClient]:
        """Return who has a stream, oldest first."""
        return list(self._listeners.get(topic, ()))

    def traded(self, market: SymbolMarket, index: int) -> None:
        """Tell trade ``index``."""
        topic = Topic(market.kind, market.symbol, "trade")
        self._publish(topic, market.time, lambda: trade_event(market, index))

    def aggregated(self, market: SymbolMarket, group: int) -> None:
        """Tell aggregate ``group``."""
        topic = Topic(market.kind, market.symbol, "aggTrade")
        self._publish(topic, market.time, lambda: agg_event(market, group))

    def quoted(self, market: SymbolMarket) -> None:
        """Tell the best prices."""
        topic = Topic(market.kind, market.symbol, "bookTicker")
        self._publish(topic, market.time, lambda: quote_event(market))

    def filled(self, market: SymbolMarket, execution: Execution) -> None:
        """Have a client's execution booked."""
        self._desks[market.kind].filled(execution)

    def moved(self, market: SymbolMarket) -> None:
        """Have stop orders looked at."""
        self._desks[market.kind].trigger(market)

    def beat(self, market: SymbolMarket, ms: int) -> None:
        """Tell the book's changes and the bars that are due at ``ms``, a multiple of the beat."""
        market.gather()
        for cadence in CADENCES[market.kind]:
            if ms % cadence == 0:
                self._tell_book(market, cadence, ms)
        if ms % 1000 == 0:
            self._tell_bars(market, ms)

    def release(self, time: int) -> None:
        """Send the delayed frames that are due at ``time``, nanoseconds."""
        while self._late and self._late[0][0] <= time:
            _, _, topic, text = heapq.heappop(self._late)
            self._send(topic, text)

    def _tell_book(self, market: SymbolMarket, cadence: int, ms: int) -> None:
        diff = market.diff(cadence)
        if diff is None:
            return
        topic = Topic(market.kind, market.symbol, "depth", cadence=cadence)
        self._publish(
            topic, market.time, lambda: diff_event(market, diff, ms), counted=cadence == 100
        )
        for levels in (5, 10, 20):
            part = Topic(market.kind, market.symbol, "depth", levels=levels, cadence=cadence)
            if part in self._listeners:
                event = partial_event(market, levels, diff, ms)
                self._send(part, _encode(event).decode())

    def _tell_bars(self, market: SymbolMarket, ms: int) -> None:
        for interval, length in INTERVALS.items():
            topic = Topic(market.kind, market.symbol, "kline", interval=interval)
            closes = opening(ms, interval) == ms
            if topic not in self._listeners and not (closes and interval == "1m"):
                continue
            if closes:
                self._publish(
                    topic,
                    market.time,
                    lambda: self._bar(market, interval, ms - length, ms),  # noqa: B023 - called at once
                    counted=interval == "1m",
                )
            elif ms % 2000 == 0 and self._told.get(topic) != market.trades.count:
                self._told[topic] = market.trades.count
                event = self._bar(market, interval, opening(ms, interval), ms)
                self._send(topic, _encode(event).decode())

    def _bar(self, market: SymbolMarket, interval: str, start: int, ms: int) -> Any:
        [bar] = klines(market.trades, interval, start, start)
        return kline_event(market, interval, bar, ms, closed=bar.end <= ms)

    def _publish(
        self, topic: Topic, time: int, make: Callable[[], Any], counted: bool = True
    ) -> None:
        """Send an event to who listens, committing the faults that fall on it."""
        kinds: dict[str, Fault] = {}
        if counted:
            for fault, begins in self._script.at(
                topic.market, topic.symbol, topic.stream, self.frames
            ):
                kinds[fault.kind] = fault
                if begins:
                    self._act(fault, topic)
        if topic not in self._listeners:
            return
        text = _encode(make()).decode()
        if "garbage" in kinds:
            for client in self.listeners(topic):
                client.connection.send('{"e": ')
        if "corrupt" in kinds:
            text = _NUMBER.sub('"NaN"', text)
        if "delay" in kinds:
            due = time + int(kinds["delay"].seconds * SECOND)
            self._delayed += 1
            heapq.heappush(self._late, (due, self._delayed, topic, text))
        elif "reorder" in kinds:
            self._held[topic] = text
        elif "gap" not in kinds:
            self._send(topic, text)
            if "duplicate" in kinds:
                self._send(topic, text)
            if topic in self._held:
                self._send(topic, self._held.pop(topic))

    def _send(self, topic: Topic, text: str) -> None:
        for client in self.listeners(topic):
            self.frames += client.deliver(topic, text)
