"""How every report's pictures look: an SVG, the same for the same figures, in light and in dark.

Colours: blue is the strategy, grey what it is compared with, red a limit or a loss, green a gain.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BAD", "GOOD", "GRID", "INK", "OPEN", "OTHER", "OWN", "PALE", "POINTS", "RULE", "SERIES",
    "SOFT", "TINT", "extremes", "legend", "panels", "svg", "thin",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

INK, SOFT, RULE, GRID = "#1f2933", "#616e7c", "#d9dee4", "#eef1f4"
OWN, OTHER, PALE = "#2f6690", "#8a94a0", "#c5d3df"
BAD, TINT, GOOD, OPEN = "#b5483a", "#efd5d0", "#3a7d5d", "#9a6b15"
SERIES = (OWN, OPEN, GOOD, "#7a4f9a", BAD, "#3b8a8f")
"""Of several runs in one picture."""

_DARK = {
    INK: "#e4e7eb",
    SOFT: "#a3adb8",
    RULE: "#46525f",
    GRID: "#2b343f",
    OWN: "#74b0de",
    OTHER: "#8d98a5",
    PALE: "#3a5068",
    BAD: "#e8897b",
    TINT: "#593832",
    GOOD: "#6cc199",
    OPEN: "#d9a441",
    "#7a4f9a": "#b78fd6",
    "#3b8a8f": "#66bcc2",
}
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "text.color": INK,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": RULE,
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "svg.hashsalt": "pregao",
}
POINTS = 800
"""Of a line: more can't be seen."""


def thin(n: int, points: int = POINTS) -> Ints:
    """Places of at most ``points`` of ``n`` values, evenly spread, both ends among them.

    Examples
    --------
    >>> thin(9, 3).tolist(), thin(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return np.unique(np.linspace(0, n - 1, min(n, points)).astype(np.int64))


def extremes(values: Floats, points: int = POINTS) -> Ints:
    """Places of at most ``points`` values, such that no peak and no trough is lost.

    Of each stretch the lowest and the highest value are kept, and of the whole both ends.

    Parameters
    ----------
    values
        ``float64[n]``: finite.
    points
        Four at least.

    Examples
    --------
    >>> extremes(np.array([0.0, 9.0, 0.0, 0.0, 0.0, -5.0, 0.0, 0.0]), 6).tolist()
    [0, 1, 4, 5, 7]
    """
    n = len(values)
    if n <= points:
        return np.arange(n)
    edges = np.linspace(0, n, max(1, points // 2 - 1) + 1).astype(np.int64)
    kept = [0, n - 1]
    for first, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        stretch = values[first:stop]
        kept += [first + int(stretch.argmin()), first + int(stretch.argmax())]
    return np.unique(np.array(kept, np.int64))


def legend(axes: Axes, columns: int) -> None:
    """Put the legend above, where it covers nothing."""
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns, borderaxespad=0.2)


def svg(draw: Callable[[Axes], None], size: tuple[float, float] = (5.0, 3.1)) -> str:
    """Draw on a canvas of ``size`` inches, in the house look."""

    def whole(figure: Figure) -> None:
        axes = figure.subplots()
        draw(axes)
        axes.margins(x=0.01)
        axes.locator_params(axis="x", nbins=6)  # more labels touch each other

    return panels(whole, size)


def panels(draw: Callable[[Figure], None], size: tuple[float, float] = (5.0, 3.1)) -> str:
    """Draw on a whole figure, in the house look; where the reader's page is dark, so is this."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        target = io.BytesIO()
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    return target.getvalue().decode().replace("</style>", f"{_dark()}</style>", 1)


def _dark() -> str:
    """Rules for a dark page: matplotlib writes each colour beside what it colours."""
    rules = "".join(
        f'[style*="{part}: {light}"]{{{part}:{dark}!important}}'
        for light, dark in _DARK.items()
        for part in ("fill", "stroke")
    )
    return f"@media(prefers-color-scheme:dark){{{rules}}}"
