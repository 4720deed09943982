"""What an event brought: its prices, its volume and its trades, as they came."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE, HIGH, LOW, OPEN, TRADES, VOLUME

__all__ = ["FAMILIES"]


@compiled
def step_prices(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    out[0], out[1], out[2], out[3] = h[OPEN], h[HIGH], h[LOW], h[CLOSE]


@compiled
def step_volume(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    out[0] = h[VOLUME]


@compiled
def step_trades(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    out[0] = h[TRADES]


FAMILIES = (
    Family(
        step=step_prices,
        columns=(
            Column(
                "open",
                "first price of the bar; of a tick its price",
                "price",
                0.0,
                scale_free=False,
            ),
            Column(
                "high",
                "highest price of the bar; of a tick its price",
                "price",
                0.0,
                scale_free=False,
            ),
            Column(
                "low",
                "lowest price of the bar; of a tick its price",
                "price",
                0.0,
                scale_free=False,
            ),
            Column(
                "close",
                "last price of the bar; of a tick its price",
                "price",
                0.0,
                scale_free=False,
            ),
        ),
        source="the event",
    ),
    Family(
        step=step_volume,
        columns=(
            Column("volume", "base units traded in the bar", "base units", 0.0, scale_free=False),
        ),
        source="the event",
        need="volume",
    ),
    Family(
        step=step_trades,
        columns=(Column("trade_count", "trades in the bar", "trades", 0.0, scale_free=False),),
        source="the event",
        need="trades",
    ),
)
