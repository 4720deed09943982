"""Trades on the price, to be looked into on the page itself: data, a canvas, and a short script."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from trading.record import REASONS, Record, SleeveRecord
from validation.drawing import extremes

__all__ = ["STYLE", "viewer"]

POINTS = 20_000
TRADES = 5_000
"""Of the whole page; what is beyond is left out evenly."""

STYLE = """
#viewer canvas{width:100%;height:22rem;display:block;touch-action:pan-y;cursor:crosshair}
#viewer canvas:focus-visible{outline:2px solid var(--own)}
#viewer .bar{display:flex;flex-wrap:wrap;gap:.4rem;align-items:center;margin-bottom:.5rem}
#viewer button,#viewer select{font:inherit;font-size:.85rem;color:var(--ink);
 background:var(--faint);border:1px solid var(--rule);border-radius:6px;padding:.2rem .6rem}
#viewer output{display:block;color:var(--soft);font-size:.85rem;min-height:2.6em;
 font-variant-numeric:tabular-nums}
@media(max-width:640px){#viewer canvas{height:17rem}}
"""


def viewer(record: Record) -> str:
    """Return the viewer as HTML, with all it needs.

    Of the price at most 20,000 points of all symbols together are in it, each peak and trough
    among them; of the trades at most 5,000.
    """
    share = len(record.sleeves)
    sleeves = [_sleeve(one, POINTS // share, TRADES // share) for one in record.sleeves.values()]
    told = msgspec.json.encode({"sleeves": sleeves, "reasons": REASONS}).decode()
    # Within a script element `<` could end it, whatever a symbol is called.
    safe = told.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    script = Path(__file__).with_name("viewer.js").read_text(encoding="utf-8")
    points = sum(len(one["t"]) for one in sleeves)
    whole = sum(len(one.times) for one in record.sleeves.values())
    trades = sum(len(one["trips"]["o"]) for one in sleeves)
    caption = (
        "Triangles are entries, blue long, amber short; crosses exits, green won, red lost. "
        f"{points:,} of {whole:,} points of the price, peaks and troughs kept; "
        f"{trades:,} of {len(record.trips):,} trades. "
        "Wheel or pinch to zoom, drag to move, arrow keys to step from trade to trade."
    )
    buttons = "".join(
        f'<button type="button" value="{value}">{text}</button>'
        for value, text in (
            ("all", "whole run"), ("in", "closer"), ("out", "farther"),
            ("back", "‹ trade"), ("next", "trade ›"),
        )
    )  # fmt: skip
    return (
        '<section class="screen wide"><h2>Trades on the price, to look into</h2>'
        f'<div id="viewer" hidden><div class="bar"><select aria-label="symbol"></select>{buttons}'
        '</div><output></output><canvas tabindex="0" role="img" '
        'aria-label="price with entries and exits"></canvas></div>'
        f"<figcaption>{html.escape(caption)}</figcaption></section>"
        f'<script type="application/json" id="viewer-data">{safe}</script>'
        f"<script>{script}</script>"
    )


def _sleeve(one: SleeveRecord, points: int, trades: int) -> dict[str, Any]:
    """Return what is drawn of a symbol: times in ms from its start, prices in ticks, as steps."""
    start = int(one.times[0])
    at = extremes(one.price, max(points, 4))
    price = one.price[at]
    tick = _tick(price)
    trips = one.trips
    of = np.arange(len(trips))[:: max(1, -(-len(trips) // max(trades, 1)))]
    digits = max(0, -int(np.floor(np.log10(tick) + 1e-9))) + 1

    def since(times: npt.NDArray[np.int64]) -> list[int]:
        return [int(one) for one in (times - start) // 1_000_000]

    return {
        "name": one.symbol,
        "start": start // 1_000_000,
        "tick": tick,
        "t": np.diff(since(one.times[at]), prepend=0).tolist(),
        "p": np.diff(np.rint(price / tick).astype(np.int64), prepend=0).tolist(),
        "trips": {
            "o": since(trips.opened[of]),
            "c": since(trips.closed[of]),
            "e": np.round(trips.entry[of], digits).tolist(),
            "x": np.round(trips.exit[of], digits).tolist(),
            "s": trips.side[of].tolist(),
            "g": [float(f"{pnl:.4g}") for pnl in trips.pnl[of].tolist()],
            "r": trips.reason[of].tolist(),
        },
    }


def _tick(price: npt.NDArray[np.float64]) -> float:
    """Return the power of ten by which prices are told: a 20,000th of what they span, or finer."""
    reach = float(np.ptp(price)) or float(np.abs(price).max()) or 1.0
    return float(10.0 ** np.floor(np.log10(reach / 20_000.0)))
