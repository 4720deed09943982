"""Pictures of a run's trades: on the price, how they are distributed, how far they went."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from trading.record import SleeveRecord, Trips
from trading.report.charts import dated
from validation.drawing import (
    BAD,
    GOOD,
    INK,
    OPEN,
    OTHER,
    OWN,
    extremes,
    legend,
    panels,
    svg,
)  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Window", "distribution", "excursions", "on_price", "windows"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MARKED = 400
"""Trades marked in one picture: more can't be told apart."""


class Window(NamedTuple):
    """A stretch of a run that is worth looking at.

    Parameters
    ----------
    name
        Why.
    first, stop
        Its points: those from ``first`` to before ``stop``.
    """

    name: str
    first: int
    stop: int


def windows(one: SleeveRecord) -> list[Window]:
    """Return the busiest stretch of a sleeve, and those of its best and its worst trade.

    A stretch holds a twentieth of the run, 60 points at least; none where the run itself is not
    three times as long, or nothing was traded.
    """
    n, trips = len(one.times), one.trips
    length = max(60, n // 20)
    if not len(trips) or n < 3 * length:
        return []
    at = np.searchsorted(one.times, trips.opened)
    count = np.concatenate(([0], np.cumsum(np.bincount(np.minimum(at, n - 1), minlength=n))))
    busiest = int(np.argmax(count[length:] - count[:-length]))
    found = [Window("busiest stretch", busiest, busiest + length)]
    for name, k in (("best trade", trips.pnl.argmax()), ("worst trade", trips.pnl.argmin())):
        ends = np.searchsorted(one.times, [trips.opened[k], trips.closed[k]]).tolist()
        reach = max(length // 2, 2 * (ends[1] - ends[0]))
        middle = sum(ends) // 2
        first = max(0, min(middle - reach, n - 2 * reach))
        found.append(Window(name, first, min(n, first + 2 * reach)))
    return found


def on_price(
    one: SleeveRecord,
    first: int = 0,
    stop: int | None = None,
    size: tuple[float, float] = (5.0, 3.1),
) -> str:
    """Draw entries and exits on the price of a stretch; of many trades evenly spread ones."""
    times, price = one.times[first:stop], one.price[first:stop]
    trips = one.trips
    inside = np.flatnonzero((trips.closed >= times[0]) & (trips.opened <= times[-1]))
    shown = inside[:: max(1, -(-len(inside) // MARKED))]
    small = len(shown) > 120

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        days = dated(axes, times)
        at = extremes(price, 1600)
        axes.plot(days[at], price[at], color=OTHER, linewidth=0.8)
        low, high = float(price.min()), float(price.max())
        room = 0.05 * max(high - low, 1e-12)
        axes.set_ylim(low - room, high + room)
        axes.set_xlim(float(days[0]), float(max(days[-1], days[0] + 1e-9)))
        for side, mark, colour, name in ((1, "^", OWN, "long"), (-1, "v", OPEN, "short")):
            _entries(axes, trips, shown[trips.side[shown] == side], mark, colour, name, small)
        for won, colour, name in ((True, GOOD, "won"), (False, BAD, "lost")):
            _exits(axes, trips, shown[(trips.pnl[shown] > 0.0) == won], colour, name, small)
        axes.set_ylabel("price")
        legend(axes, 4)

    return panels(draw, size)


def _entries(
    axes: Axes, trips: Trips, of: Ints, mark: str, colour: str, name: str, small: bool
) -> None:
    axes.plot(
        trips.opened[of] / 86_400e9, trips.entry[of], linestyle="none", marker=mark,
        markersize=3.5 if small else 6.5, color=colour, label=name, markeredgewidth=0.0,
    )  # fmt: skip


def _exits(axes: Axes, trips: Trips, of: Ints, colour: str, name: str, small: bool) -> None:
    opened, closed = trips.opened[of] / 86_400e9, trips.closed[of] / 86_400e9
    gap = np.full(len(of), np.nan)
    axes.plot(
        np.column_stack((opened, closed, gap)).ravel(),
        np.column_stack((trips.entry[of], trips.exit[of], gap)).ravel(),
        color=colour, linewidth=0.7 if small else 1.3,
    )  # fmt: skip
    axes.plot(
        closed, trips.exit[of], linestyle="none", marker="x", markersize=3 if small else 5,
        color=colour, label=name, markeredgewidth=0.9 if small else 1.4,
    )  # fmt: skip


def distribution(trips: Trips) -> str:
    """Draw what trades made, in hundredths of a percent of what was held."""
    made = 1e4 * returns(trips)

    def draw(axes: Axes) -> None:
        low, high = np.quantile(made, [0.005, 0.995]).tolist()
        reach = max(high - low, 1e-6)
        ends = (low - 0.05 * reach, high + 0.05 * reach)
        # an edge at 0, so that no bar holds wins and losses
        width = (ends[1] - ends[0]) / 48
        edges = width * np.arange(np.floor(ends[0] / width), np.ceil(ends[1] / width) + 1)
        inside = np.clip(made, edges[0], edges[-1])
        axes.hist(inside[made > 0.0], bins=edges, color=GOOD, alpha=0.75, label="won")
        axes.hist(inside[made <= 0.0], bins=edges, color=BAD, alpha=0.75, label="lost")
        axes.axvline(float(made.mean()), color=INK, linewidth=1.2, linestyle="--", label="mean")
        axes.set_xlabel("net return of a trade, bp of its notional")
        axes.set_ylabel("trades")
        legend(axes, 3)

    return svg(draw)


def excursions(trips: Trips) -> str:
    """Draw how far each trade went against its holder, beside what it came to."""
    made, worst = 1e4 * returns(trips), -1e4 * trips.worst
    at = np.arange(len(trips))[:: max(1, -(-len(trips) // 1000))]

    def draw(axes: Axes) -> None:
        for won, colour, name in ((True, GOOD, "won"), (False, BAD, "lost")):
            of = at[(made[at] > 0.0) == won]
            axes.plot(
                worst[of], made[of], linestyle="none", marker="o", markersize=3.4, color=colour,
                alpha=0.6, markeredgewidth=0.0, label=name,
            )  # fmt: skip
        axes.axhline(0.0, color=OTHER, linewidth=0.9)
        axes.set_xlabel("furthest against, bp")
        axes.set_ylabel("came to, bp")
        legend(axes, 2)

    return svg(draw)


def returns(trips: Trips) -> Floats:
    """Net return of each trade on the largest notional it held, ``float64[k]``."""
    made: Floats = trips.pnl / (trips.units * trips.entry)
    return made
