"""What is known of a run's robustness, as sections of its page."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from trading.report import charts, maps
from trading.report.headline import money, percent, ratio, span
from trading.robustness.montecarlo import MonteCarlo
from trading.robustness.overfitting import Overfitting
from trading.robustness.sensitivity import Sensitivity
from trading.robustness.shocks import Shocks
from trading.robustness.slippage import Slippage
from trading.robustness.stress import Stress
from trading.robustness.whole import Robustness
from validation import sheet

__all__ = ["tested"]

_LUCK = (
    ("trades", "Monte Carlo: trades drawn again", "the same trades, drawn again in blocks"),
    ("shuffled", "Monte Carlo: trades in another order", "the same trades in another order"),
    ("markets", "Monte Carlo: other markets", "the market's own moves put together anew"),
)


def tested(found: Robustness) -> Iterator[str]:
    """Yield a section for all that was asked and answered."""
    for name, title, words in _LUCK:
        one = getattr(found, name)
        if one is not None:
            yield sheet.picture(title, maps.fan(one.fan), _luck(one, words))
    if found.attribution is not None and found.attribution.total.pnl:
        total = found.attribution.total
        steps = [(name, value) for name, value in total.rows() if value]
        yield sheet.picture(
            "Attribution",
            charts.waterfall([*steps, ("P&L", total.pnl)], charts.WIDE),
            "Signal: the forecast's direction, always held at the mean size. Sizing and exit: what "
            "taking more, less or nothing, and stops and targets, added. Timing: what fills were "
            "better than the prices decided on. The parts add up to the P&L.",
            "wide",
            charts.waterfall([*steps, ("P&L", total.pnl)], charts.NARROW),
        )
    if found.shocks is not None:
        yield sheet.picture("Costs and slippage", maps.shocks(found.shocks), _dies(found.shocks))
    if found.slippage is not None:
        yield from _slippage(found.slippage)
    for one in found.sensitivity:
        names = " and ".join(one.parameters)
        yield sheet.picture(f"Sensitivity to {names}", maps.sensitivity(one), _flat(one))
    if found.overfitting is not None and found.overfitting.inside:
        yield sheet.picture(
            "Choosing the best", maps.inside_out(found.overfitting), _choice(found.overfitting)
        )
    if found.stress is not None:
        yield sheet.picture(
            "Stress", maps.stress(found.stress), "Change of the P&L, at the worst of the moments."
        )
        yield sheet.section("Stress scenarios", _stress(found.stress), "wide")
    if found.missing:
        notes = "".join(map(sheet.note, found.missing))
        yield sheet.section("What could not be answered", notes, "wide")


def _luck(one: MonteCarlo, words: str) -> str:
    return (
        f"{one.samples:,} paths of {words}: {percent(one.loss)} end with a loss, "
        f"{percent(one.ruin)} lose {percent(one.ruin_at)} on the way. P&L {span(one.pnl, money)}, "
        f"largest drawdown {span(one.drawdown, percent)} in {one.level:.0%} of them."
    )


def _dies(one: Shocks) -> str:
    if math.isnan(one.break_even):
        return "P&L under other costs."
    if math.isinf(one.break_even):
        return "P&L under other costs; something is left at all of them."
    if one.break_even == 0.0:
        return "P&L under other costs; nothing is left even without any."
    return f"P&L under other costs; nothing is left at {one.break_even:.2f} times those assumed."


def _slippage(one: Slippage) -> Iterator[str]:
    if len(one.sizes) > 1 and one.whole.paid > 0.0:
        share = "" if math.isnan(one.of_gross) else (
            f" That is {percent(one.of_gross)} of what the trades would have earned at mid prices."
        )  # fmt: skip
        yield sheet.picture(
            "Slippage by size",
            maps.slips(one.sizes),
            f"Spread, slippage and impact by quarter of the trades' size; of all trades "
            f"{one.whole.basis_points:.2f} bp, {one.whole.paid:,.2f} in all.{share}",
        )
    if one.capacity.multiples:
        yield sheet.picture(
            "Capacity",
            maps.capacity(one.capacity),
            f"The same trades at other sizes: they earn most at {one.capacity.best:.3g} times this "
            f"run's, nothing at {one.capacity.dead:.3g} times. An upper bound: bigger orders also "
            "fill later.",
        )


def _flat(one: Sensitivity) -> str:
    return (
        f"Sharpe ratio a year. {percent(one.flatness)} of the best one's neighbours are nearly as "
        f"good: a plateau has all, luck's lone peak none. After {one.trials:,} trials the "
        f"probability that the best one's true ratio exceeds 0 is {percent(one.deflated)}."
    )


def _choice(one: Overfitting) -> str:
    need = "" if math.isinf(one.years_needed) else (
        f" So high a ratio is luck's best of {one.trials:,} in {one.years_needed:.2f} years; "
        f"this run has {one.years:.2f}."
    )  # fmt: skip
    return (
        f"The best variant of one half of the time, in the other half: it came out in the lower "
        f"half in {percent(one.pbo)} of choices (PBO). Its Sharpe ratio was "
        f"{ratio(one.mean_inside)} in sample and {ratio(one.mean_outside)} out of it; deflated "
        f"for {one.trials:,} trials it exceeds 0 with probability {percent(one.deflated)}.{need}"
    )


def _stress(one: Stress) -> str:
    head = ("", "P&L", "change", "drawdown", "worst trade", "trades", "limits", "when")
    rows = [
        (
            each.name.replace("_", " "),
            money(each.pnl),
            "" if each is one.base else money(each.change),
            percent(each.drawdown),
            money(each.worst),
            f"{each.trades:,}",
            "held" if each.kept else "; ".join(each.breaches),
            "" if not each.when else _minute(each.when),
        )
        for each in (one.base, *one.ordeals)
    ]
    told = "".join(
        f"<dt><b>{sheet.text(each.name.replace('_', ' '))}</b></dt><dd>{sheet.text(each.told)}</dd>"
        for each in one.ordeals
    )
    what = f"<details><summary>What they are</summary><dl>{told}</dl></details>"
    return sheet.table(head, rows) + what


def _minute(time: int) -> str:
    return datetime.fromtimestamp(time // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
