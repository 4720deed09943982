"""A walk-forward's outcome as one page that needs nothing else: tables and pictures."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.combination.comparison import Paired
from trading.walkforward.judging import Judged, Outcome, evidence_of
from validation import charts
from validation.breakdown import Breakdown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["page", "write"]

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;color:#1f2933;max-width:1120px;margin:2rem auto;"
    "padding:0 1rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums;"
    "display:block;overflow-x:auto}td,th{padding:.25rem .7rem;text-align:right;"
    "border-bottom:1px solid #e4e7eb;white-space:nowrap}td:first-child,th:first-child{"
    "text-align:left}.bad{color:#b42318}tr:last-child{font-weight:600}.p td{font-weight:400}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));"
    "gap:1rem}figure{margin:0}img{max-width:100%}figcaption{color:#616e7c}"
)
_POINTS = 800


def page(outcome: Outcome) -> str:
    """Return the page: every variant, the ensemble's seasons, and pictures.

    Pictures are in it; nothing is loaded from anywhere.
    """
    name = html.escape(outcome.symbol)
    ensemble = outcome.ensemble
    run = outcome.runs[ensemble.name]
    pictures = [
        _figure("Equity of each variant, after all costs", _drawn(lambda a: _equity(a, outcome))),
        _figure(
            "Log-loss saved in each step, thousandths of a nat a decision; 0 is the base rate",
            _drawn(lambda a: _steps(a, outcome)),
        ),
    ]
    reliable = charts.reliability(evidence_of(run, outcome.trials))
    if reliable is not None:
        pictures.append(_figure(f"Reliability of {ensemble.name}", reliable))
    pictures.append(
        _figure(
            f"Equity of {ensemble.name}, and the market at the same size",
            charts.equity(evidence_of(run, outcome.trials)),
        )
    )
    pbo = (
        "fewer than two variants traded, so there is no choice to overfit"
        if outcome.pbo is None
        else f"probability of backtest overfitting {outcome.pbo:.2f}"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Walk-forward: {name}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{name}, walked forward</h1><p>{ensemble.performance.decisions:,} decisions in "
        f"{len(ensemble.steps)} steps, each later than all that its models learnt from; "
        f"the market itself made {outcome.held:+.1%}; {outcome.trials} trials counted; {pbo}. "
        "Intervals are 95 %, by blocks. The gate's word is what it would say of these "
        "decisions; only a hold-out that nobody chose by can promote."
        f"</p>{_columns(outcome)}{_variants(outcome)}"
        f'<div class="charts">{"".join(pictures)}</div>'
        f"<h2>Why: {html.escape(ensemble.name)}, {html.escape(ensemble.verdict.headline)}</h2>"
        f"{_checks(ensemble)}<h2>{html.escape(ensemble.name)} by season and regime</h2>"
        f"{_seasons(outcome.seasons)}</body></html>\n"
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
    return _table(head, rows)


def _paired(one: Paired) -> str:
    return f"{1e3 * one.gain:+.2f} [{1e3 * one.low:+.2f}, {1e3 * one.high:+.2f}]"


def _checks(one: Judged) -> str:
    rows = [("✓" if c.passed else "✗", c.name, c.text) for c in one.verdict.checks]
    return _table(("", "check", "figures"), rows, "p")


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
    return _table(("", "decisions", "net a decision, bp", "gain, mnat", ""), rows, "p")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], kind: str = "") -> str:
    first = "".join(f"<th>{html.escape(one)}</th>" for one in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<table class="{kind}"><tr>{first}</tr>{body}</table>'


def _equity(axes: Axes, outcome: Outcome) -> None:
    for one in outcome.variants:
        gained = 1e2 * np.cumsum(np.log1p(np.maximum(outcome.runs[one.name].returns, -0.999_999)))
        at = np.unique(np.linspace(0, len(gained) - 1, min(len(gained), _POINTS)).astype(int))
        last = one is outcome.ensemble
        axes.plot(at, gained[at], linewidth=2.0 if last else 0.9, label=one.name)
    axes.set_xlabel("decision")
    axes.set_ylabel("log return, %")
    axes.legend(fontsize=7, ncols=2, frameon=False)


def _steps(axes: Axes, outcome: Outcome) -> None:
    for one in outcome.variants:
        saved = [1e3 * (each.base_log_loss - each.log_loss) for each in one.steps]
        last = one is outcome.ensemble
        axes.plot(
            [each.step for each in one.steps], saved, marker="o", markersize=3,
            linewidth=2.0 if last else 0.9, label=one.name,
        )  # fmt: skip
    axes.axhline(0.0, color="#616e7c", linewidth=0.8, linestyle=":")
    axes.set_xticks([each.step for each in outcome.ensemble.steps])
    axes.set_xlabel("step")
    axes.set_ylabel("saved, mnat")
    axes.legend(fontsize=7, ncols=2, frameon=False)


def _drawn(draw: Callable[[Axes], None]) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "pregao"}):
        figure = Figure(figsize=(5.6, 3.6), layout="constrained")
        draw(axes := figure.subplots())
        axes.grid(alpha=0.3)
        target = io.BytesIO()
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    return target.getvalue().decode()


def _figure(title: str, svg: str) -> str:
    name, data = html.escape(title, quote=True), base64.b64encode(svg.encode()).decode()
    return (
        f'<figure><img alt="{name}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{name}</figcaption></figure>"
    )
