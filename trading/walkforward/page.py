"""A walk-forward's outcome as one page that needs nothing else: tables and pictures."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.combination.comparison import Paired
from trading.walkforward.judging import Judged, Outcome, evidence_of
from validation import charts, sheet
from validation.breakdown import Breakdown
from validation.drawing import SOFT, legend, svg, thin

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["page", "write"]

_STYLE = ".grid tr:last-child td{font-weight:600}.p .grid tr:last-child td{font-weight:400}"


def page(outcome: Outcome) -> str:
    """Return the page: every variant, the ensemble's seasons, and pictures.

    Pictures are in it; nothing is loaded from anywhere.
    """
    ensemble = outcome.ensemble
    run = outcome.runs[ensemble.name]
    pictures = [
        sheet.picture(
            "Equity", svg(lambda a: _equity(a, outcome)), "Of each variant, after all costs."
        ),
        sheet.picture(
            "Log-loss saved",
            svg(lambda a: _steps(a, outcome)),
            "In each step, thousandths of a nat a decision; 0 is the base rate.",
        ),
    ]
    reliable = charts.reliability(evidence_of(run, outcome.trials))
    if reliable is not None:
        pictures.append(
            sheet.picture(
                f"Reliability of {ensemble.name}", reliable, "Honest ones lie on the line."
            )
        )
    pictures.append(
        sheet.picture(
            f"Equity of {ensemble.name}",
            charts.equity(evidence_of(run, outcome.trials)),
            "Beside the market at the same size.",
        )
    )
    pbo = (
        "fewer than two variants traded, so there is no choice to overfit"
        if outcome.pbo is None
        else f"probability of backtest overfitting {outcome.pbo:.2f}"
    )
    lead = (
        f"{ensemble.performance.decisions:,} decisions in "
        f"{len(ensemble.steps)} steps, each later than all that its models learnt from; "
        f"the market itself made {outcome.held:+.1%}; {outcome.trials} trials counted; {pbo}. "
        "Intervals are 95 %, by blocks. The gate's word is what it would say of these "
        "decisions; only a hold-out that nobody chose by can promote."
    )
    return sheet.document(
        f"Walk-forward: {outcome.symbol}",
        f'<header class="open"><h1>{html.escape(outcome.symbol)}, walked forward</h1>'
        f'<p class="lead">{html.escape(lead)}</p>{_columns(outcome)}</header>'
        + sheet.section("Variants", _variants(outcome))
        + f'<div class="charts">{"".join(pictures)}</div>'
        + sheet.section(
            f"Why: {ensemble.name}, {ensemble.verdict.headline}", _checks(ensemble), "p"
        )
        + sheet.section(f"{ensemble.name} by season and regime", _seasons(outcome.seasons), "p"),
        _STYLE,
    )


def write(path: Path, outcome: Outcome) -> None:
    """Write :func:`page` to a file."""
    path.write_text(page(outcome), encoding="utf-8")


def _columns(outcome: Outcome) -> str:
    found = outcome.columns
    kind = ' class="bad"' if found.suspicious else ""
    return (
        f"<p{kind}>Columns that know the future: {html.escape(found.leaks)}.</p>"
        f"<p>The last test beside its training: {html.escape(found.shift)}.</p>"
    )


def _variants(outcome: Outcome) -> str:
    head = (
        "", "log-loss", "gain over base, mnat", "of it direction",
        "ensemble's gain over it, mnat", "calibration", "trades", "win rate", "costs",
        "net", "Sharpe a year", "drawdown", "gate",
    )  # fmt: skip
    rows = []
    for one in outcome.variants:
        told = one.performance
        annual = told.annual
        total = told.total
        rows.append((
            one.name,
            f"{one.log_loss:.4f}",
            _paired(one.gain),
            _paired(one.direction),
            "" if one.behind is None else _paired(one.behind),
            f"{one.calibration.value:.3f} [{one.calibration.low:.3f}, {one.calibration.high:.3f}]",
            f"{told.trades:,}",
            "" if not told.trades else f"{told.win_rate.value:.1%}",
            f"{one.costs:.2%}",
            f"{total.value:+.2%} [{total.low:+.2%}, {total.high:+.2%}]",
            "" if annual is None else f"{annual.sharpe.value:+.2f} "
            f"[{annual.sharpe.low:+.2f}, {annual.sharpe.high:+.2f}]",
            f"{told.drawdown.value:.2%}",
            one.verdict.headline,
        ))  # fmt: skip
    return sheet.table(head, rows)


def _paired(one: Paired) -> str:
    return f"{1e3 * one.gain:+.2f} [{1e3 * one.low:+.2f}, {1e3 * one.high:+.2f}]"


def _checks(one: Judged) -> str:
    rows = [("✓" if c.passed else "✗", c.name, c.text) for c in one.verdict.checks]
    return sheet.table(("", "check", "figures"), rows)


def _seasons(found: Breakdown) -> str:
    rows = [
        (
            f"{group.name} {one.label}",
            f"{one.count:,}",
            f"{1e4 * one.net.value:+.2f}",
            "" if np.isnan(one.gain.value) else f"{1e3 * one.gain.value:+.2f}",
            "differs from the rest" if one.differs else "",
        )
        for group in found.groups
        for one in group.buckets
    ]
    return sheet.table(("", "decisions", "net a decision, bp", "gain, mnat", ""), rows)


def _equity(axes: Axes, outcome: Outcome) -> None:
    for one in outcome.variants:
        gained = 1e2 * np.cumsum(np.log1p(np.maximum(outcome.runs[one.name].returns, -0.999_999)))
        at = thin(len(gained))
        last = one is outcome.ensemble
        axes.plot(at, gained[at], linewidth=2.0 if last else 0.9, label=one.name)
    axes.set_xlabel("decision")
    axes.set_ylabel("log return, %")
    legend(axes, 3)


def _steps(axes: Axes, outcome: Outcome) -> None:
    for one in outcome.variants:
        saved = [1e3 * (each.base_log_loss - each.log_loss) for each in one.steps]
        last = one is outcome.ensemble
        axes.plot(
            [each.step for each in one.steps], saved, marker="o", markersize=3,
            linewidth=2.0 if last else 0.9, label=one.name,
        )  # fmt: skip
    axes.axhline(0.0, color=SOFT, linewidth=0.8, linestyle=":")
    axes.set_xticks([each.step for each in outcome.ensemble.steps])
    axes.set_xlabel("step")
    axes.set_ylabel("saved, mnat")
    legend(axes, 3)
