"""Bars from ticks and trades: by time, count, volume or money; one compiled step for both ways.

:class:`BarBuilder` takes events one by one, :func:`bars` a whole series; their bars are equal to
the last bit.

A trade is never split: a bar closes with the trade that reaches the size, and holds all of it. If
the bar before closed at that same instant (venues stamp milliseconds), it stays open until a later
one: bars' times always increase. A time bar holds what happened in ``[opening, boundary)`` and has
the boundary as its time; it is known only when something later shows that the boundary is past.
An interval in which nothing happened gives no bar, and the next one is not marked for it.

A :class:`~market.events.FeedGap` drops the open bar, whose rest is unknown; a time bar's interval
in which the hole ends is left out as well. The next bar is *fresh*. The first bar of all begins
with the first event, wherever in its interval that is. Where a trade's aggressor is unknown, so is
its bar's ``buy_volume``.
"""

from __future__ import annotations

import re
from math import isfinite, nan
from typing import Literal, Self

import numpy as np
from pydantic import ValidationError, model_validator

from market import barkernel
from market.barkernel import (
    BUYS,
    CLOSED,
    FRESH,
    LATEST,
    MONEY,
    NEVER,
    SKIP,
    TRADES,
    VOLUME,
)
from market.config import Config, reason_of
from market.errors import ConfigError, DataError
from market.events import Bar, FeedGap, Tick, Trade
from market.series import Series

__all__ = ["BarBuilder", "BarRule", "bars"]

_UNITS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9}
_KINDS = ("time", "tick", "volume", "dollar")


class BarRule(Config):
    """When a bar closes.

    Parameters
    ----------
    kind
        ``time``, ``tick`` (so many ticks or trades), ``volume`` or ``dollar`` (price times size).
    size
        Nanoseconds, events, base units, or quote currency.

    Examples
    --------
    >>> BarRule.parse("5m")
    BarRule(kind='time', size=300000000000.0)
    >>> [BarRule.parse(text).kind for text in ("500t", "volume:100", "dollar:1e6")]
    ['tick', 'volume', 'dollar']
    """

    kind: Literal["time", "tick", "volume", "dollar"]
    size: float

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.size > 0.0:
            raise ValueError(f"size must be positive, was {self.size:g}")
        if self.kind in ("time", "tick") and (self.size % 1.0 or self.size > 2.0**53):
            raise ValueError(f"size of {self.kind} bars must be a whole number, was {self.size}")
        return self

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a rule: ``250ms``, ``30s``, ``1m``, ``4h``, ``1d``, ``500t``, ``volume:100``, ….

        Raises
        ------
        ConfigError
            The text is none.
        """
        kind, size = "", nan
        if found := re.fullmatch(r"([0-9]{1,15})(ms|s|m|h|d|t)", text):
            count, unit = int(found[1]), found[2]
            kind = "tick" if unit == "t" else "time"
            size = float(count * _UNITS.get(unit, 1))
        elif found := re.fullmatch(r"(volume|dollar):([0-9.]+(?:e[+]?[0-9]{1,2})?)", text):
            kind = found[1]
            try:
                size = float(found[2])
            except ValueError:
                kind = ""
        if not kind:
            raise ConfigError(
                f"a bar must be like 1m, 30s, 500t, volume:100 or dollar:1e6, was {text!r:.40}"
            )
        try:
            return cls.model_validate({"kind": kind, "size": size})
        except ValidationError as error:
            raise ConfigError(f"{reason_of(error.errors()[0])} in {text!r:.40}") from None


class BarBuilder:
    """Makes bars of one symbol's ticks or trades as they come.

    It can be pickled at any time and goes on where it was.

    Parameters
    ----------
    symbol
        The instrument.
    rule
        When a bar closes. Volume and dollar bars take trades.

    Attributes
    ----------
    fresh
        Whether the bar returned last is the first after a hole.

    Examples
    --------
    >>> builder = BarBuilder("X", BarRule.parse("volume:3"))
    >>> builder.update(Trade("X", 1, 10.0, 2.0, 1))
    >>> builder.update(Trade("X", 2, 11.0, 4.0, -1))
    Bar(symbol='X', time=2, open=10.0, high=11.0, low=10.0, close=11.0, volume=6.0, trades=2.0,
        buy_volume=2.0)
    """

    def __init__(self, symbol: str, rule: BarRule) -> None:
        self.symbol, self.rule = symbol, rule
        self.fresh = False
        self._kind = _KINDS.index(rule.kind)
        self._takes: type[Tick] | type[Trade] | None = None
        self._whole, self._sums = np.zeros(FRESH + 1, np.int64), np.zeros(MONEY + 1)
        self._whole[[LATEST, CLOSED, SKIP]] = NEVER
        self._out = np.empty(BUYS + 1)

    def update(self, event: Tick | Trade | FeedGap) -> Bar | None:
        """Take one event and return the bar that it closes.

        Raises
        ------
        DataError
            It is another symbol's or kind's, its time goes backwards, or a figure is impossible;
            it is then as if it had not come.
        """
        if event.symbol != self.symbol:
            raise DataError(f"bars of {self.symbol} were given {event.symbol}", reason="symbol")
        if isinstance(event, FeedGap):
            barkernel.drop(self._whole, self._sums, self._kind, self.rule.size, event.time)
            return None
        self._check(event)
        self._takes = type(event)
        units, side = (event.size, event.side) if isinstance(event, Trade) else (nan, 0)
        closed = barkernel.step(
            self._kind,
            self.rule.size,
            self._whole,
            self._sums,
            event.time,
            event.price,
            units,
            side,
            self._out,
        )
        return self._bar(closed)

    def clock(self, time: int) -> Bar | None:
        """Say that nothing earlier than ``time`` will come; return the time bar that closes."""
        return self._bar(barkernel.advance(self._kind, self._whole, self._sums, time, self._out))

    def _bar(self, closed: int) -> Bar | None:
        if closed == NEVER:
            return None
        self.fresh, self._whole[FRESH] = bool(self._whole[FRESH]), 0
        return Bar(self.symbol, int(closed), *self._out.tolist())

    def _check(self, event: Tick | Trade) -> None:
        if self._takes not in (None, type(event)):
            raise DataError(f"{self.symbol}: bars are made of ticks or of trades, not of both")
        if isinstance(event, Tick) and self.rule.kind in ("volume", "dollar"):
            raise DataError(f"{self.symbol}: {self.rule.kind} bars need trades, a tick has no size")
        if event.time < self._whole[LATEST]:
            raise DataError(
                f"{self.symbol}: time must not decrease, was {event.time} after "
                f"{self._whole[LATEST]}",
                reason="time",
            )
        if not (isfinite(event.price) and event.price > 0.0):
            raise DataError(
                f"{self.symbol}: price must be positive and finite, was {event.price}",
                reason="price",
            )
        if isinstance(event, Trade) and not (isfinite(event.size) and event.size >= 0.0):
            raise DataError(
                f"{self.symbol}: size must be finite and >= 0, was {event.size}", reason="size"
            )


def bars(series: Series, rule: BarRule, until: int | None = None) -> Series:
    """Return the bars of a series of ticks or trades.

    Parameters
    ----------
    series
        The events.
    rule
        When a bar closes.
    until
        Time until which the series is known to be whole: closes the last time bar. Without it the
        bar that is open at the end is left out, as it is for :class:`BarBuilder`.

    Raises
    ------
    DataError
        The series has no ticks or trades, or no sizes for a rule that needs them.
    """
    if series.kind not in ("ticks", "trades"):
        raise DataError(f"{series.symbol}: bars are made of ticks or trades, not {series.kind}")
    if series.kind == "ticks" and rule.kind in ("volume", "dollar"):
        raise DataError(f"{series.symbol}: {rule.kind} bars need trades, a tick has no size")
    n = len(series)
    units = series.columns["size"] if series.kind == "trades" else np.full(n, nan)
    sides = series.columns["side"] if series.kind == "trades" else np.zeros(n, np.int8)
    when, rows, fresh = barkernel.run(
        _KINDS.index(rule.kind),
        rule.size,
        series.times,
        series.columns["price"],
        units,
        sides,
        series.fresh,
        NEVER if until is None else until,
    )
    step = int(rule.size) if rule.kind == "time" else 0
    return Series.bars(
        series.symbol, when, step, rows[:, : VOLUME + 1], rows[:, TRADES], rows[:, BUYS], fresh
    )
