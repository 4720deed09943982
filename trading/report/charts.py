"""Pictures of a run's account: equity and its falls, months, costs, calibration, what was held."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from trading.report.figures import Figures, Part, Span
from trading.report.headline import blamed, money
from validation.breakdown import Group
from validation.drawing import (
    BAD,
    GOOD,
    INK,
    OTHER,
    OWN,
    PALE,
    RULE,
    SOFT,
    extremes,
    legend,
    panels,
    svg,
)  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "bars", "calibration", "costs", "dated", "equity", "held", "parts", "rolling", "spans",
    "waterfall",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WIDE, NARROW = (10.3, 3.9), (5.0, 4.2)


def dated(axes: Axes, times: Ints) -> Floats:
    """Make the x axis one of dates (UTC), and return the times as it takes them."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    if len(times) > 1 and times[-1] > times[0]:
        locator = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(
            ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        )
    days: Floats = times / 86_400e9
    return days


def equity(found: Figures, market: Floats | None = None, size: tuple[float, float] = WIDE) -> str:
    """Draw the account's worth, its fall from the peak below.

    Parameters
    ----------
    found
        Of the run.
    market
        ``float64[t]`` at the points of ``found.path``: what the market did, from 1; drawn as if the
        capital had been in it.
    size
        Inches.
    """
    times, worth = np.array(found.path.times, np.int64), np.array(found.path.equity)
    peak = np.maximum.accumulate(worth)
    fall = 100.0 * (np.maximum(worth, 0.0) / np.maximum(peak, 1e-300) - 1.0)

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        days = dated(lower, times)
        at = extremes(worth, 1600)
        upper.axhline(found.capital, color=RULE, linewidth=0.8)
        if market is not None:
            other = extremes(market)
            upper.plot(
                days[other], found.capital * market[other], color=OTHER, linewidth=0.9,
                label="the market, held",
            )  # fmt: skip
        upper.plot(days[at], worth[at], color=OWN, linewidth=1.4, label="account, after all costs")
        upper.set_ylabel("equity")
        legend(upper, 2)
        at = extremes(fall, 1600)
        lower.fill_between(days[at], fall[at], 0.0, color=PALE, linewidth=0.0)
        lower.plot(days[at], fall[at], color=OWN, linewidth=0.8)
        lower.set_ylabel("below peak, %")
        lower.margins(x=0.01)

    return panels(draw, size)


def rolling(found: Figures) -> str | None:
    """Draw the Sharpe ratio of a tenth of the run at a time; ``None`` for a run too short."""
    times, worth = np.array(found.path.times, np.int64), np.array(found.path.equity)
    annual = found.returns.annual
    window = max(20, len(worth) // 10)
    if annual is None or len(worth) < 2 * window:
        return None
    steps = np.diff(worth) / np.where(worth[:-1] > 0.0, worth[:-1], np.inf)
    sums = np.concatenate(([0.0], np.cumsum(steps)))
    squares = np.concatenate(([0.0], np.cumsum(steps**2)))
    mean = (sums[window:] - sums[:-window]) / window
    spread = np.sqrt(np.maximum((squares[window:] - squares[:-window]) / window - mean**2, 0.0))
    nothing = spread <= 1e-9 * float(np.abs(steps).max(initial=1e-300))
    sharpe = np.where(nothing, 0.0, mean / np.where(nothing, 1.0, spread))
    sharpe *= math.sqrt(annual.periods)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        days = dated(axes, times)[window:]
        at = extremes(sharpe)
        axes.axhline(0.0, color=OTHER, linewidth=0.9)
        axes.plot(days[at], sharpe[at], color=OWN, linewidth=1.3)
        axes.set_ylabel("Sharpe a year")
        axes.margins(x=0.01)

    return panels(draw)


def held(found: Figures) -> str:
    """Draw what was held, as a multiple of equity."""
    times, size = np.array(found.path.times, np.int64), np.array(found.path.exposure)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        days = dated(axes, times)
        at = extremes(size)
        axes.axhline(0.0, color=OTHER, linewidth=0.9)
        axes.fill_between(
            days[at], size[at], 0.0, step="post", color=PALE, linewidth=0.4, edgecolor=OWN
        )
        axes.set_ylabel("held, multiples of equity")
        axes.margins(x=0.01)

    return panels(draw)


def calibration(found: Figures) -> str | None:
    """Draw how often trades went the way that was said; ``None`` where nothing was said."""
    told = found.reliability
    if told is None:
        return None
    said, happened, size = np.array(told.said), np.array(told.happened), np.array(told.size)

    def draw(axes: Axes) -> None:
        error = 2.0 * np.sqrt(np.maximum(happened * (1.0 - happened), 0.25 / size) / size)
        axes.errorbar(
            said, happened, yerr=error, color=OWN, marker="o", markersize=4, linewidth=1.2,
            elinewidth=0.8,
        )  # fmt: skip
        ends = [float(said.min()) - 0.02, float(said.max()) + 0.02]
        axes.plot(ends, ends, color=SOFT, linewidth=0.9, linestyle=":")
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlabel("probability said of the side taken")
        axes.set_ylabel("share that went there")

    return svg(draw)


def costs(found: Figures) -> str:
    """Draw the way from what the market's moves made to what was left."""
    last = len(blamed(found)) - 1
    steps = [one for k, one in enumerate(blamed(found)) if one[1] or k == last]
    return waterfall(steps)


def waterfall(steps: list[tuple[str, float]], size: tuple[float, float] = (5.0, 3.1)) -> str:
    """Draw amounts one on top of the other; the last is their sum and stands on the ground."""
    crowded = len(steps) > 1.1 * size[0]

    def draw(axes: Axes) -> None:
        level = 0.0
        for place, (_, amount) in enumerate(steps):
            last = place == len(steps) - 1
            bottom = 0.0 if last else level
            colour = OWN if last else GOOD if amount >= 0.0 else BAD
            axes.bar(place, amount, 0.62, bottom=bottom, color=colour)
            top = max(bottom, bottom + amount)
            axes.annotate(
                money(amount), (place, top), xytext=(0, 3), textcoords="offset points",
                ha="center", fontsize=6.5 if crowded else 8.5, color=INK,
            )  # fmt: skip
            if not last:
                level += amount
                axes.plot([place, place + 1], [level, level], color=SOFT, linewidth=0.7)
        axes.axhline(0.0, color=OTHER, linewidth=0.9)
        axes.set_xticks(range(len(steps)), [name.replace(" ", "\n", 1) for name, _ in steps])
        axes.tick_params(
            axis="x", labelsize=8.0 if crowded else 9.0, length=0, rotation=45 if crowded else 0
        )
        axes.grid(axis="x", visible=False)
        axes.margins(y=0.12)
        axes.set_ylabel("account currency")

    return panels(lambda figure: draw(figure.subplots()), size)


def parts(of: tuple[Part, ...]) -> str:
    """Draw what the trades of each part made on average, with intervals, and how many there are."""
    labels = [f"{one.label} ({one.trades:,})" for one in of]

    def draw(axes: Axes) -> None:
        for place, one in enumerate(of):
            mean = one.mean
            colour = GOOD if mean.value >= 0.0 else BAD
            axes.barh(place, mean.value, 0.6, color=colour, alpha=0.85)
            if not math.isnan(mean.low):
                axes.plot([mean.low, mean.high], [place, place], color=INK, linewidth=1.1)
        axes.axvline(0.0, color=OTHER, linewidth=0.9)
        axes.set_yticks(range(len(of)), labels)
        axes.set_ylim(max(len(of), 4) - 0.5, -0.5)  # one bar alone is no wall
        axes.grid(axis="y", visible=False)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("mean trade, account currency")

    return panels(lambda figure: draw(figure.subplots()))


def bars(group: Group) -> str:
    """Draw the mean net return of each hour or weekday; what surely differs is not pale."""

    def draw(axes: Axes) -> None:
        for place, one in enumerate(group.buckets):
            net = 1e4 * one.net.value
            colour = (GOOD if net >= 0.0 else BAD) if one.differs else PALE
            axes.bar(place, net, 0.7, color=colour)
            if not math.isnan(one.net.low):
                ends = [1e4 * one.net.low, 1e4 * one.net.high]
                axes.plot([place, place], ends, color=SOFT, linewidth=0.9)
        axes.axhline(0.0, color=OTHER, linewidth=0.9)
        every = 1 if len(group.buckets) <= 12 else 3
        at = range(0, len(group.buckets), every)
        axes.set_xticks(at, [group.buckets[k].label for k in at])
        axes.grid(axis="x", visible=False)
        axes.set_ylabel("net return a step, bp")

    return panels(lambda figure: draw(figure.subplots()))


def spans(of: tuple[Span, ...]) -> str:
    """Draw the return of every month or day."""
    values = 100.0 * np.array([one.value for one in of])

    def draw(axes: Axes) -> None:
        place = np.arange(len(of))
        axes.bar(place, values, 0.75, color=[GOOD if one >= 0.0 else BAD for one in values])
        axes.axhline(0.0, color=OTHER, linewidth=0.9)
        every = max(1, -(-len(of) // 6))
        labels = [one.label if len(one.label) == 7 else one.label[5:] for one in of[::every]]
        axes.set_xticks(place[::every], labels)
        axes.tick_params(axis="x", labelsize=8.5)
        axes.grid(axis="x", visible=False)
        axes.set_ylabel("net return, %")

    return panels(lambda figure: draw(figure.subplots()))
