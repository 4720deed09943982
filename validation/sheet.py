"""What every report's page is made of: one file that needs nothing else, in light and in dark.

Nothing is loaded from anywhere; text is escaped here, so names may hold anything.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

__all__ = ["cells", "document", "figures", "note", "picture", "section", "table", "text"]

STYLE = """
:root{color-scheme:light dark;--ink:#1f2933;--soft:#616e7c;--rule:#d9dee4;--faint:#eef1f4;
 --card:#fff;--ground:#f6f7f9;--good:#2e7d52;--bad:#b5483a;--open:#9a6b15;--own:#2f6690}
@media(prefers-color-scheme:dark){:root{--ink:#e4e7eb;--soft:#a3adb8;--rule:#3a4551;
 --faint:#2b343f;--card:#1b222a;--ground:#12171d;--good:#6cc199;--bad:#e8897b;--open:#d9a441;
 --own:#74b0de}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--ink);
 background:var(--ground);margin:0;padding:1.5rem 1rem 3rem}
main{max-width:1120px;margin:0 auto}
section,header{background:var(--card);border:1px solid var(--rule);border-radius:10px;
 padding:1.1rem 1.25rem;margin-bottom:1rem;min-width:0}
header{border-left:6px solid var(--tone)}
h1{font-size:1rem;font-weight:600;color:var(--soft);margin:0;overflow-wrap:anywhere}
h2{font-size:1rem;margin:0 0 .7rem;overflow-wrap:anywhere}
.word{font-size:2rem;font-weight:700;line-height:1.2;color:var(--tone);margin:.1rem 0 .3rem}
.edge{--tone:var(--good)}.none,.suspicious{--tone:var(--bad)}.open{--tone:var(--open)}
.lead{margin:0;max-width:48rem;overflow-wrap:anywhere}
.note{margin:.5rem 0 0;max-width:48rem;color:var(--open);overflow-wrap:anywhere}
.key{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.8rem;
 margin-top:1rem}
.key div{border-top:1px solid var(--rule);padding-top:.4rem}
.key b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}
.key span{display:block;color:var(--soft);font-size:.85rem}
table{border-collapse:collapse;width:100%}
td{padding:.4rem .6rem .4rem 0;border-top:1px solid var(--rule);vertical-align:top}
tr:first-child td{border-top:0}
.mark{width:1.6rem;font-weight:700}.held,.good{color:var(--good)}.failed,.bad{color:var(--bad)}
.name{width:7.5rem;font-weight:600}
.text{color:var(--soft);overflow-wrap:anywhere}tr.lost .text{color:var(--ink)}
.means{display:inline-block;font-size:.8rem;color:var(--bad);margin-left:.35rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem;
 margin-bottom:1rem}
.charts section{margin:0}.charts{grid-auto-flow:dense}.wide{grid-column:1/-1}
figure{margin:0}img{display:block;width:100%;height:auto}
figcaption{color:var(--soft);font-size:.85rem;margin-top:.4rem}
.figures{columns:2;column-gap:2.5rem;margin:0}
.figures div{display:flex;justify-content:space-between;gap:1rem;break-inside:avoid;
 padding:.25rem 0;border-bottom:1px solid var(--faint)}
.figures dt{color:var(--soft)}
.figures dd{margin:0;font-variant-numeric:tabular-nums;white-space:nowrap}
.scroll{overflow-x:auto}
summary{cursor:pointer;color:var(--soft);margin-top:.6rem}dd{margin:0 0 .4rem}
.grid{font-variant-numeric:tabular-nums;font-size:.9rem}
.grid th{font-weight:400;color:var(--soft);padding:.25rem 0 .25rem .9rem;text-align:right;
 vertical-align:bottom}
.grid td{padding:.25rem 0 .25rem .9rem;text-align:right;white-space:nowrap}
.grid th:first-child,.grid td:first-child{padding-left:0;text-align:left}
@media(max-width:640px){body{padding:.6rem .5rem 2rem}section,header{padding:.9rem}
 .figures{columns:1}.name{width:auto}.checks td{display:block;border-top:0;padding:0}
 .checks tr{display:grid;grid-template-columns:1.6rem 1fr;padding:.5rem 0;
 border-top:1px solid var(--rule)}.checks tr:first-child{border-top:0}
 .checks .text{grid-column:2}}
@media print{body{background:none;padding:0;font-size:12px}main{max-width:none}
 section,header{break-inside:avoid;border-radius:0}.screen{display:none}
 .charts{grid-template-columns:1fr 1fr}}
"""


def document(title: str, body: str, style: str = "") -> str:
    """Return a whole page.

    Parameters
    ----------
    title
        Text.
    body
        HTML that goes into ``main``.
    style
        Rules beyond the shared ones.
    """
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def section(title: str, content: str, kind: str = "") -> str:
    """Put HTML under a heading."""
    classes = f' class="{kind}"' if kind else ""
    return f"<section{classes}><h2>{html.escape(title, quote=True)}</h2>{content}</section>"


def picture(title: str, svg: str, caption: str, kind: str = "", narrow: str = "") -> str:
    """Put a picture under a heading, and what it shows below it.

    Parameters
    ----------
    title, caption
        Text.
    svg
        The picture.
    kind
        ``wide`` for one across the whole page.
    narrow
        The picture as a telephone shows it, where a wide one can't be read.
    """
    # As an image each has names of its own: those inside one picture can't meet another's.
    image = f'<img alt="{html.escape(title, quote=True)}" src="{_data(svg)}">'
    if narrow:
        image = (
            f'<picture><source media="(max-width:640px)" srcset="{_data(narrow)}">{image}</picture>'
        )
    return section(
        title, f"<figure>{image}<figcaption>{html.escape(caption)}</figcaption></figure>", kind
    )


def text(words: str) -> str:
    """Escape text for use within HTML."""
    return html.escape(words, quote=True)


def _data(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def note(text: str) -> str:
    """Say what a reader must know besides, as a sentence."""
    return f'<p class="note">{html.escape(f"{text[:1].upper()}{text[1:]}.")}</p>'


def cells(of: Iterable[tuple[str, ...]]) -> str:
    """Show what anybody asks first: each a figure, its words, and what else is said below them."""
    shown = "".join(
        f"<div><b>{html.escape(figure)}</b>"
        + "".join(f"<span>{html.escape(one)}</span>" for one in words)
        + "</div>"
        for figure, *words in of
    )
    return f'<div class="key">{shown}</div>'


def figures(of: Iterable[tuple[str, str]]) -> str:
    """List names and what each amounts to."""
    rows = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in of
    )
    return f'<dl class="figures">{rows}</dl>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Show rows of text, the first column to the left; wide ones scroll within their section."""
    first = "".join(f"<th>{html.escape(one)}</th>" for one in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table class="grid"><tr>{first}</tr>{body}</table></div>'
