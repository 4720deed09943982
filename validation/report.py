"""The gate's verdict as one HTML page that needs nothing else: checks, pictures, figures."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from validation import charts, sheet
from validation.evidence import Evidence
from validation.verdict import Check, Verdict

__all__ = ["page", "write"]

_SAYS = {
    "edge": "It earned more than luck explains, after all costs and counting all that was tried. "
    "It may be promoted.",
    "no edge": "Luck explains what was seen. Not promoting it is the right answer.",
    "inconclusive": "There was too little of something to tell. Neither a no nor a promotion.",
    "suspicious": "Too good to be true. Look for a leak before believing any of it.",
}
_PERCENT = (
    "net_return",
    "costs",
    "max_drawdown",
    "max_drawdown_allowed",
    "skill",
    "beyond_market",
    "decay",
)
_COUNTS = ("decisions", "labelled", "trials", "trades", "jumps", "blocks", "block")
_NAMES = {
    "costs": "costs, share of equity",
    "sharpe": "Sharpe ratio of a decision",
    "detectable_sharpe": "found nine times in ten from",
    "probabilistic_sharpe": "probability that Sharpe exceeds 0 (PSR)",
    "deflated_sharpe": "the same after all trials (DSR)",
    "min_track_record": "decisions until it is sure at 95 % (MinTRL)",
    "base_log_loss": "log-loss of class frequencies",
    "skill": "of which the ensemble saves",
    "skill_bound": "gain of log-loss, lower bound",
    "max_drawdown": "largest drawdown",
    "max_drawdown_allowed": "drawdown allowed",
    "t": "t of the net return",
    "t_needed": "t needed",
    "block": "decisions in a block",
    "decay": "gain gone one decision later",
    "beyond_market": "from fills and costs",
}


def page(
    evidence: Evidence,
    verdict: Verdict,
    title: str = "Promotion gate",
    notes: Sequence[str] = (),
) -> str:
    """Tell a verdict and what it rests on.

    Parameters
    ----------
    evidence
        What was judged.
    verdict
        What :func:`validation.gate.judge` said of it.
    title
        Whose it is.
    notes
        What a reader must know besides.

    Returns
    -------
    A whole HTML page; pictures are in it, and nothing is loaded from anywhere.
    """
    kind = {"edge": "edge", "no edge": "none", "suspicious": "suspicious"}.get(
        verdict.headline, "open"
    )
    return sheet.document(
        f"{verdict.headline}: {title}",
        f'<header class="{kind}"><h1>{html.escape(title)}</h1>'
        f'<p class="word">{html.escape(verdict.headline)}</p>'
        f'<p class="lead">{_SAYS.get(verdict.headline, "")}</p>{"".join(map(sheet.note, notes))}'
        f"{_key(verdict.figures)}</header>"
        f"{sheet.section('Checks', _checks(verdict.checks))}"
        f'<div class="charts">{"".join(_charts(evidence, verdict))}</div>'
        f"{sheet.section('Figures', _figures(verdict.figures))}",
    )


def write(
    path: Path,
    evidence: Evidence,
    verdict: Verdict,
    title: str = "Promotion gate",
    notes: Sequence[str] = (),
) -> None:
    """Write :func:`page` to a file."""
    path.write_text(page(evidence, verdict, title, notes), encoding="utf-8")


def _key(figures: dict[str, float]) -> str:
    """Show what anybody asks first."""
    wanted = {
        "net_return": "net return",
        "t": "t of it",
        "timing_p": "p of its timing",
        "max_drawdown": "largest drawdown",
        "trades": "round trips",
        "decisions": "decisions",
    }
    return sheet.cells(
        (_number(name, figures[name]), words) for name, words in wanted.items() if name in figures
    )


def _checks(checks: Iterable[Check]) -> str:
    rows = "".join(
        f"<tr{'' if one.passed else ' class=lost'}>"
        f'<td class="mark {"held" if one.passed else "failed"}">{"✓" if one.passed else "✗"}</td>'
        f'<td class="name">{html.escape(one.name)}</td>'
        f'<td class="text">{html.escape(one.text)}'
        + ("" if one.passed else f'<span class="means">→ {html.escape(one.means)}</span>')
        + "</td></tr>"
        for one in checks
    )
    return f'<table class="checks">{rows}</table>'


def _charts(evidence: Evidence, verdict: Verdict) -> Iterator[str]:
    """Yield the pictures there is something to draw for."""
    figures = verdict.figures
    if len(evidence.net_returns) >= 2:
        yield sheet.picture(
            "Equity", charts.equity(evidence), "After all costs, beside the market held all along."
        )
    traded = bool(evidence.exposures.any())  # of who never did, most pictures are one line
    if traded and len(evidence.net_returns) >= 2:
        yield sheet.picture(
            "The same positions at other times",
            charts.shifted(evidence),
            "Every circular shift of the exposures. Timing shows only where the strategy stands "
            "far to the right of them.",
        )
    if traded and {"block", "t", "t_needed"} <= figures.keys():
        block = int(figures["block"])
        yield sheet.picture(
            "Blocks",
            charts.blocks(evidence, block, figures["t"], figures["t_needed"]),
            f"Means of {block} decisions each; the outermost hundredth is drawn at the edge.",
        )
        yield sheet.picture(
            "Drawdown",
            charts.drawdown(evidence, figures["max_drawdown_allowed"]),
            "Loss from the highest equity so far.",
        )
    if (drawn := charts.reliability(evidence)) is not None:
        yield sheet.picture(
            "Reliability",
            drawn,
            "Ten bins a class, with two standard errors. Honest probabilities lie on the line.",
        )
    if (drawn := charts.champion(evidence)) is not None and evidence.champion is not None:
        yield sheet.picture(
            f"Against {evidence.champion.name}",
            drawn,
            "Net return beyond the champion's, on the same decisions.",
        )


def _figures(figures: dict[str, float]) -> str:
    return sheet.figures(
        (_NAMES.get(name, name.replace("_", " ")), _number(name, value))
        for name, value in figures.items()
    )


def _number(name: str, value: float) -> str:
    if name in _PERCENT:
        return f"{value:+.2%}" if name in ("net_return", "beyond_market") else f"{value:.2%}"
    if name in _COUNTS or name == "min_track_record":
        return f"{value:,.0f}"
    return f"{value:.4g}"
