"""Pictures of a hold-out run, for the gate's report: each an SVG, the same for the same run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from validation.bootstrap import block_means
from validation.drawing import BAD, GOOD, OTHER, OWN, PALE, POINTS, RULE, SOFT, legend, svg, thin
from validation.evidence import Evidence
from validation.reliability import curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["blocks", "champion", "drawdown", "equity", "reliability", "shifted", "shifts"]

Floats = npt.NDArray[np.float64]

_CLASSES = (("down", BAD), ("flat", OTHER), ("up", GOOD))


def equity(evidence: Evidence) -> str:
    """Draw what was earned, beside the market held at the same average size."""
    own = 100.0 * np.cumsum(np.log1p(np.maximum(evidence.net_returns, -0.999_999)))
    size = float(np.abs(evidence.exposures).mean())
    market = 100.0 * size * np.cumsum(evidence.market)

    def draw(axes: Axes) -> None:
        at = thin(len(own))
        axes.axhline(0.0, color=RULE, linewidth=0.8)
        axes.plot(at, market[at], color=OTHER, linewidth=1.0, label="market, same average size")
        axes.plot(at, own[at], color=OWN, linewidth=1.5, label="strategy, after costs")
        axes.set_xlabel("decision")
        axes.set_ylabel("log return, %")
        legend(axes, 2)

    return svg(draw)


def shifts(exposures: Floats, market: Floats) -> Floats:
    """Gross gain of the exposures at every circular shift, unshifted first: ``float64[m]``.

    Entry ``k`` is ``Σ_t exposures[t - k] market[t]``, all at once by Fourier transform.

    Examples
    --------
    >>> shifts(np.array([1.0, 0.0, 0.0]), np.array([5.0, 6.0, 7.0])).round(9).tolist()
    [5.0, 6.0, 7.0]
    """
    spectrum = np.fft.rfft(market) * np.conj(np.fft.rfft(exposures))
    gains: Floats = np.fft.irfft(spectrum, len(market))
    return gains


def shifted(evidence: Evidence) -> str:
    """Draw what the same exposures would have earned at any other time."""
    gains = 100.0 * shifts(evidence.exposures, evidence.market)
    own = float(gains[0])

    def draw(axes: Axes) -> None:
        low, high = float(gains.min()), float(gains.max())
        width = max(high - low, 1e-9)
        axes.hist(gains[1:], bins=60, range=(low, low + width), color=PALE)
        axes.axvline(own, color=OWN, linewidth=1.8)
        left = own > low + 0.5 * width
        axes.annotate(
            "this strategy",
            (own, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-5 if left else 5, 4),
            textcoords="offset points",
            ha="right" if left else "left",
            color=OWN,
        )
        axes.set_xlabel("gain before costs, % of equity")
        axes.set_ylabel("shifts")

    return svg(draw)


def blocks(evidence: Evidence, block: int, t: float, need: float) -> str:
    """Draw the means of blocks, what their mean is, and what it would have to be."""
    means = 1e4 * block_means(evidence.net_returns, block)
    mean = float(means.mean())
    spread = float(means.std(ddof=1)) / math.sqrt(len(means))

    def draw(axes: Axes) -> None:
        low, high = np.quantile(means, [0.005, 0.995]).tolist()
        reach = max(high - low, 1e-9)
        inside = (float(low - 0.1 * reach), float(high + 0.1 * reach))
        axes.hist(np.clip(means, *inside), bins=48, range=inside, color=PALE)
        axes.axvline(need * spread, color=BAD, linewidth=1.2, linestyle="--")
        axes.axvline(mean, color=OWN, linewidth=1.8)
        axes.plot([], [], color=OWN, linewidth=1.8, label=f"mean, t {t:.2f}")
        axes.plot([], [], color=BAD, linestyle="--", linewidth=1.2, label=f"needed, t {need:.2f}")
        axes.set_xlabel(f"net return a decision over {block}, basis points")
        axes.set_ylabel("blocks")
        legend(axes, 2)

    return svg(draw)


def drawdown(evidence: Evidence, limit: float) -> str:
    """Draw the falls from the peak, and how far they may go."""
    level = np.concatenate(([1.0], np.cumprod(np.maximum(1.0 + evidence.net_returns, 0.0))))
    fall = 100.0 * (level / np.maximum.accumulate(level) - 1.0)

    def draw(axes: Axes) -> None:
        # Of each stretch the deepest point: thinning must not hide the worst.
        edges = np.unique(np.linspace(0, len(fall), min(POINTS, len(fall)) + 1).astype(int))[:-1]
        axes.fill_between(edges, np.minimum.reduceat(fall, edges), 0.0, color=PALE, linewidth=0.0)
        axes.plot(edges, np.minimum.reduceat(fall, edges), color=OWN, linewidth=1.0)
        if -fall.min() > 30.0 * limit:
            axes.axhline(-100.0 * limit, color=BAD, linewidth=1.2, linestyle="--")
            axes.plot([], [], color=BAD, linestyle="--", linewidth=1.2, label="allowed")
            legend(axes, 1)
        axes.set_xlabel("decision")
        axes.set_ylabel("below the peak, %")

    return svg(draw)


def reliability(evidence: Evidence) -> str | None:
    """Draw how often what was said happened; ``None`` where nothing was said."""
    said, labels = evidence.probabilities, evidence.labels
    if said is None or labels is None or not len(labels):
        return None

    def draw(axes: Axes) -> None:
        ends = [1.0, 0.0]
        for k, (name, colour) in enumerate(_CLASSES):
            one = curve(said[:, k], labels == k)
            # Two standard errors, as if outcomes were independent.
            error = 2.0 * np.sqrt(one.happened * (1.0 - one.happened) / one.size)
            axes.errorbar(
                one.said, one.happened, yerr=error, color=colour, marker="o", markersize=3.5,
                linewidth=1.2, elinewidth=0.8, label=name,
            )  # fmt: skip
            seen = np.concatenate((one.said, one.happened))
            ends = [min(ends[0], float(seen.min())), max(ends[1], float(seen.max()))]
        axes.plot(ends, ends, color=SOFT, linewidth=0.9, linestyle=":")
        axes.set_xlabel("probability said")
        axes.set_ylabel("share that happened")
        legend(axes, 3)

    return svg(draw)


def champion(evidence: Evidence) -> str | None:
    """Draw what was earned beyond the champion; ``None`` if there is none."""
    other = evidence.champion
    if other is None:
        return None
    beyond = 100.0 * np.cumsum(evidence.net_returns - other.net_returns)

    def draw(axes: Axes) -> None:
        at = thin(len(beyond))
        axes.axhline(0.0, color=OTHER, linewidth=1.0)
        axes.plot(at, beyond[at], color=OWN, linewidth=1.5)
        axes.set_xlabel("decision")
        axes.set_ylabel("beyond the champion, %")

    return svg(draw)
