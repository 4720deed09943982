"""Figures of what was selected and what matters: importance, stability, clusters.

Each function returns a ``matplotlib.figure.Figure``; :func:`save` writes it as PNG or SVG, the same
bytes for the same figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from features.selection.clusters import Clusters
from features.selection.importance import Importance
from features.selection.stability import TARGET, FoldSelections

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_clusters", "plot_importance", "plot_stability", "save"]

Drawing = TypeVar("Drawing", bound=Callable[..., Any])

_INK, _SOFT, _RULE = "#1f2933", "#616e7c", "#d9dee4"
_BAR, _CLUSTER = "#2f6690", "#9fb8cc"
_CLASSES = ("#b5483a", "#c9c4ba", "#3a7d5d", "#8a6fa8", "#c98f3c", "#5a8f9c")
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": _INK,
    "axes.edgecolor": _RULE,
    "axes.labelcolor": _SOFT,
    "axes.titlecolor": _INK,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "xtick.color": _SOFT,
    "ytick.color": _INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "svg.hashsalt": "pregao",
}


def save(figure: Figure, path: Path) -> None:
    """Write a figure as its path ends, ``.png`` or ``.svg``, without time and program in it."""
    import matplotlib

    kind = path.suffix.removeprefix(".").lower()
    if kind not in ("png", "svg"):
        raise ValueError(f"a figure's path must end with .png or .svg, was {path.name!r}")
    metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    with matplotlib.rc_context(_STYLE):
        figure.savefig(path, format=kind, dpi=150, metadata=metadata)


def _styled(draw: Drawing) -> Drawing:
    """Let a figure be drawn in the house look, and leave matplotlib's settings as they were."""

    @wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> Any:
        import matplotlib

        with matplotlib.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return cast(Drawing, drawn)


@_styled
def plot_importance(found: Importance, top: int = 20) -> Figure:
    """Draw gain, permutation with two standard errors, and SHAP by class, side by side.

    Parameters
    ----------
    found
        What is drawn.
    top
        Columns, those of the largest permutation importance.
    """
    order = found.order("permutation")[:top][::-1]
    place = np.arange(len(order))
    skill = found.skill
    spread = f" (from {skill.min():+.2%} to {skill.max():+.2%})" if len(skill) > 1 else ""
    figure = _figure(
        11.0,
        1.2 + 0.24 * len(order),
        f"What the trees live on: {len(order)} of {len(found.names)} columns",
        f"Held-out log loss {found.loss.mean():.4f}, {skill.mean():+.2%} better than class "
        f"frequencies{spread}. Without skill, permutation says nothing.",
    )
    left, middle, right = figure.subplots(1, 3, sharey=True)
    left.barh(place, 100.0 * found.gain[order], height=0.68, color=_BAR)
    left.set_yticks(place, [found.names[j] for j in order])
    _panel(left, "Gain", "% of the training loss taken away")
    if len(set(found.clusters.tolist())) < len(found.names):
        middle.barh(
            place, 1e3 * found.clustered[order], height=0.68, color=_CLUSTER, label="whole cluster"
        )
    middle.barh(place, 1e3 * found.permutation[order], height=0.4, color=_BAR, label="column")
    middle.errorbar(
        1e3 * found.permutation[order],
        place,
        xerr=2e3 * found.permutation_se[order],
        fmt="none",
        ecolor=_INK,
        elinewidth=0.9,
        label="± 2 standard errors",
    )
    middle.axvline(0.0, color=_SOFT, linewidth=0.8)
    middle.legend(loc="lower right", frameon=False, fontsize=8.0)
    _panel(middle, "Permutation", "rise of the held-out log loss, millinats")
    start = np.zeros(len(order))
    for k, kind in enumerate(found.classes):
        value = found.shap[order, k]
        colour = _CLASSES[k % len(_CLASSES)]
        right.barh(place, value, left=start, height=0.68, color=colour, label=_class(found, kind))
        start += value
    right.legend(loc="lower right", frameon=False, fontsize=8.0)
    _panel(right, "SHAP", "mean absolute contribution, log odds")
    return figure


@_styled
def plot_stability(found: FoldSelections, top: int = 40) -> Figure:
    """Draw which fold chose which column, and how early.

    Parameters
    ----------
    found
        The folds' selections.
    top
        Columns, those that most folds chose, and the earliest chosen among equals.
    """
    folds = len(found.selections)
    rank = np.full((len(found.names), folds), np.nan)
    for fold, one in enumerate(found.selections):
        rank[one.indices, fold] = np.arange(1, len(one.indices) + 1)
    often = np.isfinite(rank).sum(axis=1)
    late = np.nansum(rank, axis=1) / np.maximum(often, 1)
    ever = np.flatnonzero(often)
    shown = ever[np.lexsort((late[ever], -often[ever]))][:top]
    alike, null = found.stability, found.shifted
    lots = "" if null is None else f" With labels of other rows: {null.index:.2f}."
    figure = _figure(
        max(4.2 + 0.46 * folds, 6.2),
        1.0 + 0.22 * len(shown),
        f"Stability {alike.index:.2f}: target > {TARGET:g} {'met' if alike.met else 'not met'}",
        f"{alike.level:.0%} interval {alike.low:.2f} to {min(alike.high, 1.0):.2f}.{lots}\n"
        f"Correlated columns taken as one: {alike.effective:.2f}. Jaccard {alike.jaccard:.2f}.\n"
        f"{len(ever)} of {len(found.names)} columns were ever chosen"
        + (f"; the {len(shown)} that most folds chose." if len(shown) < len(ever) else "."),
    )
    axes = figure.subplots()
    most = int(np.nanmax(rank)) if len(ever) else 1
    image = axes.imshow(
        rank[shown], cmap=_blues(), vmin=1, vmax=max(most, 2), aspect="auto", interpolation="none"
    )
    axes.set_yticks(np.arange(len(shown)), [found.names[j] for j in shown])
    axes.set_xticks(np.arange(folds), [str(fold + 1) for fold in range(folds)])
    axes.set_xticks(np.arange(folds + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(shown) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.set_xlabel("fold")
    for row, j in enumerate(shown):
        axes.text(
            folds - 0.3, row, f"{often[j]} of {folds}", va="center", fontsize=7.5, color=_SOFT
        )
    _bare(axes)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=25, pad=0.16)
    bar.set_label("chosen as number")
    bar.set_ticks(np.unique(np.linspace(1, max(most, 2), 6).round().astype(int)).tolist())
    bar.outline.set_visible(False)
    bar.ax.invert_yaxis()
    bar.ax.tick_params(length=0)
    return figure


@_styled
def plot_clusters(found: Clusters, names: Sequence[str]) -> Figure:
    """Draw rank correlations in the order of the dendrogram, which stands beside them.

    Parameters
    ----------
    found
        Two columns or more.
    names
        Of its columns.
    """
    from matplotlib.patches import Rectangle
    from scipy.cluster.hierarchy import dendrogram

    columns = len(names)
    if columns < 2:
        raise ValueError(f"clusters to draw need two columns or more, had {columns}")
    side = min(max(0.17 * columns, 3.5), 16.0)
    figure = _figure(
        side + 4.2,
        side + 0.5,
        f"{len(found)} clusters of {columns} columns",
        f"Average linkage, merged while the mean |ρ| is {found.threshold:g} or more.",
    )
    tree, axes = figure.subplots(1, 2, width_ratios=(1.3, side))
    drawn: dict[str, Any] = dendrogram(found.linkage, no_plot=True)
    order = np.array(drawn["leaves"])
    for depth, height in zip(drawn["dcoord"], drawn["icoord"], strict=True):
        colour = _BAR if depth[1] <= 1.0 - found.threshold else _CLUSTER
        tree.plot(depth, (np.array(height) - 5.0) / 10.0, color=colour, linewidth=0.9)
    tree.axvline(1.0 - found.threshold, color=_CLASSES[0], linewidth=0.9, linestyle=(0, (4, 3)))
    tree.set_xlim(1.02, 0.0)
    tree.set_ylim(columns - 0.5, -0.5)
    tree.set_xticks([1.0, 0.5, 0.0], ["1", ".5", "0"])
    tree.set_xlabel("1 − |ρ|")
    tree.set_yticks([])
    _bare(tree)
    image = axes.imshow(
        found.correlation[np.ix_(order, order)], cmap="RdBu_r", vmin=-1.0, vmax=1.0, aspect="auto",
        interpolation="none",
    )  # fmt: skip
    small = max(min(8.0, 60.0 * side / columns), 2.5)
    axes.yaxis.tick_right()
    axes.set_yticks(np.arange(columns), [names[j] for j in order], fontsize=small)
    axes.set_xticks([])
    _bare(axes)
    labels = found.labels[order]
    start = 0
    for stop in [*(np.flatnonzero(np.diff(labels)) + 1).tolist(), columns]:
        if stop - start > 1:
            corner, size = (start - 0.5, start - 0.5), stop - start
            axes.add_patch(Rectangle(corner, size, size, fill=False, edgecolor=_INK, linewidth=1.0))
        start = stop
    bar = figure.colorbar(image, ax=axes, shrink=0.5, aspect=25, pad=0.02)
    bar.set_label("Spearman's ρ")
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    return figure


def _figure(width: float, height: float, title: str, below: str) -> Figure:
    """Return an empty figure under its title; sizes in inches."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    head = 0.5 + 0.17 * (1 + below.count("\n"))
    side = 0.1 / width
    room = (side, 0.0, 1.0 - 2.0 * side, height / (height + head))
    figure = Figure(figsize=(width, height + head), layout=ConstrainedLayoutEngine(rect=room))
    top = 1.0 - 0.13 / (height + head)
    figure.text(side, top, title, va="top", fontsize=12.5, fontweight="bold")
    figure.text(side, top - 0.27 / (height + head), below, va="top", color=_SOFT, linespacing=1.35)
    return figure


def _panel(axes: Axes, title: str, unit: str) -> None:
    axes.set_title(title, fontweight="bold")
    axes.set_xlabel(unit)
    axes.grid(axis="x", color=_RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.tick_params(length=0, which="both")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _class(found: Importance, kind: int) -> str:
    return {0: "down", 1: "flat", 2: "up"}[kind] if found.classes == (0, 1, 2) else f"class {kind}"


def _blues() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("chosen", ["#17395c", "#2f6690", "#a9c6dd"])
    return shades.with_extremes(bad="#f1f3f5")
