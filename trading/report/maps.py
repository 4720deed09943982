"""Pictures of what a run might have been: bands of luck, maps of costs and parameters, stress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from trading.report.headline import money
from trading.robustness.montecarlo import Fan
from trading.robustness.overfitting import Overfitting
from trading.robustness.sensitivity import Sensitivity
from trading.robustness.shocks import Shocks
from trading.robustness.slippage import Capacity, Slip
from trading.robustness.stress import Stress
from validation.drawing import (
    BAD,
    GOOD,
    GRID,
    INK,
    OTHER,
    OWN,
    PALE,
    RULE,
    SOFT,
    legend,
    panels,
    svg,
)  # fmt: skip

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["capacity", "fan", "grid", "inside_out", "sensitivity", "shocks", "slips", "stress"]

Floats = npt.NDArray[np.float64]


def fan(one: Fan) -> str:
    """Draw where equity might have gone: quantiles of the drawn paths, and the run's own."""
    steps, bands = 100.0 * np.array(one.steps), np.array(one.bands)
    levels, half = one.levels, len(one.levels) // 2

    def draw(axes: Axes) -> None:
        for k in range(half):
            axes.fill_between(
                steps, bands[k], bands[-1 - k], color=PALE, alpha=0.55, linewidth=0.0,
                label=f"{levels[-1 - k] - levels[k]:.0%}",
            )  # fmt: skip
        axes.plot(steps, bands[half], color=OTHER, linewidth=1.0, label="median")
        axes.plot(steps, one.own, color=OWN, linewidth=1.5, label="the run")
        axes.axhline(one.own[0], color=RULE, linewidth=0.8)
        axes.set_xlabel("share of the way, %")
        axes.set_ylabel("equity")
        legend(axes, 4)

    return svg(draw)


def grid(
    values: Floats,
    rows: tuple[str, Sequence[float]],
    columns: tuple[str, Sequence[float]],
    write: Callable[[float], str],
    best: tuple[int, int] | None = None,
) -> str:
    """Draw a map: green above 0, red below, the stronger the farther.

    Parameters
    ----------
    values
        ``float64[a, b]``.
    rows, columns
        What runs along each side, and its values: ``a``, ``b``.
    write
        Makes a cell's text.
    best
        Row and column of the cell that is framed.
    """
    from matplotlib.patches import Rectangle

    finite = values[np.isfinite(values)]
    most = float(np.abs(finite).max(initial=0.0)) or 1.0
    small = values.shape[1] > 7
    told = values.size <= 64

    def draw(axes: Axes) -> None:
        for (i, j), value in np.ndenumerate(values):
            known = np.isfinite(value)
            colour = (GOOD if value >= 0.0 else BAD) if known else GRID
            strength = 0.08 + 0.72 * abs(float(value)) / most if known else 1.0
            axes.add_patch(
                Rectangle((j - 0.5, i - 0.5), 1.0, 1.0, facecolor=colour, alpha=strength)
            )
            if told:
                axes.text(
                    j, i, write(float(value)), ha="center", va="center", color=INK,
                    fontsize=7.0 if small else 8.5,
                )  # fmt: skip
        if best is not None:
            axes.add_patch(
                Rectangle(
                    (best[1] - 0.5, best[0] - 0.5), 1.0, 1.0, fill=False, edgecolor=INK,
                    linewidth=1.6,
                )
            )  # fmt: skip
        axes.set_xlim(-0.52, values.shape[1] - 0.48)
        axes.set_ylim(-0.52, values.shape[0] - 0.48)
        for side, (name, steps) in (("y", rows), ("x", columns)):
            every = max(1, -(-len(steps) // 8))
            at = range(0, len(steps), every)
            place = axes.set_yticks if side == "y" else axes.set_xticks
            place(at, [f"{steps[k]:g}" for k in at])
            (axes.set_ylabel if side == "y" else axes.set_xlabel)(name)
        axes.grid(visible=False)

    return panels(lambda figure: draw(figure.subplots()))


def shocks(one: Shocks) -> str:
    """Draw P&L over factors on costs and slippage, at the least latency added."""
    least = min(cell.latency for cell in one.cells)
    cells = {(c.costs, c.slippage): c.pnl.value for c in one.cells if c.latency == least}
    costs = sorted({at[0] for at in cells})
    slippage = sorted({at[1] for at in cells})
    values = np.array([[cells[a, b] for b in slippage] for a in costs])
    return grid(values, ("costs, factor", costs), ("slippage, factor", slippage), money)


def stress(one: Stress) -> str:
    """Draw what each scenario took or gave."""
    names = [each.name.replace("_", " ") for each in one.ordeals]

    def draw(axes: Axes) -> None:
        for place, each in enumerate(one.ordeals):
            axes.barh(place, each.change, 0.62, color=GOOD if each.change >= 0.0 else BAD)
        axes.axvline(0.0, color=OTHER, linewidth=0.9)
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(axis="y", labelsize=8.5)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel("change of P&L, account currency")

    return panels(lambda figure: draw(figure.subplots()))


def sensitivity(one: Sensitivity) -> str:
    """Draw the Sharpe ratio over one parameter as a line, over two as a map; the best marked."""
    sharpe = np.array(one.sharpe, float)
    first = one.values[0]
    if len(one.parameters) > 1:
        rows, columns = ((name, one.values[k]) for k, name in enumerate(one.parameters))
        return grid(sharpe, rows, columns, lambda value: f"{value:.2g}", one.best)

    def draw(axes: Axes) -> None:
        axes.axhline(0.0, color=OTHER, linewidth=0.9)
        axes.plot(first, sharpe[:, 0], color=OWN, linewidth=1.4, marker="o", markersize=4)
        at = one.best[0]
        axes.plot(
            [first[at]], [sharpe[at, 0]], color=INK, marker="o", markersize=8, fillstyle="none"
        )
        axes.set_xlabel(one.parameters[0])
        axes.set_ylabel("Sharpe a year")

    return svg(draw)


def inside_out(one: Overfitting) -> str:
    """Draw what became, out of sample, of each variant that was chosen in sample."""
    inside, outside = np.array(one.inside), np.array(one.outside)

    def draw(axes: Axes) -> None:
        axes.axhline(0.0, color=OTHER, linewidth=0.9)
        ends = [float(min(inside.min(), 0.0)), float(max(inside.max(), 0.0))]
        axes.plot(ends, ends, color=SOFT, linewidth=0.9, linestyle=":", label="all of it arrives")
        axes.plot(
            inside, outside, linestyle="none", marker="o", markersize=3.2, alpha=0.45, color=OWN,
            markeredgewidth=0.0, label="a choice",
        )  # fmt: skip
        axes.set_xlabel("Sharpe a year, in sample")
        axes.set_ylabel("out of sample")
        legend(axes, 2)

    return svg(draw)


def slips(of: tuple[Slip, ...]) -> str:
    """Draw what slippage took of trades of each size."""

    def draw(axes: Axes) -> None:
        for place, one in enumerate(of):
            axes.bar(place, one.basis_points, 0.62, color=BAD, alpha=0.85)
        axes.set_xticks(range(len(of)), [f"{one.label}\n({one.trades:,})" for one in of])
        axes.tick_params(axis="x", labelsize=8.5)
        axes.grid(axis="x", visible=False)
        axes.set_ylabel("paid, bp of notional")

    return panels(lambda figure: draw(figure.subplots()))


def capacity(one: Capacity) -> str:
    """Draw what the same trades would earn at other sizes."""

    def draw(axes: Axes) -> None:
        axes.axhline(0.0, color=OTHER, linewidth=0.9)
        axes.plot(one.multiples, one.pnl, color=OWN, linewidth=1.4)
        axes.axvline(1.0, color=RULE, linewidth=1.2)
        axes.axvline(one.best, color=GOOD, linewidth=1.2, linestyle="--", label="earns most")
        axes.axvline(one.dead, color=BAD, linewidth=1.2, linestyle="--", label="earns nothing")
        axes.set_xlabel("size, multiples of this run's")
        axes.set_ylabel("P&L")
        legend(axes, 2)

    return svg(draw)
