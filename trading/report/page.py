"""A run's report as one page that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from trading.record import Record
from trading.report import charts, trades
from trading.report.figures import Figures
from trading.report.headline import PARTS, lead, part_rows, rows, signed
from trading.report.tested import tested
from trading.report.viewer import STYLE, viewer
from validation import sheet

__all__ = ["page"]

SAYS = {
    "edge": "The gate: more than luck explains.",
    "no edge": "The gate: luck explains it.",
    "inconclusive": "The gate: too little to tell.",
    "suspicious": "The gate: too good to be true; look for a leak.",
}
_PART = STYLE + ".pos{color:var(--good)}.neg{color:var(--bad)}.lead b{font-weight:600}"


def page(record: Record, found: Figures) -> str:
    """Tell a run.

    Parameters
    ----------
    record
        Of the run; what pictures are drawn of.
    found
        Its figures, as :func:`trading.report.measuring.measure` found them.

    Returns
    -------
    A whole HTML page; pictures and script are in it, and nothing is loaded from anywhere.
    """
    low, high = found.returns.total.low, found.returns.total.high
    kind = "edge" if low > 0.0 else "none" if high < 0.0 else "open"
    head = (
        f'<header class="{kind}"><h1>Backtest: {html.escape(found.name)}</h1>'
        f'<p class="word">{html.escape(signed(found.returns.total.value))}</p>'
        f'<p class="lead">{html.escape(lead(found))}</p><p class="lead">{_span(found)}</p>'
        f"{''.join(map(sheet.note, found.caveats))}"
        f"{sheet.cells((one.figure, one.name, one.interval) for one in rows(found))}</header>"
    )
    body = [
        head,
        '<div class="charts">',
        *_account(record, found),
        *_trades(record, found),
        *tested(found.robustness),
        "</div>",
        "".join(_tables(found)),
    ]
    return sheet.document(f"Backtest: {found.name}", "".join(body), _PART)


def _span(found: Figures) -> str:
    words = ", ".join(found.symbols)
    said = "" if found.verdict is None else f" {SAYS.get(found.verdict.headline, '')}"
    sample = {"not told": ""}.get(found.terms.sample, f"{found.terms.sample}, ")
    return html.escape(
        f"{words}; {sample}{found.begin[:16].replace('T', ' ')} to "
        f"{found.end[:16].replace('T', ' ')} UTC, {found.days:,.4g} days.{said}"
    )


def _account(record: Record, found: Figures) -> Iterator[str]:
    if len(found.path.times) < 2:
        return
    yield sheet.picture(
        "Equity and drawdown",
        charts.equity(found, _market(record, found)),
        "After all costs; the fall from the highest equity so far below.",
        "wide",
        charts.equity(found, _market(record, found), charts.NARROW),
    )
    if (drawn := charts.rolling(found)) is not None:
        yield sheet.picture(
            "Rolling Sharpe ratio", drawn, "Of a tenth of the run at a time, scaled to a year."
        )
    yield sheet.picture(
        "Exposure",
        charts.held(found),
        f"Notional held over equity; {found.activity.turnover:.2f} times the equity is traded a "
        f"day, in {found.activity.trades:.1f} trades.",
    )
    if not found.trades.count:
        return
    if len(found.spans) > 1:
        months = len(found.spans[0].label) == 7
        yield sheet.picture(
            "Monthly returns" if months else "Daily returns",
            charts.spans(found.spans),
            f"Net, {found.terms.zone}.",
        )
    for group in found.seasons.groups if found.seasons is not None else ():
        if group.name in ("hour", "weekday") and len(group.buckets) > 1:
            yield sheet.picture(
                f"By {group.name}",
                charts.bars(group),
                "Mean net return a step with its 95 % interval; strong colour where it differs "
                "from the rest beyond what so many comparisons explain.",
            )
    yield sheet.picture(
        "Where the money went",
        charts.costs(found),
        "From what the market's moves would have made with free fills to what was left.",
    )


def _trades(record: Record, found: Figures) -> Iterator[str]:
    trips = record.trips
    if not len(trips):
        return
    yield viewer(record)
    busiest = max(record.sleeves.values(), key=lambda one: len(one.trips))
    for window in trades.windows(busiest) or (trades.Window("whole run", 0, len(busiest.times)),):
        wide = window.name in ("busiest stretch", "whole run")
        small = trades.on_price(busiest, window.first, window.stop)
        yield sheet.picture(
            f"Trades on the price: {window.name}",
            trades.on_price(busiest, window.first, window.stop, charts.WIDE) if wide else small,
            f"{busiest.symbol}. Triangles are entries, crosses exits.",
            "wide" if wide else "",
            small if wide else "",
        )
    yield sheet.picture(
        "Distribution of trades",
        trades.distribution(trips),
        "Net of all costs; the outermost hundredth is drawn at the edge.",
    )
    yield sheet.picture(
        "Excursions",
        trades.excursions(trips),
        "How far the price went against each trade, and what it came to. A stop is well placed "
        "where few winners lie to its right.",
    )
    yield sheet.picture(
        "Exit reasons", charts.parts(found.exits), "Mean trade by what ended it, 95 % intervals."
    )
    if (drawn := charts.calibration(found)) is not None:
        yield sheet.picture(
            "Calibration of what was acted on",
            drawn,
            "Trades by the probability that was said of their side when they were opened, with two "
            "standard errors. Trades end where they end, not at the forecast's horizon, so an "
            "honest forecast lies near the line, not on it.",
        )
    if found.regimes:
        yield sheet.picture(
            "By regime",
            charts.parts(found.regimes),
            "Mean trade by the regime it was opened in, 95 % intervals.",
        )


def _tables(found: Figures) -> Iterator[str]:
    parts = [("Sides", found.sides), ("Exits", found.exits), ("Regimes", found.regimes)]
    if len(found.parts) > 1:
        parts.append(("Symbols", found.parts))
    for name, of in parts:
        if of:
            yield sheet.section(name, sheet.table(PARTS, part_rows(of)))
    months = [one for one in found.spans if len(one.label) == 7]
    if months:
        yield sheet.section("Months", _months(found))


def _months(found: Figures) -> str:
    """Return years as rows and months as columns, and what each year came to."""
    years: dict[str, dict[int, float]] = {}
    for one in found.spans:
        years.setdefault(one.label[:4], {})[int(one.label[5:])] = one.value
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    table = [
        (
            year,
            *(signed(months[k]) if k in months else "" for k in range(1, 13)),
            signed(float(np.prod([1.0 + value for value in months.values()])) - 1.0),
        )
        for year, months in years.items()
    ]
    return sheet.table(("", *names, "year"), table)


def _market(record: Record, found: Figures) -> npt.NDArray[np.float64] | None:
    """Return what the market did, from 1, at the points of the path; of several, their mean."""
    times = np.array(found.path.times, np.int64)
    total = np.zeros(len(times))
    for one in record.sleeves.values():
        at = np.searchsorted(one.times, times, side="right") - 1
        total += one.price[np.maximum(at, 0)] / one.price[0]
    level: npt.NDArray[np.float64] = total / len(record.sleeves)
    return level if np.isfinite(level).all() else None
