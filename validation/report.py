"""The gate's verdict as one HTML page that needs nothing else: checks, pictures, figures."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from validation import charts
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
_STYLE = """
:root{--ink:#1f2933;--soft:#616e7c;--rule:#d9dee4;--good:#2e7d52;--bad:#b5483a;--open:#9a6b15}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--ink);
 background:#f6f7f9;margin:0;padding:1.5rem 1rem 3rem}
main{max-width:1120px;margin:0 auto}
section,header{background:#fff;border:1px solid var(--rule);border-radius:10px;
 padding:1.1rem 1.25rem;margin-bottom:1rem}
header{border-left:6px solid var(--tone)}
h1{font-size:1rem;font-weight:600;color:var(--soft);margin:0}
h2{font-size:1rem;margin:0 0 .7rem}
.word{font-size:2rem;font-weight:700;line-height:1.2;color:var(--tone);margin:.1rem 0 .3rem}
.edge{--tone:var(--good)}.none,.suspicious{--tone:var(--bad)}.open{--tone:var(--open)}
.lead{margin:0;max-width:48rem}
.note{margin:.5rem 0 0;max-width:48rem;color:var(--open);overflow-wrap:anywhere}
.key{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.8rem;
 margin-top:1rem}
.key div{border-top:1px solid var(--rule);padding-top:.4rem}
.key b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}
.key span{color:var(--soft);font-size:.85rem}
table{border-collapse:collapse;width:100%}
td{padding:.4rem .6rem .4rem 0;border-top:1px solid var(--rule);vertical-align:top}
tr:first-child td{border-top:0}
.mark{width:1.6rem;font-weight:700}.held{color:var(--good)}.failed{color:var(--bad)}
.name{width:7.5rem;font-weight:600}
.text{color:var(--soft);overflow-wrap:anywhere}tr.lost .text{color:var(--ink)}
.means{display:inline-block;font-size:.8rem;color:var(--bad);margin-left:.35rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem;
 margin-bottom:1rem}
.charts section{margin:0}
figure{margin:0}img{display:block;width:100%;height:auto}
figcaption{color:var(--soft);font-size:.85rem;margin-top:.4rem}
.figures{columns:2;column-gap:2.5rem;margin:0}
.figures div{display:flex;justify-content:space-between;gap:1rem;break-inside:avoid;
 padding:.25rem 0;border-bottom:1px solid #eef1f4}
.figures dt{color:var(--soft)}
.figures dd{margin:0;font-variant-numeric:tabular-nums;white-space:nowrap}
@media(max-width:640px){body{padding:.6rem .5rem 2rem}section,header{padding:.9rem}
 .figures{columns:1}.name{width:auto}.checks td{display:block;border-top:0;padding:0}
 .checks tr{display:grid;grid-template-columns:1.6rem 1fr;padding:.5rem 0;
 border-top:1px solid var(--rule)}.checks tr:first-child{border-top:0}
 .checks .text{grid-column:2}}
"""


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
    name = html.escape(title)
    kind = {"edge": "edge", "no edge": "none", "suspicious": "suspicious"}.get(
        verdict.headline, "open"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(verdict.headline)}: {name}</title><style>{_STYLE}</style></head>"
        f'<body><main><header class="{kind}"><h1>{name}</h1>'
        f'<p class="word">{html.escape(verdict.headline)}</p>'
        f'<p class="lead">{_SAYS.get(verdict.headline, "")}</p>{_notes(notes)}'
        f"{_key(verdict.figures)}</header>"
        f"<section><h2>Checks</h2>{_checks(verdict.checks)}</section>"
        f'<div class="charts">{"".join(_charts(evidence, verdict))}</div>'
        f"<section><h2>Figures</h2>{_figures(verdict.figures)}</section></main></body></html>\n"
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


def _notes(notes: Iterable[str]) -> str:
    return "".join(
        f'<p class="note">{html.escape(f"{one[:1].upper()}{one[1:]}.")}</p>' for one in notes
    )


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
    cells = "".join(
        f"<div><b>{_number(name, figures[name])}</b><span>{words}</span></div>"
        for name, words in wanted.items()
        if name in figures
    )
    return f'<div class="key">{cells}</div>'


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
        yield _chart(
            "Equity", charts.equity(evidence), "After all costs, beside the market held all along."
        )
    traded = bool(evidence.exposures.any())  # of who never did, most pictures are one line
    if traded and len(evidence.net_returns) >= 2:
        yield _chart(
            "The same positions at other times",
            charts.shifted(evidence),
            "Every circular shift of the exposures. Timing shows only where the strategy stands "
            "far to the right of them.",
        )
    if traded and {"block", "t", "t_needed"} <= figures.keys():
        block = int(figures["block"])
        yield _chart(
            "Blocks",
            charts.blocks(evidence, block, figures["t"], figures["t_needed"]),
            f"Means of {block} decisions each; the outermost hundredth is drawn at the edge.",
        )
        yield _chart(
            "Drawdown",
            charts.drawdown(evidence, figures["max_drawdown_allowed"]),
            "Loss from the highest equity so far.",
        )
    if (drawn := charts.reliability(evidence)) is not None:
        yield _chart(
            "Reliability",
            drawn,
            "Ten bins a class, with two standard errors. Honest probabilities lie on the line.",
        )
    if (drawn := charts.champion(evidence)) is not None and evidence.champion is not None:
        yield _chart(
            f"Against {evidence.champion.name}",
            drawn,
            "Net return beyond the champion's, on the same decisions.",
        )


def _chart(title: str, svg: str, caption: str) -> str:
    # As an image each has names of its own: those inside one picture can't meet another's.
    data = base64.b64encode(svg.encode()).decode()
    name = html.escape(title, quote=True)
    return (
        f'<section><h2>{name}</h2><figure><img alt="{name}" '
        f'src="data:image/svg+xml;base64,{data}"><figcaption>{html.escape(caption)}</figcaption>'
        "</figure></section>"
    )


def _figures(figures: dict[str, float]) -> str:
    rows = "".join(
        f"<div><dt>{html.escape(_NAMES.get(name, name.replace('_', ' ')))}</dt>"
        f"<dd>{_number(name, value)}</dd></div>"
        for name, value in figures.items()
    )
    return f'<dl class="figures">{rows}</dl>'


def _number(name: str, value: float) -> str:
    if name in _PERCENT:
        return f"{value:+.2%}" if name in ("net_return", "beyond_market") else f"{value:.2%}"
    if name in _COUNTS or name == "min_track_record":
        return f"{value:,.0f}"
    return f"{value:.4g}"
